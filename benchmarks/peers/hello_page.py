"""The least page that Streamlit can show."""

import streamlit as st

st.title("Hello")
