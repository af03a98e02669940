"""One quiet line that says who computed what is shown, while it is not Keras."""

import time
from html import escape

import streamlit as st

from ui import ask

_LOOK_AGAIN_SECONDS = 1.0


def engine_line(answer: ask.Answer) -> None:
    """Nothing when Keras answered. Else why NumPy did; the page follows when the lab is there."""
    with st.container(key="engine"):
        if answer.passing:
            _wait_for_lab(answer.trouble, time.monotonic())
        elif answer.trouble:
            _say(answer.trouble)


@st.fragment(run_every=_LOOK_AGAIN_SECONDS)
def _wait_for_lab(trouble: str, since: float) -> None:
    status = ask.lab_status()
    # Not at once: this runs inside the page's own run first, which a rerun would repeat for ever.
    if status.state == "ready" and time.monotonic() - since > _LOOK_AGAIN_SECONDS / 2:
        st.rerun()
    if status.state == "down":
        trouble = f"TensorFlow cannot be started. {status.message}"
    _say(trouble)


def _say(trouble: str) -> None:
    st.html(
        '<p class="cs-engine" role="status">'
        f"Computed by NumPy, to within rounding. {escape(trouble)}</p>"
    )
