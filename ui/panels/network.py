"""The whole network, and what a person chose in it."""

from typing import Any

import streamlit as st

from cnn_core.errors import ConvScopeError, NoSuchUnit
from cnn_core.networks.zoo import open_network
from cnn_core.probe.geometry import Index
from cnn_core.probe.trace import Trace
from ui import state
from ui.network_view import network_view

_KEY = "network-view-whole"


def whole_network(trace: Trace, unit: Index | None, compact: bool = False) -> None:
    """The network at the present moment on the present digit.

    Parameters
    ----------
    trace : what every layer made of the digit.
    unit : the unit of the present layer to begin with; None for none.
    compact : a smaller view.
    """
    ref = state.network()
    with st.container(key="network-view"):
        network_view(
            trace,
            ref,
            open_network(ref.id).card,
            key=_KEY,
            on_unit=_take_unit,
            digit=state.digit().token,
            selected=None if unit is None else (state.layer(), unit),
            compact=compact,
        )


def _take_unit() -> None:
    """A unit that the browser sent → the chosen layer and unit. It may be anything."""
    sent: Any = st.session_state[_KEY].get("unit")
    try:
        if not (
            isinstance(sent, dict)
            and isinstance(sent.get("layer"), str)
            and isinstance(sent.get("index"), list)
            and all(type(i) is int for i in sent["index"])
        ):
            raise NoSuchUnit("What arrived from the network view names no unit.")
        state.choose_unit(tuple(sent["index"]), sent["layer"][:100])
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))
