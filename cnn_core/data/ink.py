"""Ink on paper, or on a canvas, made into a digit the way MNIST was made.

LeCun et al., Proc. IEEE 86 (1998), section III.A: the digit is scaled to fit a 20×20 box, keeping
its aspect, and placed by its centre of mass in 28×28. A network trained on MNIST has seen nothing
else, so this matters more than the network.
"""

import base64
import binascii
import io
import warnings
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image, ImageFilter, UnidentifiedImageError

from cnn_core.data.digit import Digit
from cnn_core.data.images import SIDE
from cnn_core.errors import InkError, NoInk, PictureTooLarge, UnreadablePicture

MAX_PICTURE_BYTES = 10_000_000
MAX_PICTURE_PIXELS = 25_000_000

BOX = 20  # MNIST's digits fit a box of this side
_FAINTEST = 0.1  # ink weaker than this share of the strongest does not count when cropping
_WORKING_SIDE = 256  # photos are looked at in this size
_LEAST_CONTRAST = 0.15  # of paper and ink; below it a picture counts as blank
_THINNEST = 0.07  # stroke width in shares of the digit's height; thinner pens are thickened

# What the camera notes as its orientation (EXIF 0x112) → how to turn the picture upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow has to say of a visitor's damaged picture is said on the page, not in the log.
warnings.filterwarnings("ignore", module=r"PIL\.")

Paper = Literal["black", "any"]
Ink = NDArray[np.floating]


def ink_to_digit(pixels: NDArray[np.uint8], source: str = "drawn", paper: Paper = "black") -> Digit:
    """Pixels with ink in them → the digit that a network gets.

    Parameters
    ----------
    pixels : uint8; `(H, W)` or `(H, W, 1)` grey, `(H, W, 3)` RGB or `(H, W, 4)` RGBA.
    source : what the digit says of its origin.
    paper : ``"black"`` for a canvas, where brightness is ink as it stands; ``"any"`` for pictures
        of paper, light or dark, evenly lit or not.

    Raises
    ------
    NoInk : nothing is drawn.
    InkError : not such an array.
    """
    rgba = _as_rgba(pixels)
    ink = _brightness(rgba) if paper == "black" else _ink_on_paper(rgba)
    return Digit.of_bytes(_centred(_fit_box(_crop(ink))), source)


def _as_rgba(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Any accepted array as `(H, W, 4)`."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or 0 in pixels.shape:
        raise InkError(
            "Ink is an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8. "
            f"Received: {pixels.shape} {pixels.dtype}."
        )
    colours = pixels[..., None] if pixels.ndim == 2 else pixels
    if colours.shape[-1] == 1:
        colours = np.repeat(colours, 3, axis=-1)
    if colours.shape[-1] == 3:
        opaque = np.full((*colours.shape[:2], 1), 255, np.uint8)
        colours = np.concatenate([colours, opaque], axis=-1)
    if colours.shape[-1] != 4:
        raise InkError(f"Ink has 1, 3 or 4 channels. Received: {colours.shape[-1]}.")
    return colours


def _brightness(rgba: NDArray[np.uint8]) -> Ink:
    """Luma (ITU-R BT.601) over black, in [0, 1]."""
    colours = np.divide(rgba, 255, dtype=np.float32)
    return (colours[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)) * colours[..., 3]


def _ink_on_paper(rgba: NDArray[np.uint8]) -> Ink:
    """How strongly each point of a picture is inked, whatever the paper and the light."""
    alpha = np.divide(rgba[..., 3], 255, dtype=np.float32)
    if np.mean(alpha < 0.5) > 0.5:  # mostly see-through: what is painted is the ink
        return _despeckled(alpha)
    brightness = _brightness(rgba) + (1 - alpha)  # the rest stands on white
    low, middle, high = np.percentile(brightness, [0.5, 50, 99.5])
    if high - low < _LEAST_CONTRAST:
        raise NoInk("There is no digit in this picture: it is all of one tone.")
    light_paper = middle > (low + high) / 2
    page = _resized_to_side(brightness if light_paper else 1 - brightness, _WORKING_SIDE)
    darkness = np.clip(1 - page / _lighting(page), 0, 1)
    threshold = otsu_threshold(darkness)
    if darkness.max() < _LEAST_CONTRAST:
        raise NoInk("There is no digit in this picture: ink and paper can hardly be told apart.")
    full = float(darkness[darkness > threshold].mean())
    faint = 0.6 * threshold
    ink = np.clip((darkness - faint) / (full - faint), 0, 1)
    return _thickened(_despeckled(ink))


def _lighting(page: Ink) -> Ink:
    """The brightness that bare paper would have, at each point of `page`.

    A running median over half the page: paper is the most of it, and a median keeps the edge of a
    shadow where it is. Never below half of the bright paper's level, so that broad ink stays ink.
    """
    small = Image.fromarray(np.uint8(_resized_to_side(page, 64) * 255))
    window = max(3, min(small.size) // 2) // 2 * 2 + 1
    median = small.filter(ImageFilter.MedianFilter(window))
    median = median.resize(page.shape[::-1], Image.Resampling.BILINEAR)
    floor = 0.5 * np.percentile(page, 90)
    return np.maximum(np.asarray(median, np.float32) / 255, max(float(floor), 1e-3))


def otsu_threshold(values: Ink) -> float:
    """The threshold in [0, 1] that best parts `values` in two classes. Otsu, IEEE SMC-9 (1979)."""
    counts, edges = np.histogram(values, 256, (0, 1))
    middles = (edges[:-1] + edges[1:]) / 2
    below = counts.cumsum()
    above = below[-1] - below
    sum_below = (counts * middles).cumsum()
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = sum_below / below - (sum_below[-1] - sum_below) / above
        between = np.nan_to_num(below * above * gap**2, nan=0.0)
    return float(edges[1:][between.argmax()])


def _despeckled(ink: Ink) -> Ink:
    """Without stray points, which would spoil the crop: fewer than 4 inked in 5×5."""
    inked = np.pad((ink > 0.3).astype(np.uint8), 2)
    near = sliding_window_view(inked, (5, 5)).sum(axis=(2, 3))
    return np.where(near >= 4, ink, 0)


def _thickened(ink: Ink) -> Ink:
    """Ballpoint lines widened to what scaling to 20×20 leaves visible."""
    inked = ink > 0.5
    if not inked.any():
        return ink
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    height = max(np.ptp(rows), np.ptp(columns)) + 1
    core = inked.copy()  # inked points whose four neighbours are inked too
    core[1:] &= inked[:-1]
    core[:-1] &= inked[1:]
    core[:, 1:] &= inked[:, :-1]
    core[:, :-1] &= inked[:, 1:]
    outline = inked.sum() - core.sum()
    width = 2 * inked.sum() / max(outline, 1)
    missing = int(_THINNEST * height - width)
    if missing <= 0:
        return ink
    image = Image.fromarray(np.uint8(np.rint(ink * 255)))
    return np.asarray(image.filter(ImageFilter.MaxFilter(missing // 2 * 2 + 3)), np.float32) / 255


def _resized_to_side(ink: Ink, side: int) -> Ink:
    """Scaled down, if need be, so that the longer side is `side`."""
    height, width = ink.shape
    scale = min(1.0, side / max(height, width))
    return _resized(ink, max(1, round(height * scale)), max(1, round(width * scale)))


def _resized(ink: Ink, height: int, width: int) -> Ink:
    image = Image.fromarray(np.ascontiguousarray(ink, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def _crop(ink: Ink) -> Ink:
    """The smallest box around the ink."""
    strongest = ink.max()
    if strongest < _FAINTEST:
        raise NoInk("There is no ink yet: draw a digit.")
    inked = ink > _FAINTEST * strongest
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _fit_box(ink: Ink) -> Ink:
    """Scaled so that its longer side is 20, its strongest point 1."""
    height, width = ink.shape
    scale = BOX / max(height, width)
    fitted = _resized(ink, max(1, round(height * scale)), max(1, round(width * scale)))
    return np.clip(fitted / fitted.max(), 0, 1)


def _centred(ink: Ink) -> NDArray[np.uint8]:
    """Placed in 28×28 so that its centre of mass is as near the middle as whole pixels allow."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    height, width = ink.shape
    mass = ink.sum()
    row = float((ink.sum(axis=1) @ (np.arange(height) + 0.5)) / mass)
    column = float((ink.sum(axis=0) @ (np.arange(width) + 0.5)) / mass)
    top = int(np.clip(round(SIDE / 2 - row), 0, SIDE - height))
    left = int(np.clip(round(SIDE / 2 - column), 0, SIDE - width))
    image[top : top + height, left : left + width] = np.rint(ink * 255)
    return image


def read_picture(
    file: bytes,
    formats: tuple[str, ...] = ("PNG", "JPEG", "WEBP"),
    size: tuple[int, int] | None = None,
) -> NDArray[np.uint8]:
    """A picture file → `(H, W, 4)` uint8, upright, scaled down to 1024 at most.

    An animation gives its first frame. Nothing is decoded before its size is known to be at most
    `MAX_PICTURE_BYTES` and `MAX_PICTURE_PIXELS`.

    Parameters
    ----------
    formats : those that are accepted, as Pillow names them.
    size : width and height that it must have; None for any.

    Raises
    ------
    PictureTooLarge, UnreadablePicture : one sentence says why.
    """
    if len(file) > MAX_PICTURE_BYTES:
        raise PictureTooLarge(
            f"This file has {len(file) / 1e6:.1f} MB; pictures up to "
            f"{MAX_PICTURE_BYTES // 1_000_000} MB can be read."
        )
    try:
        opened = Image.open(io.BytesIO(file), formats=formats)
        _check_size(opened.size, size)
        opened.draft("RGB", (1024, 1024))  # lets a JPEG be decoded small
        opened.load()
        image: Image.Image = opened
        if image.mode.startswith("I"):  # 16-bit grey
            image = Image.fromarray(np.right_shift(np.asarray(image), 8).astype(np.uint8))
        elif image.mode in ("P", "1"):
            image = image.convert("RGBA")  # a palette cannot be scaled
        image.thumbnail((1024, 1024))  # before any other copy is made
        turn = _UPRIGHT.get(opened.getexif().get(0x112, 1))
        image = (image if turn is None else image.transpose(turn)).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise PictureTooLarge("This picture unpacks to far too many pixels.") from error
    except UnidentifiedImageError as error:
        names = ", ".join(formats).replace("WEBP", "WebP")
        raise UnreadablePicture(f"This is not a picture of a known kind ({names}).") from error
    except InkError:
        raise
    except Exception as error:  # a decoder given hostile bytes may raise anything
        why = str(error).strip().partition("\n")[0].rstrip(".")
        raise UnreadablePicture(f"This picture is damaged and cannot be read: {why}.") from error
    return np.asarray(image)


def _check_size(found: tuple[int, int], wanted: tuple[int, int] | None) -> None:
    width, height = found
    if width * height > MAX_PICTURE_PIXELS:
        raise PictureTooLarge(
            f"This picture has {width:,} × {height:,} pixels; up to "
            f"{MAX_PICTURE_PIXELS // 1_000_000} million can be read."
        )
    if wanted is not None and wanted != found:
        raise UnreadablePicture(
            f"This picture has {width:,} × {height:,} pixels, expected {wanted[0]} × {wanted[1]}."
        )


def picture_to_digit(file: bytes) -> Digit:
    """An uploaded picture of a digit → the digit. Raises `InkError` with one sentence."""
    return ink_to_digit(read_picture(file), "uploaded", paper="any")


def canvas_to_digit(data_url: object, side: int) -> Digit:
    """What a canvas of `side` × `side` sent → the digit.

    The browser sent it, so anything may stand there; it is checked before it is decoded.

    Raises
    ------
    NoInk : the canvas is blank.
    UnreadablePicture, PictureTooLarge : it is not a PNG of that size.
    """
    prefix = "data:image/png;base64,"
    if not isinstance(data_url, str) or not data_url.startswith(prefix):
        raise UnreadablePicture("The drawing that arrived is not a PNG picture.")
    if len(data_url) > MAX_PICTURE_BYTES:
        raise PictureTooLarge("The drawing that arrived is far too large.")
    try:
        file = base64.b64decode(data_url[len(prefix) :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadablePicture("The drawing that arrived is not a PNG picture.") from error
    return ink_to_digit(read_picture(file, ("PNG",), (side, side)), "drawn", paper="black")
