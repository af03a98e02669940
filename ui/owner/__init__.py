"""Whose browser this is: an unguessable token that it keeps, asked for in a classroom only."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_owner = st.components.v2.component(
    "convscope_owner",
    html="<span></span>",
    js=(_HERE / "owner.js").read_text("utf-8"),
)


def ask_owner(key: str, on_token: Callable[[], None]) -> None:
    """Have the browser say its token; it stands in ``st.session_state[key]["token"]`` then."""
    _owner(key=key, on_token_change=on_token)
