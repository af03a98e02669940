"""Drawings and pictures of digits, drawn here by Pillow, turned into what a network gets."""

import base64
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, ImageDraw

from cnn_core.data.digit import Digit
from cnn_core.data.ink import (
    MAX_PICTURE_BYTES,
    canvas_to_digit,
    ink_to_digit,
    otsu_threshold,
    picture_to_digit,
    read_picture,
)
from cnn_core.data.mnist import load_mnist
from cnn_core.errors import InkError, NoInk, PictureTooLarge, UnreadablePicture
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.reference import reference_trace

# Pen paths in a unit square, as people draw them.
PATHS = {
    0: [[(0.5, 0), (0.15, 0.25), (0.1, 0.6), (0.4, 1), (0.75, 0.8), (0.85, 0.35), (0.5, 0)]],
    1: [[(0.5, 0), (0.5, 1)]],
    2: [[(0.1, 0.2), (0.4, 0), (0.8, 0.2), (0.7, 0.5), (0.1, 1), (0.9, 1)]],
    3: [[(0.1, 0.1), (0.5, 0), (0.8, 0.2), (0.4, 0.45), (0.85, 0.7), (0.5, 1), (0.1, 0.9)]],
    4: [[(0.6, 0), (0.1, 0.6), (0.9, 0.6)], [(0.65, 0.35), (0.65, 1)]],
    5: [[(0.85, 0), (0.2, 0), (0.15, 0.45), (0.6, 0.4), (0.85, 0.7), (0.5, 1), (0.1, 0.9)]],
    6: [[(0.7, 0), (0.3, 0.4), (0.2, 0.75), (0.5, 1), (0.8, 0.75), (0.5, 0.55), (0.22, 0.75)]],
    7: [[(0.1, 0), (0.9, 0), (0.4, 1)]],
    9: [[(0.8, 0.2), (0.45, 0), (0.2, 0.25), (0.5, 0.5), (0.8, 0.2), (0.75, 0.6), (0.6, 1)]],
}


def drawing(
    digit: int,
    pen: float = 22,
    box: tuple[float, float, float, float] = (80, 50, 200, 230),
    size: tuple[int, int] = (280, 280),
    paper: int = 0,
    ink: int = 255,
    slant: float = 0.0,
) -> np.ndarray:
    """A digit as grey pixels: pen width, place, colours and slant as asked."""
    image = Image.new("L", size, paper)
    pencil = ImageDraw.Draw(image)
    left, top, right, bottom = box
    for path in PATHS[digit]:
        points = [
            (left + (x + slant * (0.5 - y)) * (right - left), top + y * (bottom - top))
            for x, y in path
        ]
        pencil.line(points, fill=ink, width=round(pen), joint="curve")
        for x, y in points:
            pencil.ellipse([x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2], fill=ink)
    return np.asarray(image)


def read_by_network(digit: Digit) -> int:
    """The class that the shipped network gives it, by NumPy."""
    network = open_network("classic")
    pixels = network.card.fit(digit.pixels)
    return int(reference_trace(network.graph, weights_at(network.last), pixels).output.argmax())


def assert_made_like_mnist(digit: Digit) -> None:
    """Fits a 20×20 box, strongest ink 1, centre of mass within a pixel of the middle."""
    rows, columns = np.nonzero(digit.pixels)
    assert digit.pixels.shape == (28, 28)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
    assert max(np.ptp(rows), np.ptp(columns)) + 1 >= 18
    assert digit.pixels.max() == 1
    mass = digit.pixels / digit.pixels.sum()
    centre = [mass.sum(axis=1) @ np.arange(28) + 0.5, mass.sum(axis=0) @ np.arange(28) + 0.5]
    np.testing.assert_allclose(centre, 14, atol=1.0)


@pytest.mark.parametrize("number", PATHS)
@pytest.mark.parametrize(
    "way",
    [
        {},
        {"box": (10, 10, 60, 90)},
        {"box": (210, 200, 260, 270), "pen": 10},
        {"box": (20, 15, 260, 265)},
        {"pen": 8},
        {"pen": 36},
        {"slant": 0.4},
        {"slant": -0.25},
    ],
    ids=["plain", "off-centre", "small", "large", "thin", "thick", "slanted", "back-slanted"],
)
def test_a_drawing_becomes_a_digit_made_like_mnist(number: int, way: dict) -> None:
    assert_made_like_mnist(ink_to_digit(drawing(number, **way)))


def test_drawings_are_read_whatever_pen_and_place() -> None:
    """The shipped network reads at least 95% of the drawings; most mistakes would be ours."""
    ways = [
        {"pen": pen, "box": box, "slant": slant}
        for pen in (12, 22, 32)
        for box in ((80, 50, 200, 230), (20, 30, 140, 160), (150, 120, 255, 260))
        for slant in (-0.1, 0.0, 0.25)
    ]
    right = [
        read_by_network(ink_to_digit(drawing(number, **way))) == number
        for number in PATHS
        for way in ways
    ]
    assert np.mean(right) >= 0.95


def test_an_mnist_digit_enlarged_comes_back_as_it_was() -> None:
    for image in load_mnist().x_test[:50]:
        enlarged = np.repeat(np.repeat(image, 10, axis=0), 10, axis=1)
        again = ink_to_digit(enlarged).bytes
        # The original crop is 20 wide or high; a pixel of placement and the filter's softness.
        best = min(
            np.abs(np.roll(again, (dy, dx), (0, 1)).astype(int) - image).mean()
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
        )
        assert best < 12


def test_the_same_drawing_in_grey_rgb_and_rgba_is_the_same_digit() -> None:
    grey = drawing(3)
    rgb = np.repeat(grey[..., None], 3, axis=-1)
    clear = np.dstack([np.full_like(rgb, 255), grey])  # white ink on nothing
    digits = [ink_to_digit(pixels).bytes for pixels in (grey, grey[..., None], rgb, clear)]
    for digit in digits[1:]:
        np.testing.assert_allclose(digit.astype(int), digits[0], atol=1)


def test_nothing_drawn_is_no_digit() -> None:
    with pytest.raises(NoInk):
        ink_to_digit(np.zeros((280, 280, 4), np.uint8))


def test_a_canvas_full_of_ink_is_a_full_square() -> None:
    digit = ink_to_digit(np.full((280, 280), 255, np.uint8))
    expected = np.zeros((28, 28), np.float32)
    expected[4:24, 4:24] = 1
    np.testing.assert_array_equal(digit.pixels, expected)


def test_a_single_dot_is_a_digit_too() -> None:
    dot = np.zeros((280, 280), np.uint8)
    dot[100, 200] = 255
    assert ink_to_digit(dot).pixels.max() == 1


@pytest.mark.parametrize("shape", [(28,), (28, 28, 2), (28, 28, 5), (0, 28), (2, 28, 28, 3)])
def test_other_arrays_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InkError, match="Received"):
        ink_to_digit(np.zeros(shape, np.uint8))


def test_floats_are_refused() -> None:
    with pytest.raises(InkError, match="float64"):
        ink_to_digit(np.zeros((28, 28)))


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)))
def test_any_pixels_give_a_digit_or_no_ink(pixels: np.ndarray) -> None:
    for paper in ("black", "any"):
        try:
            digit = ink_to_digit(pixels, paper=paper)
        except NoInk:
            continue
        assert digit.pixels.max() == 1
        assert np.isfinite(digit.pixels).all()


def test_otsu_parts_two_heaps() -> None:
    values = np.concatenate([np.full(90, 0.1), np.full(10, 0.8)])
    assert 0.1 < otsu_threshold(values) <= 0.8


# Pictures


def as_file(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def photo(number: int, *, light: bool, shadow: bool, noise: float = 4.0) -> np.ndarray:
    """A phone's picture of a pen's digit: uneven light, noise."""
    paper, ink = (215, 60) if light else (45, 210)
    size = (640, 480)
    image = drawing(number, 16, (250, 120, 380, 340), size, paper, ink).astype(float)
    rows, columns = np.mgrid[: size[1], : size[0]]
    image *= 0.8 + 0.2 * columns / size[0]
    if shadow:
        image *= np.where(columns + 0.5 * rows > 420, 0.55, 1.0)
    image += np.random.default_rng(number).normal(0, noise, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("light", [True, False], ids=["light paper", "dark paper"])
@pytest.mark.parametrize("shadow", [False, True], ids=["even", "shadowed"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_photos_are_read(light: bool, shadow: bool, kind: str) -> None:
    pictures = [photo(n, light=light, shadow=shadow and light) for n in PATHS]
    digits = [picture_to_digit(as_file(picture, kind)) for picture in pictures]
    for digit in digits:
        assert_made_like_mnist(digit)
    assert np.mean([read_by_network(d) == n for d, n in zip(digits, PATHS, strict=True)]) >= 8 / 9


def test_a_ballpoint_line_is_still_there_after_scaling() -> None:
    page = drawing(7, 4, (200, 100, 700, 900), (1000, 1000), 250, 40)
    digit = picture_to_digit(as_file(page))
    assert read_by_network(digit) == 7
    assert digit.pixels.sum() > 40


def test_transparent_pictures_are_read_by_what_is_painted() -> None:
    grey = drawing(2)
    black_on_nothing = np.dstack([np.zeros((*grey.shape, 3), np.uint8), grey])
    assert read_by_network(picture_to_digit(as_file(black_on_nothing))) == 2


def test_a_16_bit_picture_is_read() -> None:
    deep = 60_000 - drawing(7).astype(np.uint16) * 200
    assert read_by_network(picture_to_digit(as_file(deep))) == 7


def test_a_phone_held_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera says: turn by 90° clockwise
    lying = np.rot90(drawing(7, paper=240, ink=20))
    assert read_by_network(picture_to_digit(as_file(lying, "JPEG", exif=exif))) == 7


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.fromarray(drawing(n, paper=255, ink=0)) for n in (3, 7)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert read_by_network(picture_to_digit(file.getvalue())) == 3


def test_a_large_picture_is_read_small() -> None:
    assert max(read_picture(as_file(np.zeros((2000, 3000), np.uint8))).shape[:2]) == 1024


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_has_no_digit(value: int) -> None:
    with pytest.raises(NoInk):
        picture_to_digit(as_file(np.full((100, 100), value, np.uint8)))


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size; hardly any data follows."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [5_001, 20_000, 2_000_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    with pytest.raises(PictureTooLarge):
        read_picture(png_claiming(side, side))


def test_a_huge_file_is_refused_unopened() -> None:
    with pytest.raises(PictureTooLarge, match=r"10\.0 MB; pictures up to 10 MB"):
        read_picture(bytes(MAX_PICTURE_BYTES + 1))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_truncated_picture_is_refused(kind: str) -> None:
    whole = as_file(np.random.default_rng(0).integers(0, 255, (200, 200)).astype(np.uint8), kind)
    with pytest.raises(UnreadablePicture):
        read_picture(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    "file",
    [b"", b"hello", b"%PDF-1.7", b"GIF89a" + bytes(100), b"<svg></svg>", b"\x89PNG\r\n\x1a\n"],
)
def test_what_is_no_picture_is_refused(file: bytes) -> None:
    with pytest.raises(UnreadablePicture) as caught:
        read_picture(file)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]))
def test_no_bytes_do_worse_than_be_refused(rest: bytes, start: bytes) -> None:
    with pytest.raises(InkError):
        picture_to_digit(start + rest)


@given(st.data())
@settings(max_examples=300)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_no_damage_to_a_picture_does_worse_than_be_refused(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(SMALL_FILES)))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        digit = picture_to_digit(bytes(damaged))
    except InkError:
        return
    assert digit.pixels.max() == 1


def small_files() -> list[bytes]:
    """A little picture in each format, with an EXIF block to damage."""
    exif = Image.Exif()
    exif[0x0112] = 8
    exif[0x010E] = "a digit"
    little = drawing(5, 6, (16, 10, 40, 46), (56, 56))
    return [as_file(little, kind, exif=exif) for kind in ("PNG", "JPEG", "WEBP")]


SMALL_FILES = small_files()


# What the canvas sends


def as_data_url(file: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(file).decode()


def test_a_canvas_payload_becomes_the_digit_that_was_drawn() -> None:
    grey = drawing(4)
    clear = np.dstack([np.full((*grey.shape, 3), 255, np.uint8), grey])
    digit = canvas_to_digit(as_data_url(as_file(clear)), 280)
    assert digit.source == "drawn"
    assert read_by_network(digit) == 4


@pytest.mark.parametrize(
    "payload",
    [
        None,
        7,
        "",
        "data:image/png;base64,",
        "data:image/png;base64,%%%",
        as_data_url(b"no picture"),
        as_data_url(as_file(drawing(4), "JPEG")),
        as_data_url(as_file(drawing(4))[:300]),
        as_data_url(as_file(drawing(4, size=(300, 280)))),
        as_data_url(png_claiming(100_000, 100_000)),
        "javascript:alert(1)",
    ],
)
def test_a_strange_canvas_payload_is_refused_in_one_sentence(payload: object) -> None:
    with pytest.raises(InkError) as caught:
        canvas_to_digit(payload, 280)
    assert "\n" not in str(caught.value)
