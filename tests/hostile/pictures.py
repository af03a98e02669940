"""Pictures and drawings that nobody should send."""

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from cnn_core.data.ink import canvas_to_digit, picture_to_digit
from tests.hostile.door import DEEP, HUGE, Door, damaged, plain

SIDE = 280
PREFIX = "data:image/png;base64,"


def a_seven(side: int = SIDE) -> Image.Image:
    """A seven, roughly, in white on black."""
    pixels = np.zeros((side, side, 4), np.uint8)
    pixels[..., 3] = 255
    at = side // 4
    pixels[at : at + side // 14, at : 3 * at, :3] = 255
    pixels[at : 3 * at, 2 * at : 2 * at + side // 14, :3] = 255
    return Image.fromarray(pixels)


def file_of(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    sum_ = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", sum_)


def png(width: int, height: int, depth: int, colour: int, *chunks: bytes) -> bytes:
    """A PNG with any header."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def _text_bomb() -> bytes:
    """A picture whose compressed remark unpacks to 200 MB."""
    remark = b"remark\0\0" + zlib.compress(b"\0" * 200_000_000, 9)
    good = file_of(a_seven(28))
    end = good.index(b"IDAT") - 4
    return good[:end] + chunk(b"zTXt", remark) + good[end:]


def _profile_bomb() -> bytes:
    profile = b"profile\0\0" + zlib.compress(b"\0" * 100_000_000, 9)
    good = file_of(a_seven(28))
    end = good.index(b"IDAT") - 4
    return good[:end] + chunk(b"iCCP", profile) + good[end:]


def _odd_exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x112] = orientation
    return file_of(a_seven().convert("RGB"), "JPEG", exif=exif)


def _many_frames() -> bytes:
    """An animation: its first frame counts."""
    frames = [a_seven(40 + k) for k in range(3)]
    return file_of(frames[0], save_all=True, append_images=frames[1:])


def _remarks() -> PngImagePlugin.PngInfo:
    said = PngImagePlugin.PngInfo()
    for k in range(200):
        said.add_text(f"k{k}", "x" * 1_000)
    return said


GOOD = {
    "PNG": file_of(a_seven(60)),
    "JPEG": file_of(a_seven(60).convert("RGB"), "JPEG"),
    "WEBP": file_of(a_seven(60), "WEBP", lossless=True),
}
_zeros = zlib.compress(b"\0" * 1_000)
_all_black = zlib.compress(b"\0" * (6_001 * 4_000), 9)

PICTURES = (
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a" + bytes(200),
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"RIFF\xff\xff\xff\xffWEBPVP8L" + bytes(30),
    png(60_000, 60_000, 8, 2, chunk(b"IDAT", _zeros)),
    png(2**31 - 1, 2**31 - 1, 16, 6, chunk(b"IDAT", _zeros)),
    png(2**31 - 1, 1, 1, 0, chunk(b"IDAT", _zeros)),
    png(0, 0, 8, 2, chunk(b"IDAT", _zeros)),
    png(6_000, 4_000, 8, 0, chunk(b"IDAT", _all_black)),
    png(28, 28, 8, 3, chunk(b"IDAT", _zeros)),
    png(28, 28, 7, 9, chunk(b"IDAT", _zeros)),
    png(28, 28, 8, 0, chunk(b"IDAT", zlib.compress(b"\0" * 100_000_000, 9))),
    png(28, 28, 8, 0, *[chunk(b"tEXt", b"k\0v")] * 20_000, chunk(b"IDAT", _zeros)),
    _text_bomb(),
    _profile_bomb(),
    _many_frames(),
    *(_odd_exif(orientation) for orientation in (0, 8, 9, 65_535)),
    file_of(a_seven(), pnginfo=_remarks()),
    file_of(Image.new("1", (1, 1), 1)),
    file_of(Image.new("L", (1, 5_000), 255)),
    file_of(Image.new("L", (5_000, 1), 255)),
    file_of(Image.new("LA", (30, 30), (255, 0))),
    file_of(Image.new("P", (30, 30)), transparency=0),
    file_of(Image.fromarray(np.full((30, 30), 65_535, np.uint16))),
    file_of(Image.new("CMYK", (50, 50), (0, 0, 0, 255)), "JPEG"),
    file_of(a_seven().convert("RGB"), "JPEG", progressive=True),
    GOOD["JPEG"][:-2] + b"\xff\xd8" + GOOD["JPEG"],
    file_of(Image.new("L", (30, 30), 255)),
)


def _sent(file: bytes) -> str:
    return PREFIX + base64.b64encode(file).decode()


DOORS = (
    Door(
        "uploaded pictures",
        st.one_of([damaged(file) for file in GOOD.values()]),
        PICTURES,
        tuple(GOOD.values()),
        picture_to_digit,
    ),
    Door(
        "the canvas",
        st.one_of(
            plain, st.text(max_size=60).map(PREFIX.__add__), damaged(file_of(a_seven())).map(_sent)
        ),
        (
            None, b"", HUGE, DEEP, PREFIX, PREFIX + "=", PREFIX + "é", PREFIX + "\ud800",
            PREFIX + "A" * 11_000_000, "data:text/html;base64,AAAA",
            _sent(file_of(a_seven(281))), _sent(GOOD["JPEG"]),
            *(_sent(file) for file in PICTURES[:16]),
        ),
        (_sent(file_of(a_seven())),),
        lambda sent: canvas_to_digit(sent, SIDE),
    ),
)  # fmt: skip
