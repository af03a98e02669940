"""Pixels to be painted and erased one by one: the digit's own 28×28, or a small grid."""

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.images import SIDE
from cnn_core.errors import InkError

_HERE = Path(__file__).parent

_painter = st.components.v2.component(
    "convscope_painter",
    html='<div class="painter"></div>',
    css=(_HERE / "painter.css").read_text("utf-8"),
    js=(_HERE / "painter.js").read_text("utf-8"),
)


def painter(image: NDArray[np.uint8], *, key: str, on_paint: Callable[[], None]) -> None:
    """Show the pixels. What was painted stands in ``st.session_state[key]["image"]``.

    Parameters
    ----------
    image : `(side, side)`.
    on_paint : called after each stroke. What arrives is to be read with `painted`.
    """
    pixels = base64.b64encode(image.tobytes()).decode()
    _painter(key=key, data={"image": pixels, "side": len(image)}, on_image_change=on_paint)


def painted(sent: object, side: int = SIDE) -> NDArray[np.uint8]:
    """The pixels that the browser sent, `(side, side)`.

    Raises
    ------
    InkError : it is no such image.
    """
    try:
        if not isinstance(sent, str) or len(sent) > 4 * side * side:
            raise ValueError
        content = base64.b64decode(sent, validate=True)
        return np.frombuffer(content, np.uint8).reshape(side, side)
    except ValueError as error:
        raise InkError(f"What arrived from the painted grid is no {side}×{side} image.") from error
