"""Activation functions: their curves, where they are flat, and what they do to a real map."""

import re

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.networks.zoo import open_network
from cnn_core.probe.functions import FUNCTIONS, slope, softmax
from cnn_core.probe.geometry import CONVOLUTIONS
from cnn_core.views.charts import chart_of
from cnn_core.views.figures import figure, histogram_figure
from ui import ask, state
from ui.panels import html
from ui.panels.evaluation import PLAIN

NAMES = ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "sigmoid", "tanh", "softplus")
_COURSE = "-2, -1, 0, 1, 2"
_FLAT = 0.01  # a slope below this lets next to nothing of a gradient pass
_MOST = 16  # numbers in the vector


def try_activation() -> None:
    st.session_state.setdefault("act-name", "relu")  # a lesson may have set another
    name = st.segmented_control(
        "Function", (*NAMES, "softmax"), required=True, key="act-name",
        persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    vector = _vector()
    if name == "softmax":
        _softmax(vector)
        return
    name = name if name in NAMES else "relu"
    x = np.linspace(-5, 5, 401)
    left, right = st.columns(2, gap="large")
    curves = chart_of(
        f"{name} and its slope",
        {"value": (x, FUNCTIONS[name](x)), "slope": (x, slope(name, x))},
        across="input",
    )
    left.plotly_chart(figure(curves), key="act-curve", config=PLAIN, alt=curves.title)
    rows = [
        {"input": float(one), "value": float(value), "slope": float(steep)}
        for one, value, steep in zip(
            vector, FUNCTIONS[name](vector), slope(name, vector), strict=True
        )
    ]
    right.dataframe(rows, hide_index=True, key="act-table", alt=f"{name} of the vector")
    flat = np.abs(slope(name, x)) < _FLAT
    right.caption(
        "Nowhere between −5 and 5 is it flat."
        if not flat.any()
        else f"Between −5 and 5 it is flat, with a slope below {_FLAT:g}, {_where(x, flat)}: "
        "gradients vanish there."
    )
    _on_a_map(name)


def _where(x: NDArray, flat: NDArray[np.bool_]) -> str:
    """The flat stretches in words."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(int)))
    parts = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        low, high = x[start], x[end - 1]
        if start == 0:
            parts.append(f"below {html.number(float(high))}")
        elif end == len(x):
            parts.append(f"above {html.number(float(low))}")
        else:
            parts.append(f"around {html.number(float(low + high) / 2)}")
    return " and ".join(parts)


def _vector() -> NDArray[np.float64]:
    """The numbers to try it on; the course's, unless others can be read."""
    text = st.text_input("On the vector", _COURSE, key="act-vector", width=320, max_chars=200)
    try:
        numbers = [
            float(word.replace("−", "-")) for word in re.split(r"[,;\s]+", text.strip()) if word
        ]
        if not 1 <= len(numbers) <= _MOST or not all(abs(one) <= 1e6 for one in numbers):
            raise ValueError
    except ValueError:
        st.error(f"A vector is 1 to {_MOST} numbers with commas between. The course’s is used.")
        numbers = [-2, -1, 0, 1, 2]
    return np.array(numbers, np.float64)


def _softmax(vector: NDArray[np.float64]) -> None:
    temperature = st.slider("Temperature", 0.1, 10.0, 1.0, 0.1, key="act-temperature", width=320)
    shares = softmax(vector / float(temperature))
    powers = np.exp((vector - vector.max()) / float(temperature))
    st.dataframe(
        [
            {"input": float(one), "e^((input − greatest) / T)": float(power), "share": float(share)}
            for one, power, share in zip(vector, powers, shares, strict=True)
        ],
        hide_index=True,
        key="act-table",
        column_config={"share": st.column_config.ProgressColumn(format="percent", max_value=1.0)},
        alt="Softmax of the vector",
    )
    st.caption(
        f"The exponentials sum to {html.number(float(powers.sum()))}; each one’s share of that is "
        "its answer. A low temperature lets the greatest take all, a high one makes them equal."
    )


def _on_a_map(name: str) -> None:
    """What it would do to numbers that a convolution of the network has just computed."""
    ref = state.network()
    graph = open_network(ref.id).graph
    layers = [spec.name for spec in graph if spec.kind in CONVOLUTIONS]
    if not layers:
        st.caption("The network in the sidebar has no convolution to try it on.")
        return
    st.header("On real numbers", anchor=False)
    layer = st.selectbox("Of the layer", layers, key="act-layer", width=200)
    traced = ask.trace(ref, state.digit()).trace[layer]
    before = traced.output if traced.pre_activation is None else traced.pre_activation
    after = FUNCTIONS[name](before.astype(np.float64))
    steep = np.abs(slope(name, before))
    st.plotly_chart(
        histogram_figure(
            f"{layer} on your digit, {before.size:,} numbers",
            {"before": before.reshape(-1), f"after {name}": after.reshape(-1)},
        ),
        key="act-histogram",
        config=PLAIN,
        alt="How often each number occurs, before and after",
    )
    st.caption(
        f"Zeros: {np.mean(before == 0):.0%} before, {np.mean(after == 0):.0%} after. Where the "
        f"slope is below {_FLAT:g} no gradient passes: {np.mean(steep < _FLAT):.0%} of them."
    )
