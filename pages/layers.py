"""Step through the network, layer by layer, down to the arithmetic of one unit."""

from functools import partial

import numpy as np
import streamlit as st

from cnn_core.networks.zoo import open_network
from cnn_core.notebooks.layers import layers_cells
from cnn_core.probe.arithmetic import explain_unit
from ui import ask, state
from ui.panels.arithmetic import unit_arithmetic
from ui.panels.engine import engine_line
from ui.panels.export import network_code, notebook_button
from ui.panels.layer import (
    layer_facts,
    layer_maps,
    layer_source,
    layer_statistics,
    one_map,
    unit_choice,
)
from ui.panels.layer_picker import layer_picker
from ui.panels.network import whole_network

st.title("Layers", anchor=False)
st.caption("Every layer, every map, every number. Click a cell to take it apart.")

ref, digit = state.network(), state.digit()
network = open_network(ref.id)
layer_picker(network.graph)
answer = ask.trace(ref, digit)
layer = answer.trace[state.layer()]
strongest = np.unravel_index(int(layer.output.argmax()), layer.output.shape)
unit = state.unit() or tuple(int(i) for i in strongest)

whole_network(answer.trace, unit)

with st.container(horizontal=True, gap="medium", key="layer-view"):
    with st.container():
        layer_facts(network.graph, layer.spec)
        if layer.output.ndim == 3 and layer.output.shape[-1] > 1:
            scale = st.segmented_control(
                "Colour scale",
                ["Shared", "Per map"],
                default="Shared",
                required=True,
                key="map-scale",
                persist_state="session",
                label_visibility="collapsed",
            )
        else:
            scale = "Shared"
        layer_maps(layer, unit, each_its_own=scale == "Per map")
        layer_statistics(layer)
    with st.container(key="layer-unit"):
        unit_choice(layer, unit)
        if layer.output.ndim == 3:
            one_map(layer, unit)
        unit_arithmetic(
            answer.trace, explain_unit(answer.trace, layer.name, unit), network.card.class_names
        )
layer_source(network.graph, layer.name)
network_code(network, ref)
engine_line(answer)
notebook_button(
    partial(layers_cells, ref, digit, answer.trace, layer.name, unit),
    f"layers-{ref.id}-{layer.name}",
)
