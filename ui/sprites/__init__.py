"""Digits to choose from: thumbnails that are buttons, each with a line below it."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.views.atlas import digit_picture

_HERE = Path(__file__).parent

_sprites = st.components.v2.component(
    "convscope_sprites",
    html='<div class="sprites"></div>',
    css=(_HERE / "sprites.css").read_text("utf-8"),
    js=(_HERE / "sprites.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class Sprite:
    """One thumbnail.

    Attributes
    ----------
    id : what comes back when it is chosen.
    caption : below it; may be empty.
    words : for those who cannot see it.
    """

    id: int
    caption: str
    words: str


def sprites(
    images: NDArray[np.uint8],
    each: Sequence[Sprite],
    *,
    key: str,
    on_pick: Callable[[], None],
) -> None:
    """Show the thumbnails; the chosen one's id stands in ``st.session_state[key]["pick"]``.

    Parameters
    ----------
    images : `(n, H, W)`.
    on_pick : called when one was chosen. What arrives is to be checked.
    """
    sheet = digit_picture(images.reshape(-1, images.shape[2]) / 255)  # one below the other
    _sprites(
        key=key,
        data={
            "src": "data:image/png;base64," + base64.b64encode(sheet.png).decode(),
            "height": images.shape[1],
            "width": images.shape[2],
            "each": [[one.id, one.caption, one.words] for one in each],
        },
        on_pick_change=on_pick,
    )
