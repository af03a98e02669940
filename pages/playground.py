"""One operation at a time, by hand."""

import streamlit as st

from ui.panels.try_activation import try_activation
from ui.panels.try_convolution import try_convolution
from ui.panels.try_pooling import try_pooling
from ui.panels.try_shapes import try_flatten, try_input

st.title("Playground", anchor=False)
st.caption("One operation at a time: change a number, and see what it does.")

PARTS = {
    "Input": try_input,
    "Convolution": try_convolution,
    "Activation": try_activation,
    "Pooling": try_pooling,
    "Flatten and dense": try_flatten,
}
part = st.segmented_control(
    "Part", list(PARTS), default="Convolution", required=True, key="play-part",
    persist_state="session", label_visibility="collapsed",
)  # fmt: skip
PARTS[part or "Convolution"]()
