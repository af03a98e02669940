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


def ask_owner(key: str, on_token: Callable[[object], None]) -> None:
    """Have the browser say its token, and pass on what it said, at once and in every run: a browser
    that comes back to a server which has forgotten it says nothing anew, and no change is seen."""
    said = _owner(key=key, on_token_change=lambda: on_token(st.session_state[key].get("token")))
    on_token(said.get("token"))
