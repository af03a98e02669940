"""Why this answer, and how little it takes to change it."""

import streamlit as st

from ui import ask, state
from ui.panels.attributions import explained
from ui.panels.engine import engine_line
from ui.panels.fooling import fool_it, paint_it, vary_it

st.title("Explain", anchor=False)
st.caption("Six methods say why. Each is put to the test.")

ref, digit = state.network(), state.digit()
answer = ask.trace(ref, digit)
explained(ref, digit, answer.trace)
fool_it(ref, digit)
vary_it(ref, digit)
paint_it(digit, answer.trace)
engine_line(answer)
