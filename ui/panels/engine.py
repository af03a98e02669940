"""One quiet line that says who computed what is shown, while it is not Keras."""

import time
from html import escape

import streamlit as st

from cnn_core.probe.trace import Trace
from ui import ask

_LOOK_AGAIN_SECONDS = 1.0


def engine_line(trace: Trace) -> None:
    """Nothing when Keras answered. Else why NumPy did; the page follows when the lab is there."""
    with st.container(key="engine"):
        if trace.engine != "keras":
            st.session_state["numpy-since"] = time.monotonic()
            _wait_for_lab()


@st.fragment(run_every=_LOOK_AGAIN_SECONDS)
def _wait_for_lab() -> None:
    status = ask.lab_status()
    waited = time.monotonic() - st.session_state["numpy-since"]
    # Not at once: this runs inside the page's own run first, which a rerun would repeat for ever.
    if status.state == "ready" and waited > _LOOK_AGAIN_SECONDS / 2:
        st.rerun()
    if status.state == "down":
        st.html(
            '<p class="cs-engine">Computed by NumPy: TensorFlow cannot be started. '
            f"{escape(status.message)} Drawing and looking work all the same.</p>"
        )
    else:
        st.html(
            '<p class="cs-engine">Computed by NumPy, to within rounding, '
            "while TensorFlow starts…</p>"
        )
