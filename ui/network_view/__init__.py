"""The network view: the whole network at once, every number explained under the pointer.

    Trace ── payload.py ──> bytes ──> js/network_view.js ── js/view.js ── layout, picture, overlay,
                                                                          close-up, read-out
    weights ── routes.py ──────────>      calculation.js: the arithmetic, in the browser

The page sends one digit's numbers; the browser fetches the view's code and a moment's weights
once. Only what is chosen comes back.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from cnn_core.networks.lesion import lesion_text
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import NetworkCard
from cnn_core.probe.geometry import Index
from cnn_core.probe.trace import Trace
from ui.network_view.payload import view_payload
from ui.network_view.routes import MODULE, offered_address, weights_address

_HERE = Path(__file__).parent

# A few lines only: Streamlit sends them with every digit. They fetch the modules once.
_LOADER = f"""
const app = [...document.scripts].map(script => script.src.match(/^(.*\\/)static\\/js\\//)?.[1]);
const base = app.find(Boolean) ?? new URL('.', document.baseURI).href;
const view = import(base + '{MODULE}');
export default async function (component) {{
  const {{ show, leave }} = await view;
  show(component);
  return () => leave(component.parentElement);
}}
"""

_network_view = st.components.v2.component(
    "convscope_network_view",
    html='<div class="view"></div>',
    css=(_HERE / "network_view.css").read_text("utf-8"),
    js=_LOADER,
)


def network_view(
    trace: Trace,
    ref: NetworkRef,
    card: NetworkCard,
    *,
    key: str,
    on_unit: Callable[[], None],
    digit: str,
    selected: tuple[str, Index] | None = None,
    compact: bool = False,
) -> None:
    """Show the network. What was chosen stands in ``st.session_state[key]["unit"]``.

    Parameters
    ----------
    trace : what every layer made of the digit.
    ref : the network at a moment: whose weights explain the trace.
    digit : the digit's token.
    selected : the layer and unit that the page has chosen.
    on_unit : called when another unit was chosen: ``{"layer": ..., "index": [...]}``. What arrives
        is to be checked.
    compact : a smaller view, for a page that is about something else.
    """
    payload = view_payload(
        trace,
        card.class_names,
        picture=f"{ref.id}/{ref.step}/{lesion_text(ref.lesion)}/{digit}/{trace.engine}",
        weights=weights_address(ref),
        selected=selected,
        compact=compact,
        off=ref.lesion,
    )
    _network_view(key=key, data=payload, on_unit_change=on_unit)


def operation_view(
    trace: Trace,
    *,
    key: str,
    on_unit: Callable[[], None],
    picture: str,
    selected: tuple[str, Index] | None = None,
    classes: tuple[str, ...] = (),
) -> None:
    """Show a trace that belongs to no network: an operation tried by hand, or a design.

    Parameters
    ----------
    trace : with its weights.
    picture : differs whenever anything but the selection does.
    selected, on_unit : as of `network_view`.
    classes : names of the output's units.
    """
    weights = {layer.name: dict(layer.weights) for layer in trace if layer.weights}
    payload = view_payload(
        trace,
        classes,
        picture=picture,
        weights=offered_address(weights),
        selected=selected,
        compact=True,
    )
    _network_view(key=key, data=payload, on_unit_change=on_unit)
