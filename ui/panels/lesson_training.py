"""Training within a lesson: the course's recipe at a button, and learning by heart."""

from functools import lru_cache

import numpy as np
import streamlit as st

from cnn_core.course.text import load_words
from cnn_core.data.mnist import load_mnist
from cnn_core.errors import ConvScopeError
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.reference import reference_trace
from cnn_core.training.config import COURSE
from cnn_core.training.runs import Runs
from cnn_core.views.charts import chart_of
from cnn_core.views.figures import figure
from ui import ask, state
from ui.panels.evaluation import PLAIN
from ui.panels.training_live import training_live

_BY_HEART = 200  # of the training digits, looked at again


def recipe() -> None:
    """The course's recipe: a button that starts it, and the run as it goes."""
    ask.trainings().warm()
    words = load_words()["page"]
    runs, _ = Runs().all(state.owner())
    followed = state.run(runs)
    st.button(
        words["start_recipe"],
        key="lesson-train",
        type="primary" if followed is None else "secondary",
        icon=":material/play_arrow:",
        on_click=_start,
        help=words["recipe_help"].format(
            optimizer=COURSE.optimizer, epochs=COURSE.epochs, batch=COURSE.batch_size
        ),
    )
    if followed is None:
        st.caption(
            words["recipe_goes_on"].format(steps=f"{COURSE.total_steps:,}", batch=COURSE.batch_size)
        )
    else:
        training_live(followed)


def _start() -> None:
    try:
        state.follow_run(ask.start_training(COURSE, None, state.owner()).id)
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def two_curves() -> None:
    """A network that saw 48,000 digits beside one that saw the same 1,000 sixty times."""
    ids = ("classic_plain", "classic_overfit")
    networks = {id: open_network(id) for id in ids}
    lines = {}
    for network in networks.values():
        steps = np.array(sorted(network.card.accuracy))
        right = np.array([network.card.accuracy[int(step)] for step in steps])
        lines[network.card.title] = (steps, right)
    words = load_words()["page"]
    chart = chart_of(words["tests_right"], lines, percent=True, marks=True)
    st.plotly_chart(figure(chart), key="lesson-curves", config=PLAIN, alt=chart.title)
    own, tests, gap = (words[name] for name in ("of_own", "of_tests", "gap"))
    rows = []
    for id, network in networks.items():
        known, others = by_heart(id), network.card.accuracy[network.last.step]
        rows.append(
            {words["network"]: network.card.title, own: known, tests: others, gap: known - others}
        )
    st.dataframe(
        rows,
        hide_index=True,
        key="lesson-by-heart",
        column_config={
            name: st.column_config.NumberColumn(format="percent") for name in (own, tests, gap)
        },
        alt=words["gap"],
    )
    st.caption(words["first_of_own"].format(count=_BY_HEART))


@lru_cache(maxsize=8)
def by_heart(id: str) -> float:
    """Share right among the first digits of the training, which the network has seen."""
    network, mnist = open_network(id), load_mnist()
    weights = weights_at(network.last)
    images = mnist.read("x_train")[:_BY_HEART]  # the others, 47 MB, are not kept for them
    said = [
        int(reference_trace(network.graph, weights, image).output.argmax())
        for image in network.card.fit_all(images)
    ]
    return float(np.mean(said == mnist.y_train[:_BY_HEART]))
