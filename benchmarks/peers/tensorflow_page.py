"""The usual way to show a network: TensorFlow at the top of the page's script.

`start_up` says in `PAGE_FOLDER` where the network and the digit are.
"""

import os
from pathlib import Path

import keras
import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

FOLDER = Path(os.environ["PAGE_FOLDER"])


@st.cache_resource
def network() -> keras.Model:
    return keras.models.load_model(FOLDER / "classic.keras")


st.title("Draw a digit")
st_canvas(
    stroke_width=22, stroke_color="#ffffff", background_color="#000000", width=280, height=280,
    return_image_data=True, key="canvas",
)  # fmt: skip
probabilities = network().predict(np.load(FOLDER / "digit.npy"), verbose=0)[0]
with st.container(key="prediction"):
    st.markdown(f"**{probabilities.argmax()}** {probabilities.max():.1%}")
st.bar_chart(probabilities)
