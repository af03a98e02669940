"""The two colour scales of ConvScope, as tables.

Activations run dark → bright on a perceptually uniform scale from 0. Signed values run from blue
(−) through a light neutral (0) to orange (+). Both are safe for colour-blind eyes.
"""

from functools import lru_cache

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, LinearSegmentedColormap
from numpy.typing import NDArray

LEVELS = 255  # odd, so that a signed scale has a middle; index 255 is left for gaps

_SIGNED = LinearSegmentedColormap.from_list(
    "blue-neutral-orange", ["#123f7c", "#6f9fd8", "#f3f1ec", "#ee9a4d", "#9a3f06"]
)


@lru_cache(maxsize=2)
def colour_table(signed: bool) -> NDArray[np.uint8]:
    """The scale as `(255, 3)` uint8, from its least to its greatest value."""
    scale: Colormap = _SIGNED if signed else colormaps["magma"]
    colours = scale(np.linspace(0, 1, LEVELS), bytes=True)[:, :3]
    table: NDArray[np.uint8] = np.ascontiguousarray(colours)
    table.setflags(write=False)
    return table


def colour_levels(values: NDArray, limit: float, signed: bool) -> NDArray[np.uint8]:
    """Each value's row in the table, uint8 in [0, 254].

    Parameters
    ----------
    values : any shape.
    limit : the value of the brightest colour; a signed scale runs from −limit to limit. With 0,
        everything has the colour of zero.
    """
    lowest = -limit if signed else 0.0
    if limit <= 0:
        return np.full(values.shape, LEVELS // 2 if signed else 0, np.uint8)
    share = np.clip((values - lowest) / (limit - lowest), 0, 1)
    return np.rint(np.nan_to_num(share) * (LEVELS - 1)).astype(np.uint8)
