"""How good the network is, and where it fails."""

import streamlit as st

from ui import state
from ui.panels.comparison import comparison
from ui.panels.evaluation import calibration, confusion, evaluated, go_on, guess, scores
from ui.panels.robustness import robustness

go_on()
st.title("Evaluate", anchor=False)
st.caption("How good is it, where does it fail, and does it know when it does?")

PARTS = ("Scores", "Mistakes", "Guess", "Calibration", "Robustness", "Compare")
part = st.segmented_control(
    "Part", PARTS, default="Scores", required=True, key="evaluate-part",
    persist_state="session", label_visibility="collapsed",
)  # fmt: skip
if part == "Guess":
    guess()
elif part == "Robustness":
    robustness()
elif part == "Compare":
    comparison()
else:
    found = evaluated(state.network())
    if found is not None:
        {"Scores": scores, "Mistakes": confusion, "Calibration": calibration}[part or "Scores"](
            found
        )
