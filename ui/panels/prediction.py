"""What the network answers: the predicted class and all probabilities."""

from html import escape

import numpy as np
import streamlit as st

from cnn_core.probe.trace import Trace
from ui.panels import html

_SHOWN = 10  # of many classes, those with the greatest probability


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
    """All probabilities as bars with their values; the greatest of more than `_SHOWN`."""
    best = int(trace.output.argmax())
    classes: list[int] = list(range(len(class_names)))
    if len(classes) > _SHOWN:
        classes = np.argsort(-trace.output, kind="stable")[:_SHOWN].tolist()
    rows = "".join(
        f'<div role="listitem" class="cs-row {"cs-best" if k == best else ""}" '
        f'data-value="{share!r}">'
        f'<span class="cs-class">{escape(class_names[k])}</span>'
        f'<span class="cs-track"><span class="cs-bar" style="width:{share:.4%}"></span></span>'
        f'<span class="cs-number">{html.percent(share)}</span></div>'
        for k, share in ((k, float(trace.output[k])) for k in classes)
    )
    rest = len(class_names) - len(classes)
    named = " cs-named" if max(map(len, class_names)) > 2 else ""
    with st.container(key=key):
        st.html(
            f'<div class="cs-bars{named}" role="list" '
            f'aria-label="Probability of each class">{rows}</div>'
            + (
                f'<p class="cs-note">The {len(classes)} greatest of {len(class_names)}.</p>'
                if rest
                else ""
            )
        )
