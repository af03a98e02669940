"""Coming to a card: what is looked at from then on, here and on every page."""

import streamlit as st

from cnn_core.course.lesson import View
from cnn_core.course.seen import strongest
from cnn_core.data.digit import digit_from_token
from cnn_core.networks.zoo import open_network
from cnn_core.probe.single import KERNELS
from ui import ask, state


def come_to(view: View) -> None:
    """Look at what a card is about, from now on and on every page.

    Raises
    ------
    ConvScopeError : the card names something that is not there.
    """
    if view.digit:
        state.choose_digit(digit_from_token(view.digit))
    if view.network:
        _remember_own(view.network)
        if state.network().id != view.network:
            state.choose_network(view.network)
        last = open_network(view.network).last.step
        state.choose_step(last if view.step is None else view.step)
        state.switch_off(())
    if view.layer:
        state.choose_layer(view.layer)
        if isinstance(view.unit, tuple):
            state.choose_unit(view.unit)
        elif view.unit or view.map is not None:
            output = ask.trace(state.network(), state.digit()).trace[view.layer].output
            state.choose_unit(strongest(output, view.map))
    for key, value in _presets(view).items():
        st.session_state[key] = value


def _remember_own(wanted: str) -> None:
    """The network that a person came with, before a card asked for another."""
    present = state.network()
    if present.id not in (wanted, st.session_state.get("lesson-given")):
        st.session_state["lesson-own-network"] = present
    st.session_state["lesson-given"] = wanted


def _presets(view: View) -> dict[str, object]:
    """Where the fields of a panel stand to begin with."""
    presets: dict[str, object] = {}
    options = view.options
    if "kernel" in options:
        presets |= {"try-kernel": KERNELS[options["kernel"]], "try-preset": options["kernel"]}
    if "function" in options:
        presets["act-name"] = options["function"]
    return presets
