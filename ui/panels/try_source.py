"""What an operation is tried on: the digit under the lens, or a small grid that one paints."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.errors import ConvScopeError
from ui import state
from ui.painter import painted, painter

GRID = 12
_DIGIT, _PAINTED = "The digit", "A small grid"


def source_image() -> NDArray[np.float32]:
    """The image `(H, W)` in [0, 1] that is chosen; the grid can be painted here."""
    chosen = st.segmented_control(
        "On", (_DIGIT, _PAINTED), default=_DIGIT, required=True, key="try-on",
        persist_state="session",
    )  # fmt: skip
    if chosen != _PAINTED:
        return state.digit().pixels
    grid: NDArray[np.uint8] = st.session_state.setdefault("try-grid", _corner())
    painter(grid, key="try-painter", on_paint=_take)
    return grid.astype(np.float32) / np.float32(255)


def _corner() -> NDArray[np.uint8]:
    """A level and an upright stroke that meet, to begin with."""
    grid = np.zeros((GRID, GRID), np.uint8)
    grid[3, 2:9] = 255
    grid[3:10, 8] = 255
    return grid


def _take() -> None:
    try:
        st.session_state["try-grid"] = painted(st.session_state["try-painter"].get("image"), GRID)
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))
