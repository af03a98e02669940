"""From LeNet to DenseNet, and one's own: networks looked through on one's own digit."""

import streamlit as st

from ui.panels.architecture import famous_networks
from ui.panels.design import build_your_own
from ui.panels.evaluation import go_on
from ui.panels.own_model import own_model

PARTS = {
    "Famous networks": famous_networks,
    "Build your own": build_your_own,
    "Open your own": own_model,
}

go_on()
st.title("Architectures", anchor=False)
st.caption("Famous ideas at a size that fits the screen, or your own, with your digit in them.")

part = st.segmented_control(
    "Part", list(PARTS), default="Famous networks", required=True, key="architectures-part",
    persist_state="session", label_visibility="collapsed",
)  # fmt: skip
PARTS[part or "Famous networks"]()
