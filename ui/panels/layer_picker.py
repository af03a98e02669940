"""Choose a layer: from the list, or one back and one on, also by key."""

import streamlit as st

from cnn_core.errors import UnknownLayer
from cnn_core.networks.graph import Graph
from ui import state
from ui.present import BACK, NEXT


def layer_picker(graph: Graph) -> None:
    names = [spec.name for spec in graph]
    here = names.index(state.layer())
    # A list of its own for each layer, deaf once another is looked at: a browser that has not seen
    # the last step yet still sends what its list held before, and would take the step back.
    choice = f"layer-choice-{here}"
    with st.container(
        horizontal=True, gap="small", vertical_alignment="center", key="layer-picker"
    ):
        with st.container(key=BACK, width="content"):
            st.button(
                "Previous",
                key="layer-previous",
                icon=":material/arrow_back:",
                disabled=here == 0,
                shortcut="P",
                on_click=lambda: _go_to(names[here - 1]),
            )
        with st.container(key=NEXT, width="content"):
            st.button(
                "Next",
                key="layer-next",
                icon=":material/arrow_forward:",
                icon_position="right",
                disabled=here == len(names) - 1,
                shortcut="N",
                on_click=lambda: _go_to(names[here + 1]),
            )
        st.segmented_control(
            "Layer",
            names,
            default=names[here],
            key=choice,
            required=True,
            label_visibility="collapsed",
            on_change=lambda: _pick(names[here], st.session_state[choice]),
        )


def _pick(shown: str, name: str) -> None:
    if state.layer() == shown:
        _go_to(name)


def _go_to(name: str) -> None:
    try:
        state.choose_layer(name)
    except UnknownLayer as error:
        state.notify(str(error))
