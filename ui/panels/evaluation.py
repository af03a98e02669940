"""How good the network is: the evaluation that other panels read, and its scores."""

from functools import lru_cache

import numpy as np
import streamlit as st

from cnn_core.data.digit import image_of
from cnn_core.data.images import TEST_IMAGES
from cnn_core.errors import ConvScopeError, NoTestImages
from cnn_core.insight.kept import kept_evaluation
from cnn_core.insight.scores import Evaluation, wilson
from cnn_core.lab.requests import EvaluationRequest, Request
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.views.charts import chart_of
from cnn_core.views.figures import figure
from ui import state
from ui.panels.study import study

PLAIN = {"displayModeBar": False}
"""For charts that are looked at, not worked on."""


@lru_cache(maxsize=8)
def _kept(ref: NetworkRef) -> Evaluation | None:
    return kept_evaluation(ref)


def untested(ref: NetworkRef) -> bool:
    """Whether there is nothing to test the network with; then says so."""
    try:
        _ = open_network(ref.id).tested_on
    except NoTestImages as error:
        st.caption(str(error))
        return True
    return False


def known(ref: NetworkRef) -> Evaluation | None:
    """The evaluation, if it has been made."""
    found = _kept(ref)
    if found is None:
        _kept.cache_clear()  # what is not there yet may be there next time
    return found


def evaluated(
    ref: NetworkRef,
    key: str = "evaluate",
    also: tuple[Request, ...] = (),
    at_once: bool = False,
) -> Evaluation | None:
    """The evaluation, if there is one; else the way to one.

    Parameters
    ----------
    key, also, at_once : as of `study`.
    """
    found = known(ref)
    if found is None:
        found = study(
            EvaluationRequest(ref),
            f"Evaluate on the {TEST_IMAGES:,} {open_network(ref.id).tested_on.tests}",
            key,
            "A second or two; the result is kept",
            also,
            at_once,
        )
    return found


def scores(found: Evaluation) -> None:
    """Accuracy with its interval, loss, and precision, recall and F1 by class."""
    network, ref = open_network(state.network().id), state.network()
    count, right = len(found.labels), int(found.right.sum())
    low, high = wilson(right, count)
    with st.container(key="accuracy"):
        st.html(
            f'<p class="cs-prediction"><strong>{found.accuracy:.2%}</strong> '
            f"<span>of {count:,} {network.tested_on.tests} right, {count - right:,} wrong. 95% "
            f"interval {low:.2%} to {high:.2%}. Loss {found.loss:.4f}.</span></p>"
        )
    left, right_side = st.columns([3, 2])
    with left:
        st.dataframe(
            [
                {
                    "class": name,
                    "precision": float(found.precision[k]),
                    "recall": float(found.recall[k]),
                    "F1": float(found.f1[k]),
                    "tested": int(np.sum(found.labels == k)),
                }
                for k, name in enumerate(network.card.class_names)
            ],
            hide_index=True,
            height=388,
            column_config={
                name: st.column_config.NumberColumn(format="percent", help=words)
                for name, words in {
                    "precision": "Of those it called so, how many are",
                    "recall": "Of those that are, how many it called so",
                    "F1": "The harmonic mean of the two",
                }.items()
            },
            alt="Precision, recall and F1 by class",
        )
    with right_side:
        card = network.card
        steps = sorted(card.accuracy)
        if not steps:
            return  # an uploaded network says nothing of its training
        chart = chart_of(
            "Right, over the training",
            {"share right": (np.array(steps), np.array([card.accuracy[step] for step in steps]))},
            percent=True,
            marks=True,
            at=float(ref.step),
        )
        st.plotly_chart(figure(chart), key="accuracy-film", config=PLAIN, alt=chart.title)
        st.caption(f"On {card.accuracy_of}. The line is the moment looked at.")


def take_digit(key: str, stay: bool = False) -> None:
    """A test image that the browser sent; it may be anything. Without `stay`, on to Layers."""
    pick = st.session_state[key].get("pick")
    if type(pick) is int:
        look_at(pick, stay)
    else:
        state.notify("What arrived names no test image.")


def look_at(number: int, stay: bool = False) -> None:
    """Put a test image of the network's data set under the lens; without `stay`, in Layers."""
    try:
        state.choose_digit(image_of(open_network(state.network().id).tested_on, number))
        if not stay:
            st.session_state["go-to"] = "pages/layers.py"
    except ConvScopeError as error:
        state.notify(str(error))


def go_on() -> None:
    """Open the page that a click asked for."""
    page = st.session_state.pop("go-to", None)
    if page is not None:
        st.switch_page(f"../{page}")
