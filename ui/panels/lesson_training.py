"""Training within a lesson: the course's recipe at a button, and learning by heart."""

from functools import lru_cache

import numpy as np
import streamlit as st

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
    runs, _ = Runs().all(state.owner())
    followed = state.run(runs)
    st.button(
        "Start the recipe",
        key="lesson-train",
        type="primary" if followed is None else "secondary",
        icon=":material/play_arrow:",
        on_click=_start,
        help=f"{COURSE.optimizer}, {COURSE.epochs} epochs, batches of {COURSE.batch_size}",
    )
    if followed is None:
        st.caption(
            f"{COURSE.total_steps:,} steps of {COURSE.batch_size} digits. It goes on by itself "
            "while you read; every page can look through the network meanwhile."
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
    chart = chart_of("Right of 10,000 test digits", lines, percent=True, marks=True)
    st.plotly_chart(figure(chart), key="lesson-curves", config=PLAIN, alt=chart.title)
    st.dataframe(
        [
            {
                "network": network.card.title,
                "of its own training digits": by_heart(id),
                "of 10,000 test digits": network.card.accuracy[network.last.step],
                "gap": by_heart(id) - network.card.accuracy[network.last.step],
            }
            for id, network in networks.items()
        ],
        hide_index=True,
        key="lesson-by-heart",
        column_config={
            name: st.column_config.NumberColumn(format="percent")
            for name in ("of its own training digits", "of 10,000 test digits", "gap")
        },
        alt="Digits right, among those trained on and among others",
    )
    st.caption(f"The first {_BY_HEART} of the digits that both were trained on.")


@lru_cache(maxsize=8)
def by_heart(id: str) -> float:
    """Share right among the first digits of the training, which the network has seen."""
    network, mnist = open_network(id), load_mnist()
    weights = weights_at(network.last)
    said = [
        int(reference_trace(network.graph, weights, image).output.argmax())
        for image in network.card.fit_all(mnist.x_train[:_BY_HEART])
    ]
    return float(np.mean(said == mnist.y_train[:_BY_HEART]))
