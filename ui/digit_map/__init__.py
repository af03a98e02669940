"""A map of test images: points that show their image when pointed at, and move with the moment."""

import base64
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.insight.results import Embedding
from cnn_core.views.atlas import digit_picture, sheet

_HERE = Path(__file__).parent
_COLUMNS = 40  # of the sheet of images
_WHOLE = 10_000  # places travel as whole numbers: -10,000 is -1

_map = st.components.v2.component(
    "convscope_digit_map",
    html='<div class="map"></div>',
    css=(_HERE / "digit_map.css").read_text("utf-8"),
    js=(_HERE / "digit_map.js").read_text("utf-8"),
)


def digit_map(
    embedding: Embedding,
    images: NDArray[np.uint8],
    steps: Sequence[int],
    names: Sequence[str],
    own: tuple[NDArray[np.float32], Sequence[NDArray[np.floating]], str],
    *,
    noun: str,
    key: str,
    on_pick: Callable[[], None],
) -> None:
    """Show the map; the chosen image's number stands in ``st.session_state[key]["pick"]``.

    Parameters
    ----------
    images : `(n, H, W)`, those of the embedding, in its order.
    steps : of its layouts.
    names : of the classes.
    own : the digit under the lens `(H, W)` in [0, 1], its place `(2,)` at each step, its words.
    noun : what one image is called.
    on_pick : called when one was chosen. What arrives is to be checked.
    """
    pixels, places, words = own
    _map(
        key=key,
        data={
            "sheet": _sheet(images.tobytes(), images.shape),
            "columns": _COLUMNS,
            "side": images.shape[1],
            "numbers": embedding.images.tolist(),
            "labels": embedding.labels.tolist(),
            "names": list(names),
            "noun": noun,
            "steps": list(steps),
            "points": [_whole(layout.points) for layout in embedding.layouts],
            "answers": [layout.answers.tolist() for layout in embedding.layouts],
            "own": {
                "image": _address(digit_picture(pixels).png),
                "places": [_whole(place) for place in places],
                "words": words,
            },
        },
        on_pick_change=on_pick,
    )


@lru_cache(maxsize=4)
def _sheet(images: bytes, shape: tuple[int, ...]) -> str:
    """The images as one picture; the same sample is drawn once."""
    return _address(sheet(np.frombuffer(images, np.uint8).reshape(shape), _COLUMNS).png)


def _whole(places: NDArray) -> list[int]:
    """x and y in turn, as whole numbers; y upwards."""
    return np.rint(np.clip(places, -2, 2) * _WHOLE).astype(int).reshape(-1).tolist()


def _address(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
