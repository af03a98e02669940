"""A picture of maps whose cells can be pointed at and chosen, by mouse, finger or keyboard."""

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from cnn_core.views.atlas import Picture

_HERE = Path(__file__).parent

_cell_picker = st.components.v2.component(
    "convscope_cell_picker",
    html='<div class="picker"></div>',
    css=(_HERE / "cell_picker.css").read_text("utf-8"),
    js=(_HERE / "cell_picker.js").read_text("utf-8"),
)

Box = tuple[int, int, int, int]
"""Left, top, width, height in the picture's own pixels."""


def cell_picker(
    picture: Picture,
    alt: str,
    *,
    key: str,
    on_pick: Callable[[], None],
    side: int,
    boxes: Sequence[Box] = (),
    values: Sequence[float] | None = None,
) -> None:
    """Show the picture; what was chosen stands in ``st.session_state[key]["pick"]`` as `[x, y]`.

    Parameters
    ----------
    alt : what it shows, for those who cannot see it.
    on_pick : called when a cell was chosen. What arrives is to be checked.
    side : screen pixels that the longer side may take.
    boxes : drawn in the accent colour around what is chosen.
    values : what stands in each pixel, row by row, to be read under the pointer.
    """
    data: dict[str, Any] = {
        "src": "data:image/png;base64," + base64.b64encode(picture.png).decode(),
        "width": picture.width,
        "height": picture.height,
        "scale": max(1, side // max(picture.width, picture.height)),
        "boxes": [list(box) for box in boxes],
        "values": None if values is None else list(values),
        "alt": alt,
    }
    _cell_picker(key=key, data=data, on_pick_change=on_pick)
