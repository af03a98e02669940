"""How good the network is, and where it fails."""

from functools import partial

import streamlit as st

from cnn_core.networks.zoo import open_network
from cnn_core.notebooks.evaluate import evaluate_cells
from ui import state
from ui.panels.calibration import calibration
from ui.panels.comparison import comparison
from ui.panels.embedding import embedding
from ui.panels.evaluation import evaluated, go_on, known, scores, untested
from ui.panels.export import notebook_button
from ui.panels.guess import guess
from ui.panels.mistakes import mistakes
from ui.panels.robustness import robustness

go_on()
st.title("Evaluate", anchor=False)
st.caption("How good is it, where does it fail, and does it know when it does?")

OF_AN_EVALUATION = {"Scores": scores, "Mistakes": mistakes, "Calibration": calibration}
OTHERS = {"Guess": guess, "Map": embedding, "Robustness": robustness}
PARTS = ("Scores", "Mistakes", "Guess", "Calibration", "Map", "Robustness", "Compare")

part = st.segmented_control(
    "Part", PARTS, default="Scores", required=True, key="evaluate-part",
    persist_state="session", label_visibility="collapsed",
)  # fmt: skip
ref = state.network()
if part == "Compare":
    comparison()
elif untested(ref):
    pass
elif part in OTHERS:
    OTHERS[part]()
else:
    # Not for every moment that a playing film passes through.
    found = evaluated(ref, at_once=ref.whole == open_network(ref.id).last)
    if found is not None:
        OF_AN_EVALUATION[part or "Scores"](found)
evaluation = known(ref)
if evaluation is None:
    notebook_button(None, "evaluate", "Evaluate the network first")
else:
    notebook_button(partial(evaluate_cells, ref, evaluation), f"evaluate-{ref.id}")
