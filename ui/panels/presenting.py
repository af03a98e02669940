"""Presenter mode: the switch for it, and what a link has hidden."""

import streamlit as st

from ui import state
from ui.present import hide, presenter


def present_switch() -> None:
    """The switch, and the way back to what a link has hidden."""
    # A switch of its own each time, deaf once it was turned otherwise: a browser that has not seen
    # Escape answered yet still sends what its switch held before, and would take it back.
    turned = st.session_state.setdefault("present-turned", (state.presenting(), 0))
    if turned[0] != state.presenting():
        turned = st.session_state["present-turned"] = (state.presenting(), turned[1] + 1)
    key = f"present-{turned[1]}"
    with st.container(key="present"):
        st.toggle(
            "Present",
            value=state.presenting(),
            key=key,
            help="For a projector: larger type, no controls. PageDown and PageUp go on and back, "
            "Escape leaves.",
            on_change=lambda: _switch(turned, key),
        )
    if state.hidden():
        st.button(
            "Show hidden controls",
            key="show-hidden",
            type="tertiary",
            help=", ".join(state.hidden()),
            on_click=lambda: state.hide(()),
        )


def _switch(turned: tuple[bool, int], key: str) -> None:
    if st.session_state["present-turned"] == turned and state.presenting() == turned[0]:
        state.present(bool(st.session_state[key]))


def dress() -> None:
    """Take out of sight what is hidden; in presenter mode, dress the page for it."""
    hide(state.hidden())
    if state.presenting():
        presenter(key="presenter", on_leave=lambda: state.present(False))
