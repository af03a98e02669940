"""The sidebar of every page: the digit and the network."""

import streamlit as st

from cnn_core.networks.zoo import open_network, shipped_networks
from cnn_core.views.atlas import digit_picture
from ui import state
from ui.panels import html
from ui.panels.digit import origin


def sidebar() -> None:
    digit = state.digit()
    with st.container(key="digit-card"):
        st.html(
            '<div class="cs-card"><span class="cs-label">Digit</span>'
            f"{html.picture(digit_picture(digit.pixels), '', 56)}"
            f"<span>{origin(digit)}</span></div>"
        )
    network = open_network(state.network().id)
    st.session_state["network-choice"] = network.id
    with st.container(key="network"):
        st.selectbox(
            "Network",
            list(shipped_networks()),
            key="network-choice",
            format_func=lambda id: open_network(id).card.title,
            on_change=_take_network,
        )
        accuracy = network.card.accuracy[state.network().step]
        st.caption(
            f"{network.graph.parameter_count:,} parameters, {accuracy:.1%} of test digits right"
        )


def _take_network() -> None:
    choice = st.session_state["network-choice"]
    if choice in shipped_networks():
        state.choose_network(open_network(choice).last)
