"""Many maps as one small picture: tiled, coloured through a table, encoded once."""

import io
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnn_core.views.colour import LEVELS, Scale, colour_levels, colour_table

STRIP = 32  # units in a row of a flat layer's picture
_GAP = LEVELS  # palette index of the transparent lines between tiles


@dataclass(frozen=True)
class Picture:
    """A PNG at one pixel a value, to be enlarged by the browser without smoothing.

    Attributes
    ----------
    png : the file.
    width, height : in pixels.
    limit : the value of the brightest colour.
    scale : its colours; ``"signed"`` runs from −limit, through 0, to limit, the others from 0.
    """

    png: bytes
    width: int
    height: int
    limit: float
    scale: Scale


def feature_map_atlas(
    maps: NDArray,
    limit: float | None = None,
    each_its_own: bool = False,
    columns: int | None = None,
    signed: bool | None = None,
) -> Picture:
    """All feature maps of a layer side by side.

    Parameters
    ----------
    maps : `(H, W, C)` float.
    limit : value of the brightest colour; by default the greatest magnitude in `maps`.
    each_its_own : give every map a scale of its own, so that weak ones can be seen; the picture's
        limit is then 1, the share of each map's greatest magnitude.
    columns : maps in a row; by default as many as make the picture about square.
    signed : the scale; by default signed if any value is below 0.

    Notes
    -----
    Map `k` stands in row `k // columns`, column `k % columns`.
    """
    if each_its_own:
        greatest = np.abs(maps).max(axis=(0, 1), keepdims=True)
        maps = np.divide(maps, greatest, out=np.zeros_like(maps), where=greatest > 0)
        limit = 1.0
    height, width, count = maps.shape
    columns = columns or atlas_columns(count)
    rows = -(-count // columns)
    limit, scale = _scale(maps, limit, signed)
    levels = np.full((rows * columns, height + 1, width + 1), _GAP, np.uint8)
    # (H, W, C) -> (C, H, W), each with a gap below and to the right
    levels[:count, :height, :width] = np.moveaxis(colour_levels(maps, limit, scale), -1, 0)
    # (rows, columns, H, W) -> (rows · H, columns · W)
    tiled = levels.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    sheet = tiled.reshape(rows * (height + 1), columns * (width + 1))[:-1, :-1]
    return _picture(sheet, limit, scale)


def atlas_columns(count: int) -> int:
    """How many of `count` maps stand in a row of an atlas."""
    return max(1, ceil(sqrt(count)))


def atlas_box(
    shape: tuple[int, int, int], channel: int, columns: int | None = None
) -> tuple[int, int, int, int]:
    """Left, top, width and height of a map in the atlas of maps of `shape`."""
    height, width, count = shape
    row, column = divmod(channel, columns or atlas_columns(count))
    return column * (width + 1), row * (height + 1), width, height


def atlas_cell(
    shape: tuple[int, int, int], x: int, y: int, columns: int | None = None
) -> tuple[int, int, int] | None:
    """The cell ``(row, column, channel)`` at a pixel of the atlas; None in a gap or beyond."""
    height, width, count = shape
    columns = columns or atlas_columns(count)
    tile_column, column = divmod(x, width + 1)
    tile_row, row = divmod(y, height + 1)
    channel = tile_row * columns + tile_column
    inside = row < height and column < width and 0 <= channel < count
    return (row, column, channel) if inside and tile_column < columns else None


def map_picture(values: NDArray, limit: float, signed: bool) -> Picture:
    """One map `(H, W)` on a scale that others share."""
    scale: Scale = "signed" if signed else "activation"
    return _picture(colour_levels(values, limit, scale), limit, scale)


def vector_picture(vector: NDArray, limit: float | None = None) -> Picture:
    """The units of a flat layer as a strip, `STRIP` a row; empty cells see-through."""
    count = len(vector)
    columns = max(1, min(count, STRIP))
    limit, scale = _scale(vector, limit)
    levels = np.full(-(-count // columns) * columns, _GAP, np.uint8)
    levels[:count] = colour_levels(vector, limit, scale)
    return _picture(levels.reshape(-1, columns), limit, scale)


def digit_picture(pixels: NDArray) -> Picture:
    """A digit as it is: white ink on black. `pixels` is `(28, 28)` in [0, 1]."""
    return _picture(colour_levels(pixels, 1.0, "ink"), 1.0, "ink")


def sheet(images: NDArray[np.uint8], columns: int) -> Picture:
    """Images `(n, H, W)` side by side without gaps, to be cut apart again by the browser.

    Image `k` stands in row `k // columns`, column `k % columns`.
    """
    count, height, width = images.shape
    rows = -(-count // columns)
    whole = np.zeros((rows * columns, height, width), np.uint8)
    whole[:count] = images
    # (rows, columns, H, W) -> (rows · H, columns · W)
    tiled = whole.reshape(rows, columns, height, width).swapaxes(1, 2)
    return digit_picture(tiled.reshape(rows * height, columns * width) / 255)


def ink_outline(pixels: NDArray) -> str:
    """Where ink, 0.5 and more, meets paper: the path of an SVG whose unit is a pixel.

    Parameters
    ----------
    pixels : `(H, W)` in [0, 1].
    """
    ink = np.pad(pixels >= 0.5, 1)
    across = zip(*np.nonzero(ink[1:, 1:-1] != ink[:-1, 1:-1]), strict=True)
    down = zip(*np.nonzero(ink[1:-1, 1:] != ink[1:-1, :-1]), strict=True)
    return "".join(
        [*(f"M{x} {y}h1" for y, x in across), *(f"M{x} {y}v1" for y, x in down)],
    )


def _scale(values: NDArray, limit: float | None, signed: bool | None = None) -> tuple[float, Scale]:
    if signed is None:
        signed = bool(values.size and values.min() < 0)
    scale: Scale = "signed" if signed else "activation"
    if limit is None:
        limit = float(np.abs(values).max()) if values.size else 0.0
    return limit, scale


def _picture(levels: NDArray[np.uint8], limit: float, scale: Scale) -> Picture:
    image = Image.fromarray(levels)
    image.putpalette([*colour_table(scale).reshape(-1).tolist(), *(0, 0, 0)])
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1, transparency=_GAP)
    return Picture(file.getvalue(), image.width, image.height, limit, scale)
