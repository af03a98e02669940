"""Train a network live: set it up, follow it, pause it, take a step apart."""

import streamlit as st

from cnn_core.data.datasets import DATASETS
from cnn_core.errors import ConvScopeError
from cnn_core.training.run_state import LIVING
from cnn_core.training.runs import Runs
from ui import ask, state
from ui.panels.own_digits import before_and_after, own_digits
from ui.panels.training_live import training_live
from ui.panels.training_runs import runs_table
from ui.panels.training_setup import training_setup

st.title("Train", anchor=False)
st.caption("Watch a network learn. Every page can look through it meanwhile.")

ask.trainings().warm()
cluster = ask.cluster()
if cluster is not None and cluster.state == "dead":
    with st.container(key="cluster"):
        st.caption(cluster.sentence)
runs, damaged = Runs().all(state.owner())
followed = state.run(runs)
if followed is not None and followed.state.word in LIVING:
    state.follow_run(followed.id)  # also when it has ended: nothing is to jump then
folded = followed is not None and state.follows(followed)

with st.expander("Set-up", expanded=not folded, key=f"setup-{folded}"):
    config = training_setup()
    drawings = own_digits(DATASETS[config.dataset if config else "mnist"])


def start() -> None:
    try:
        if config is not None:
            state.follow_run(ask.start_training(config, drawings, state.owner()).id)
            state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


st.button(
    "Start training",
    key="train-start",
    type="primary",
    icon=":material/play_arrow:",
    disabled=config is None,
    on_click=start,
)

if followed is not None:
    st.header(followed.name, anchor=False)
    training_live(followed)
    before_and_after(followed)

runs_table(runs, damaged)
