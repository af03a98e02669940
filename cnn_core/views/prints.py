"""Pictures for paper: sharp cells, titles and a legend, as PNG or SVG."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnn_core.views.colour import Scale, colour_table

Form = Literal["png", "svg"]
_DOTS = 300  # an inch
_INCHES = 1.1  # a tile's side


@dataclass(frozen=True, eq=False)
class Tile:
    """One map of a print.

    Attributes
    ----------
    values : `(H, W)`.
    title : above it; may be empty.
    box : left, top, width and height of an outline in cells.
    """

    values: NDArray
    title: str = ""
    box: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, eq=False)
class Print:
    """Tiles in rows on one colour scale.

    Attributes
    ----------
    title : of the whole.
    columns : tiles in a row.
    scale, limit : as in `views.atlas.Picture`.
    """

    title: str
    tiles: Sequence[Tile]
    columns: int
    scale: Scale
    limit: float

    def file(self, form: Form) -> bytes:
        """The picture as a file; SVG keeps its letters as text."""
        # Here, not above: pages are painted before Matplotlib is imported.
        from matplotlib import rc_context
        from matplotlib.colors import ListedColormap
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        columns = min(self.columns, len(self.tiles))
        rows = -(-len(self.tiles) // columns)
        figure = Figure(
            figsize=(max(3.0, columns * _INCHES + 0.9), rows * (_INCHES + 0.2) + 0.6),
            layout="compressed",
        )
        axes = figure.subplots(rows, columns, squeeze=False).reshape(-1)
        colours = ListedColormap(colour_table(self.scale) / 255)
        limit = self.limit or 1.0
        lowest = -limit if self.scale == "signed" else 0.0
        for axis in axes:
            axis.set_axis_off()
        for axis, tile in zip(axes, self.tiles, strict=False):
            drawn = axis.imshow(
                np.nan_to_num(tile.values), cmap=colours, vmin=lowest, vmax=limit,
                interpolation="nearest",
            )  # fmt: skip
            if tile.title:
                axis.set_title(tile.title, fontsize=7, pad=2)
            if tile.box is not None:
                left, top, width, height = tile.box
                axis.add_patch(
                    Rectangle(
                        (left - 0.5, top - 0.5), width, height, fill=False, edgecolor="#0b7a75"
                    )
                )
        bar = figure.colorbar(drawn, ax=axes.tolist(), shrink=min(1.0, 1.6 / rows), aspect=16)
        bar.ax.tick_params(labelsize=7)
        figure.suptitle(self.title, fontsize=9)
        file = io.BytesIO()
        with rc_context({"svg.fonttype": "none"}):
            figure.savefig(file, format=form, dpi=_DOTS)
        return file.getvalue()
