"""A convolution by hand: any kernel, every setting, every sum."""

import hashlib

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.errors import ConvScopeError
from cnn_core.networks.kernels import filters_of
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.arithmetic import explain_unit
from cnn_core.probe.functions import FUNCTIONS
from cnn_core.probe.single import (
    KERNELS,
    LARGEST_KERNEL,
    PADDINGS,
    Setting,
    convolution,
    separated,
)
from cnn_core.probe.trace import Trace
from ui import state
from ui.kernel_editor import edited_kernel, kernel_editor
from ui.network_view import operation_view
from ui.panels import html
from ui.panels.arithmetic import unit_arithmetic
from ui.panels.try_source import source_image
from ui.panels.words import shape_sum

_LEARNED = "a learned filter"
_OWN = "your own"
_ACTIVATIONS = [name for name in FUNCTIONS if name not in ("softmax", "swish")]


def try_convolution(folded: bool = False) -> None:
    """A kernel, how it moves, and what comes out.

    Parameters
    ----------
    folded : hide what is seldom changed, where there is little room.
    """
    kernel = _kernel()
    left, right = st.columns([2, 3], gap="large")
    with left:
        image = source_image()
        _edit(kernel)
        if folded:
            with st.expander("Stride, padding and more", key="try-more"):
                setting = _setting()
        else:
            setting = _setting()
    with right:
        try:
            trace = convolution(image, kernel, setting)
        except ConvScopeError as error:
            st.error(str(error))
            return
        show_operation(trace, "convolution")
    _facts(trace, kernel)


def show_operation(trace: Trace, name: str) -> None:
    """The operation in a network view, and the arithmetic of the cell that is chosen."""
    layer = trace[name]
    strongest = np.unravel_index(int(np.abs(layer.output).argmax()), layer.output.shape)
    unit = st.session_state.get(f"{name}-unit")
    if (
        unit is None
        or len(unit) != layer.output.ndim
        or (np.array(unit) >= layer.output.shape).any()
    ):
        unit = tuple(int(i) for i in strongest)
    picture = hashlib.sha256(
        b"".join([*(one.output.tobytes() for one in trace), repr(layer.spec.config).encode()])
    ).hexdigest()[:16]
    with st.container(key=f"try-{name}"):
        operation_view(
            trace,
            key=f"{name}-view",
            on_unit=lambda: _take_unit(name),
            picture=picture,
            selected=(name, unit),
        )
    with st.expander("The same as text", key=f"{name}-arithmetic"):
        unit_arithmetic(trace, explain_unit(trace, name, unit), ())


def _take_unit(name: str) -> None:
    """A unit of the operation that the browser sent. It may be anything."""
    sent = st.session_state[f"{name}-view"].get("unit")
    index = sent.get("index") if isinstance(sent, dict) else None
    if (
        isinstance(index, list)
        and len(index) <= 3
        and all(type(i) is int and i >= 0 for i in index)
    ):
        if sent.get("layer") == name:
            st.session_state[f"{name}-unit"] = tuple(index)
        state.notify("")
    else:
        state.notify("What arrived from the view names no unit.")


def _kernel() -> NDArray[np.float32]:
    """The kernel as it was last edited or taken."""
    found: NDArray[np.float32] = st.session_state.setdefault("try-kernel", KERNELS["identity"])
    return found


def _edit(kernel: NDArray[np.float32]) -> None:
    """Presets, size, and the numbers themselves."""
    size = len(kernel)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.selectbox(
            "Kernel",
            [_OWN, *KERNELS, _LEARNED],
            key="try-preset",
            width=200,
            on_change=_take_preset,
        )
        st.number_input(
            "Rows and columns", 1, LARGEST_KERNEL, size, key=f"try-size-{size}", width=160,
            on_change=lambda: _resize(st.session_state[f"try-size-{size}"]),
        )  # fmt: skip
    if st.session_state["try-preset"] == _LEARNED:
        _learned()
    kernel_editor(kernel, key=f"try-kernel-editor-{size}", on_edit=lambda: _take(size))


def _learned() -> None:
    """Which filter of the network, and which of its channels."""
    graph, weights = open_network(state.network().id).graph, weights_at(state.network())
    names = [
        spec.name
        for spec in graph
        if spec.kind == "Conv2D"
        and spec.weights["kernel"][0] == spec.weights["kernel"][1] <= LARGEST_KERNEL
    ]
    if not names:
        st.caption("This network has no convolution to take one from.")
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        layer = st.selectbox("Layer", names, key="try-layer", width=200)
        filters = filters_of(graph[layer], weights)  # (k, k, channels, filters)
        channel = st.number_input(
            "Channel", 0, filters.shape[2] - 1, 0, key=f"try-channel-{layer}", width=130
        )
        which = st.number_input(
            "Filter", 0, filters.shape[3] - 1, 0, key=f"try-filter-{layer}", width=130
        )

    def take() -> None:
        place = min(int(channel), filters.shape[2] - 1), min(int(which), filters.shape[3] - 1)
        st.session_state["try-kernel"] = filters[:, :, place[0], place[1]].copy()

    st.button("Take it", key="try-take", on_click=take)


def _take_preset() -> None:
    chosen = st.session_state["try-preset"]
    if chosen in KERNELS:
        st.session_state["try-kernel"] = KERNELS[chosen]


def _resize(size: int) -> None:
    """A larger kernel has the old one in its middle, a smaller one is its middle."""
    if type(size) is not int or not 1 <= size <= LARGEST_KERNEL:
        return
    old = _kernel()
    new = np.zeros((size, size), np.float32)
    shift = (size - len(old)) // 2 if size >= len(old) else -((len(old) - size) // 2)
    for row in range(len(old)):
        for column in range(len(old)):
            if 0 <= row + shift < size and 0 <= column + shift < size:
                new[row + shift, column + shift] = old[row, column]
    st.session_state["try-kernel"] = new
    st.session_state["try-preset"] = _OWN


def _take(size: int) -> None:
    try:
        sent = st.session_state[f"try-kernel-editor-{size}"].get("kernel")
        st.session_state["try-kernel"] = edited_kernel(sent, size)
        st.session_state["try-preset"] = _OWN
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def _setting() -> Setting:
    with st.container(horizontal=True, gap="small"):
        stride = st.number_input("Stride", 1, 4, 1, key="try-stride", width=120)
        dilation = st.number_input("Dilation", 1, 4, 1, key="try-dilation", width=120)
        padding = st.selectbox("Padding", PADDINGS, key="try-padding", width=120)
        bias = st.number_input("Bias", -99.0, 99.0, 0.0, 0.1, key="try-bias", width=140)
        activation = st.selectbox("Activation", _ACTIVATIONS, key="try-activation", width=160)
    return Setting(int(stride), padding, int(dilation), float(bias), activation)


def _facts(trace: Trace, kernel: NDArray[np.float32]) -> None:
    """The size formula with its numbers, and what the kernel comes apart into."""
    spec = trace["convolution"].spec
    facts = {"Output": shape_sum(trace.graph, spec)}
    parts = separated(kernel)
    if parts is not None:
        column, row = (" ".join(html.number(value) for value in part) for part in parts)
        size = len(kernel)
        facts["Separable"] = (
            f"column ({column}) times row ({row}): {2 * size} products a cell instead of {size**2}"
        )
    facts["Sum of the kernel"] = html.number(float(kernel.sum()))
    rows = "".join(
        f"<strong>{name}</strong><span>{html.safe(text)}</span>" for name, text in facts.items()
    )
    with st.container(key="try-facts"):
        st.html(f'<div class="cs-facts">{rows}</div>')
