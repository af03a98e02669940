"""Input, flatten and dense by hand: shapes at every step, cells and positions, a unit pictured."""

import hashlib

import numpy as np
import streamlit as st

from cnn_core.errors import NoSuchUnit
from cnn_core.networks.graph import LayerSpec
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.geometry import check_index
from cnn_core.probe.single import alone
from cnn_core.probe.trace import Trace
from cnn_core.views.atlas import digit_picture, feature_map_atlas
from ui import ask, state
from ui.network_view import operation_view
from ui.panels import html
from ui.panels.filters import legend


def try_input() -> None:
    """From pixels to what a network gets: bytes, shares, colour, the batch axis."""
    digit = state.digit()
    pixels = digit.bytes
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.html(html.picture(digit_picture(digit.pixels), "The digit", 280))
        with st.container(horizontal=True, gap="small"):
            row = int(st.number_input("Row", 0, 27, 14, key="in-row", width=110))
            column = int(st.number_input("Column", 0, 27, 14, key="in-column", width=110))
    row, column = min(max(row, 0), 27), min(max(column, 0), 27)
    byte = int(pixels[row, column])
    card = open_network(state.network().id).card
    low, high = card.value_range
    share = byte / 255
    steps = [
        ("pixels, as a file holds them", "(28, 28) uint8", f"{byte}"),
        ("normalised: divided by 255", "(28, 28) float32", f"{byte} / 255 = {share:.4f}"),
        ("with a channel axis, grey", "(28, 28, 1)", f"[{share:.4f}]"),
        ("as RGB: the grey three times", "(28, 28, 3)", f"[{share:.4f}, {share:.4f}, {share:.4f}]"),
        (f"in the network’s range, {low:g} to {high:g}", "(28, 28, 1)",
         f"[{low + share * (high - low):.4f}]"),
        ("with a batch axis, one image", "(1, 28, 28, 1)", f"[0, {row}, {column}, 0]"),
        ("a batch of 64", "(64, 28, 28, 1)", f"{64 * 784:,} numbers"),
    ]  # fmt: skip
    with right:
        st.dataframe(
            [{"step": step, "shape": shape, "this pixel": text} for step, shape, text in steps],
            hide_index=True,
            alt="What becomes of a pixel on its way into the network",
        )
        st.caption(
            f"The darkest pixel is {pixels.min()}, the brightest {pixels.max()}, their mean "
            f"{pixels.mean():.1f}. Without normalising, the first sums would be 255 times as large."
        )
        if card.input_shape != (28, 28, 1):
            st.caption(
                f"{card.title} reads {html.shape(card.input_shape)}: the digit is brought to that "
                "size at its proportions, and every channel gets the same."
            )


def try_flatten() -> None:
    """Cell ↔ position, and the dense units that read them."""
    ref = state.network()
    graph, weights = open_network(ref.id).graph, weights_at(ref)
    flatten = next((spec for spec in graph if spec.kind == "Flatten"), None)
    dense = None
    if flatten is not None:
        dense = next((s for s in graph if s.kind == "Dense" and s.inputs[0] == flatten.name), None)
    if flatten is None or dense is None:
        st.caption(
            "The network in the sidebar does not flatten its maps. Choose Classic or Intro there."
        )
        return
    height, width, channels = graph[flatten.inputs[0]].output_shape
    trace = ask.trace(ref, state.digit()).trace
    key = f"flat-position-{height}-{width}-{channels}"
    _pointed(trace, flatten, key)
    left, right = st.columns([2, 3], gap="large")
    with left:
        position = st.slider(
            "Position in the row of numbers", 0, height * width * channels - 1, key=key
        )
        position = min(max(int(position), 0), height * width * channels - 1)
        row, rest = divmod(position, width * channels)
        column, channel = divmod(rest, channels)
        value = float(trace[flatten.name].output[position])
        st.html(
            '<div class="cs-facts">'
            f"<strong>Position</strong><span>{position:,} of {height * width * channels:,}</span>"
            f"<strong>Cell</strong><span>row {row}, column {column}, map {channel}</span>"
            f"<strong>There</strong><span>({row} · {width} + {column}) · {channels} + {channel} = "
            f"{position:,}</span>"
            f"<strong>Back</strong><span>{position:,} = {row} · {width * channels} + {rest}; "
            f"{rest} = {column} · {channels} + {channel}</span>"
            f"<strong>Value</strong><span>{html.number(value)}</span></div>"
        )
        st.caption("Click a cell of a map, or a number of the row, above: it is followed here.")
    kernel = weights[dense.owner]["kernel"]  # (positions, units)
    with right:
        unit = st.number_input(
            f"Unit of {dense.name}", 0, kernel.shape[1] - 1, 0, key="flat-unit", width=180
        )
        unit = min(max(int(unit), 0), kernel.shape[1] - 1)
        maps = kernel[:, unit].reshape(height, width, channels)
        picture = feature_map_atlas(maps, signed=True)
        st.html(html.picture(picture, f"Weights of unit {unit}, map by map", 480))
        legend(picture.limit)
        pushes = kernel[:, unit] * trace[flatten.name].output
        st.caption(
            f"The {maps.size:,} weights of unit {unit}. On your digit they push it up by "
            f"{html.number(float(pushes[pushes > 0].sum()))} and down by "
            f"{html.number(float(pushes[pushes < 0].sum()))}; {np.mean(pushes == 0):.0%} do not "
            "count, since what they read is 0."
        )


def flat_position(sent: object, maps: LayerSpec, flatten: LayerSpec) -> int:
    """The place in the row of a unit that the browser sent. It may be anything.

    Raises
    ------
    NoSuchUnit : it names no cell of the maps, and none of the row.
    """
    index = sent.get("index") if isinstance(sent, dict) else None
    if not isinstance(sent, dict) or not isinstance(index, list):
        raise NoSuchUnit("What arrived from the view names no cell.")
    layer = maps if sent.get("layer") == maps.name else flatten
    if not all(type(i) is int for i in index):
        raise NoSuchUnit("What arrived from the view names no cell.")
    return int(np.ravel_multi_index(check_index(layer, tuple(index)), layer.output_shape))


def _pointed(trace: Trace, flatten: LayerSpec, key: str) -> None:
    """The maps beside the row they become; a click on either chooses a position."""
    maps, view = trace[flatten.inputs[0]], f"flat-view-{key}"

    def take() -> None:
        try:
            sent = st.session_state[view].get("unit")
            st.session_state[key] = flat_position(sent, maps.spec, flatten)
            state.notify("")
        except NoSuchUnit as error:
            state.notify(str(error))

    picture = hashlib.sha256(maps.output.tobytes()).hexdigest()[:16]
    chosen = st.session_state.get(key, 0)
    with st.container(key="try-flatten"):
        operation_view(
            alone(trace, flatten.name),
            key=view,
            on_unit=take,
            picture=f"{picture}-{maps.name}",
            selected=(flatten.name, (chosen,)),
        )
