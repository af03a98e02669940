"""Which data sets this machine has, and how it gets to know another."""

import streamlit as st

from cnn_core.data.datasets import DATASETS
from cnn_core.data.fashion import fashion_place, point_to_fashion
from cnn_core.errors import ConvScopeError
from ui import state


def datasets() -> None:
    """The data sets, and the way to Fashion-MNIST if it is not here."""
    with st.container(key="datasets"):
        rows = "".join(
            f"<strong>{dataset.title}</strong><span>{_where(dataset.id)}</span>"
            for dataset in DATASETS.values()
        )
        st.html(f'<div class="cs-facts">{rows}</div>')
        if fashion_place() is not None or state.in_classroom():
            return
        st.text_input(
            "Where Fashion-MNIST is on this machine",
            key="fashion-place",
            placeholder="an .npz, or a folder with the four idx files",
            on_change=_take_place,
            max_chars=400,
            width=480,
        )


def _where(id: str) -> str:
    if id == "mnist":
        return "70,000 handwritten digits. Comes with ConvScope."
    if fashion_place() is not None:
        return "70,000 pictures of clothing. It is here: choose it under Train."
    ways = [
        "install Debian’s package <code>dataset-fashion-mnist</code>",
        "let Keras fetch it once",
        *([] if state.in_classroom() else ["say where the file is"]),
    ]
    return (
        "70,000 pictures of clothing, not on this machine. ConvScope fetches nothing by itself: "
        f"{', '.join(ways[:-1])} or {ways[-1]}."
    )


def _take_place() -> None:
    text = st.session_state["fashion-place"]
    if not text or state.in_classroom():  # there the machine's files are nobody's to name
        return
    try:
        point_to_fashion(text)
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))
