"""Draw a digit and see what the network makes of it."""

from functools import partial

import streamlit as st

from cnn_core.networks.zoo import open_network
from cnn_core.notebooks.draw import draw_cells
from ui import ask, state
from ui.panels.canvas import drawing_canvas
from ui.panels.digit import digit_seen, other_digits
from ui.panels.engine import engine_line
from ui.panels.export import notebook_button
from ui.panels.network import whole_network
from ui.panels.prediction import prediction, probabilities

st.title("Draw a digit", anchor=False)
st.caption("Lift the pen, and every layer of the network has already looked at it.")

digit, ref = state.digit(), state.network()
classes = open_network(ref.id).card.class_names

with st.container(horizontal=True, gap="medium", key="lens"):
    with st.container(width=300, key="canvas-column"):
        st.header("Your canvas", anchor=False)
        drawing_canvas()
    with st.container(width=300, key="seen"):
        st.header("What the network gets", anchor=False)
        digit_seen(digit)
        other_digits()
    answer = ask.trace(ref, digit)  # only now: the canvas is there already
    with st.container(width="stretch", key="answer"):
        st.header("What it answers", anchor=False)
        prediction(answer.trace, classes)
        probabilities(answer.trace, classes)

st.header("What each layer made of it", anchor=False)
whole_network(answer.trace, state.unit(), compact=True)
engine_line(answer)
notebook_button(partial(draw_cells, ref, digit, answer.trace), f"draw-{ref.id}")
