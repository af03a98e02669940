"""Pooling by hand, and how much of a shift it forgives."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.variations import shifted
from cnn_core.errors import ConvScopeError
from cnn_core.probe.single import PADDINGS, POOLINGS, l2_pooling, pooling
from cnn_core.views.atlas import map_picture
from ui.panels import html
from ui.panels.filters import legend
from ui.panels.try_convolution import show_operation
from ui.panels.try_source import source_image
from ui.panels.words import shape_sum


def try_pooling() -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        image = source_image()
        with st.container(horizontal=True, gap="small"):
            kind = st.selectbox("Pooling", POOLINGS, key="pool-kind", width=180)
            size = int(st.number_input("Window", 1, 7, 2, key="pool-size", width=120))
            stride = int(st.number_input("Stride", 1, 7, 2, key="pool-stride", width=120))
            padding = st.selectbox("Padding", PADDINGS, key="pool-padding", width=120)
    with right:
        try:
            pooled = _pooled(image, kind, size, stride, padding)
            moved = _pooled(shifted(image, 1), kind, size, stride, padding)
            if kind == "L2":
                picture = map_picture(pooled, float(pooled.max()), False)
                st.html(html.picture(picture, "L2-pooled", 320))
                legend(picture.limit, signed=False)
                st.caption("The root of the sum of squares of each window. No layer of Keras.")
            else:
                trace = pooling(image, kind, size, stride, padding)
                show_operation(trace, "pooling")
                st.caption(shape_sum(trace.graph, trace["pooling"].spec))
        except ConvScopeError as error:
            st.error(str(error))
            return
    _tolerance(image, pooled, moved)


def _pooled(
    image: NDArray[np.float32], kind: str, size: int, stride: int, padding: str
) -> NDArray[np.float32]:
    if kind == "L2":
        return l2_pooling(image, size, stride, padding)
    return pooling(image, kind, size, stride, padding)["pooling"].output


def change(before: NDArray, after: NDArray) -> float:
    """How far an image moved, as a share of its size: ‖after − before‖ / ‖before‖."""
    size = float(np.linalg.norm(before))
    return float(np.linalg.norm(after - before)) / size if size else 0.0


def _tolerance(image: NDArray[np.float32], pooled: NDArray, moved: NDArray) -> None:
    """The image shifted by a pixel: what changes before pooling, and after it."""
    before, after = change(image, shifted(image, 1)), change(pooled, moved)
    with st.container(key="pool-tolerance"):
        st.markdown(
            "Shift the image by a pixel to the right: the image itself changes by "
            f"**{before:.0%}** of its size, what is pooled by **{after:.0%}**. "
            "(‖difference‖ / ‖before‖)"
        )
