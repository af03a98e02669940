"""The three colour scales of ConvScope, as tables.

Ink is white on black. Activations run dark → bright on a perceptually uniform scale from 0. Signed
values run from blue (−) through a light neutral (0) to orange (+). All are safe for colour-blind
eyes.
"""

from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

LEVELS = 255  # odd, so that a signed scale has a middle; index 255 is left for gaps

Scale = Literal["ink", "activation", "signed"]
SCALES: tuple[Scale, ...] = get_args(Scale)

_BLUE_NEUTRAL_ORANGE = ["#123f7c", "#6f9fd8", "#f3f1ec", "#ee9a4d", "#9a3f06"]


@lru_cache(maxsize=3)
def colour_table(scale: Scale) -> NDArray[np.uint8]:
    """The colours from the least to the greatest value, `(255, 3)` uint8."""
    # Here, not above: the first page is painted before Matplotlib is imported.
    from matplotlib import colormaps
    from matplotlib.colors import Colormap, LinearSegmentedColormap

    colours: Colormap = colormaps["gray" if scale == "ink" else "magma"]
    if scale == "signed":
        colours = LinearSegmentedColormap.from_list("signed", _BLUE_NEUTRAL_ORANGE)
    table: NDArray[np.uint8] = np.ascontiguousarray(
        colours(np.linspace(0, 1, LEVELS), bytes=True)[:, :3]
    )
    table.setflags(write=False)
    return table


def colour_levels(values: NDArray, limit: float, scale: Scale) -> NDArray[np.uint8]:
    """Each value's row in the table, uint8 in [0, 254].

    Parameters
    ----------
    values : any shape.
    limit : the value of the brightest colour; a signed scale runs from −limit to limit. With 0,
        everything has the colour of zero.
    """
    lowest = -limit if scale == "signed" else 0.0
    if limit <= 0:
        return np.full(values.shape, LEVELS // 2 if scale == "signed" else 0, np.uint8)
    share = np.clip((values - lowest) / (limit - lowest), 0, 1)
    # Not a number is drawn as zero.
    share = np.nan_to_num(share, nan=0.5 if scale == "signed" else 0.0)
    return np.rint(share * (LEVELS - 1)).astype(np.uint8)
