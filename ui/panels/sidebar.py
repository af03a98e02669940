"""The sidebar of every page: the digit, the network, the moment."""

import streamlit as st

from cnn_core.errors import ConvScopeError, UnknownStep
from cnn_core.networks.lesion import lesion_text
from cnn_core.networks.zoo import open_network
from cnn_core.views.atlas import digit_picture
from ui import state
from ui.moment import moment_slider
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
            _choices(network.id),
            key="network-choice",
            format_func=_name,
            on_change=_take_network,
        )
        st.caption(f"{network.graph.parameter_count:,} parameters. {network.card.about}")
    _lesion()
    with st.container(key="moment"):
        # A network in training may have a frame that its card does not name yet.
        steps = [step for step in network.film.steps if step in network.card.accuracy]
        if not steps:
            st.caption("It came as it is: there is no film of its training.")
            return
        moment_slider(
            network.id,
            steps,
            [network.card.accuracy[step] for step in steps],
            state.network().step,
            key="moment-slider",
            on_step=_take_step,
        )


def _lesion() -> None:
    """What is off, on every page while it is."""
    lesion = state.network().lesion
    if not lesion:
        return
    with st.container(key="lesion"):
        names = lesion_text(lesion).replace(":", " ").replace(";", "; ").replace(",", ", ")
        units = "unit is" if len(lesion) == 1 else "units are"
        st.html(
            f'<p class="cs-off"><strong>{len(lesion)} {units} off</strong> '
            f"{html.safe(names if len(names) < 90 else names[:88] + '…')}</p>"
        )
        st.button(
            "Switch all on",
            key="lesion-none",
            icon=":material/power_settings_new:",
            on_click=lambda: state.switch_off(()),
        )


def _choices(present: str) -> list[str]:
    """Those that come with ConvScope, one's own, and the present one: a link is sharing."""
    ids = state.networks()
    return ids if present in ids else [*ids, present]


def _name(id: str) -> str:
    network = open_network(id)
    share = network.card.accuracy.get(network.last.step)
    counted = f"{network.card.title}, {network.graph.parameter_count / 1000:,.0f} k"
    return counted + (f", {share:.1%} right" if share is not None else "")


def _take_network() -> None:
    try:
        state.choose_network(st.session_state["network-choice"])
    except ConvScopeError as error:
        state.notify(str(error))


def _take_step() -> None:
    """What the browser sent may be anything."""
    step = st.session_state["moment-slider"].get("step")
    try:
        if not isinstance(step, int):
            raise UnknownStep(f"A training step is a whole number. Received: {step!r:.20}.")
        state.choose_step(step)
    except ConvScopeError as error:
        state.notify(str(error))
