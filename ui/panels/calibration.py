"""Whether the network is as often right as it is sure, and what it would answer if it might
abstain."""

from functools import lru_cache

import numpy as np
import streamlit as st

from cnn_core.insight.scores import (
    Evaluation,
    answered,
    best_temperature,
    cross_entropy,
    reliability,
    tempered,
)
from cnn_core.networks.zoo import open_network
from cnn_core.views.charts import chart_of
from cnn_core.views.figures import figure, reliability_figure
from ui import state
from ui.panels.evaluation import PLAIN

_LEAST, _MOST = 0.2, 5.0  # temperatures
# Close together near 1, where a good network's answers are.
_THRESHOLDS = np.concatenate([np.linspace(0, 0.5, 11)[:-1], 1 - np.geomspace(0.5, 0.0005, 60)])


@lru_cache(maxsize=8)
def _fitted(found: Evaluation) -> float:
    """On every second test image; the others say what it is worth."""
    return best_temperature(found.probabilities[::2], found.labels[::2])


def calibration(found: Evaluation) -> None:
    """A reliability diagram at any temperature, and the trade of coverage for accuracy."""
    best = _fitted(found)
    half, labels = found.probabilities[1::2], found.labels[1::2]
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        temperature = st.slider(
            "Temperature", _LEAST, _MOST, 1.0, 0.01, key="temperature", persist_state="session",
            width=480,
            help="All logits are divided by it: above 1 the network becomes less sure. Its answers "
            "stay the same.",
        )  # fmt: skip
        st.button(
            f"Take the best, {best:.2f}",
            key="temperature-best",
            on_click=lambda: st.session_state.update(
                temperature=round(min(max(best, _LEAST), _MOST), 2)
            ),
        )
    shares = tempered(half, float(temperature))
    plain, now, fitted = (reliability(one, labels) for one in (half, shares, tempered(half, best)))
    tests = open_network(state.network().id).tested_on.tests
    st.markdown(
        f"Expected calibration error **{now.error:.2%}** at temperature {temperature:.2f} "
        f"({plain.error:.2%} at 1), cross entropy {cross_entropy(shares, labels):.4f}. The best "
        f"temperature for every second of the {tests} is **{best:.2f}**; on the other half, which "
        f"is shown, it leaves an error of {fitted.error:.2%}. (Guo and others, arXiv 1706.04599)"
    )
    left, right = st.columns(2)
    left.plotly_chart(
        reliability_figure(now.edges, now.confidence, now.accuracy, now.count),
        key="reliability",
        config=PLAIN,
        alt="Share right by confidence, and how many answers have that confidence",
    )
    with right:
        _abstain(shares, labels, tests)


def _abstain(shares: np.ndarray, labels: np.ndarray, tests: str) -> None:
    """What it answers, and how well, if it says "I don't know" below a confidence."""
    place = st.empty()
    threshold = st.slider(
        "“I don’t know” below", 0.0, 0.999, 0.9, 0.001, format="%.3f", key="threshold",
        persist_state="session",
    )  # fmt: skip
    pairs = np.array([answered(shares, labels, float(t)) for t in _THRESHOLDS])
    chart = chart_of(
        "If it may say “I don’t know”",
        {"answered": (_THRESHOLDS, pairs[:, 0]), "of those right": (_THRESHOLDS, pairs[:, 1])},
        percent=True,
        across="threshold",
        at=float(threshold),
    )
    place.plotly_chart(figure(chart), key="abstain", config=PLAIN, alt=chart.title)
    covered, correct = answered(shares, labels, float(threshold))
    said = "none" if covered == 0 else f"{correct:.2%} of those rightly"
    st.caption(f"At {threshold:.3f} it answers {covered:.2%} of the {tests}, {said}.")
