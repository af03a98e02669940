"""What the network answers: the predicted class and all probabilities."""

from html import escape

import streamlit as st

from cnn_core.probe.trace import Trace
from ui.panels import html


def prediction(trace: Trace, class_names: tuple[str, ...], key: str = "prediction") -> None:
    """The predicted class, large, with its probability."""
    best = int(trace.output.argmax())
    words = " cs-words" if len(class_names[best]) > 2 else ""
    with st.container(key=key):
        st.html(
            f'<p class="cs-prediction{words}"><strong>{escape(class_names[best])}</strong> '
            f"<span>{html.percent(float(trace.output[best]))}</span></p>"
        )


def probabilities(trace: Trace, class_names: tuple[str, ...], key: str = "probabilities") -> None:
    """All probabilities as bars with their values."""
    best = int(trace.output.argmax())
    rows = "".join(
        f'<div role="listitem" class="cs-row {"cs-best" if k == best else ""}" '
        f'data-value="{share!r}">'
        f'<span class="cs-class">{escape(class_names[k])}</span>'
        f'<span class="cs-track"><span class="cs-bar" style="width:{share:.4%}"></span></span>'
        f'<span class="cs-number">{html.percent(share)}</span></div>'
        for k, share in enumerate(map(float, trace.output))
    )
    named = " cs-named" if max(map(len, class_names)) > 2 else ""
    with st.container(key=key):
        st.html(
            f'<div class="cs-bars{named}" role="list" '
            f'aria-label="Probability of each class">{rows}</div>'
        )
