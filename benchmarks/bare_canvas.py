"""The least page with a canvas: what the others are measured against."""

import hashlib

import streamlit as st
from streamlit_drawable_canvas import st_canvas

result = st_canvas(
    stroke_width=22,
    stroke_color="#ffffff",
    background_color="#000000",
    width=280,
    height=280,
    return_image_data=True,
    key="canvas",
)
ink = result.image_bytes or b""
with st.container(key="seen"):
    st.text(hashlib.sha256(ink).hexdigest())
