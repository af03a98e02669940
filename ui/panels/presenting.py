"""Presenter mode: the switch for it, the turning of pages, and what a link has hidden."""

from collections.abc import Sequence

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from ui import state
from ui.present import hide, presenter

_KEY = "presenter"


def turn_page(pages: Sequence[StreamlitPage], shown: StreamlitPage) -> None:
    """Go to the next page or the one before, if that was asked for and there is one."""
    turn = st.session_state.pop("page-turn", 0)
    place = pages.index(shown) + turn
    if turn and 0 <= place < len(pages):
        st.switch_page(pages[place])


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
        presenter(_KEY, on_turn=_turn, on_leave=lambda: state.present(False))


def _turn() -> None:
    """What the browser sent may be anything."""
    turn = st.session_state[_KEY].get("turn")
    if type(turn) is int and turn in (1, -1):
        st.session_state["page-turn"] = turn
