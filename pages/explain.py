"""Why this answer, and how little it takes to change it."""

import streamlit as st

from ui import ask, state
from ui.panels.attributions import explain_notebook, explained
from ui.panels.engine import engine_line
from ui.panels.export import notebook_button
from ui.panels.fooling import fool_it, paint_it, vary_it

st.title("Explain", anchor=False)
st.caption("Six methods say why. Each is put to the test.")

ref, digit = state.network(), state.digit()
answer = ask.trace(ref, digit)
found = explained(ref, digit, answer.trace)
fool_it(ref, digit)
vary_it(ref, digit)
paint_it(digit, answer.trace)
engine_line(answer)
notebook_button(
    explain_notebook(ref, digit, found) if found is not None else None,
    f"explain-{ref.id}",
    "There is nothing explained to take along" if found is None else "",
)
