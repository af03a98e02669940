"""From LeNet to DenseNet: small versions of famous networks, looked through on one's own digit."""

import streamlit as st

from ui import ask, state
from ui.panels.architecture import architecture_picker, drawn, idea, layer_table, overview
from ui.panels.engine import engine_line
from ui.panels.evaluation import go_on
from ui.panels.export import network_code
from ui.panels.ideas import idea_at_work
from ui.panels.network import whole_network

go_on()
st.title("Architectures", anchor=False)
st.caption("Famous ideas at a size that fits the screen, trained, with your own digit in them.")

network = architecture_picker()
if network is None:
    overview()
else:
    idea(network)
    answer = ask.trace(state.network(), state.digit())
    whole_network(answer.trace, state.unit(), compact=True)
    table, block = st.columns([3, 2], gap="large")
    with table:
        st.header("Layer by layer", anchor=False)
        layer_table(network.graph)
    with block:
        st.header("One block alone", anchor=False)
        drawn(network)
    network_code(network, state.network())
    idea_at_work(network, answer.trace)
    engine_line(answer)
