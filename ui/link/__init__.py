"""The browser's address names the present picture; a button copies it."""

import itertools
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_runs = itertools.count()

_link = st.components.v2.component(
    "convscope_link",
    html='<button type="button" data-testid="copy-link">Copy link</button>',
    css=(_HERE / "link.css").read_text("utf-8"),
    js=(_HERE / "link.js").read_text("utf-8"),
)


def write_link(query: str) -> None:
    """Write the query string into the address, without an entry in the browser's history."""
    # A new number each time: a page change takes the query away without changing the data, and
    # a page left in a hurry never delivered its own.
    with st.container(key="link"):
        _link(data={"query": query, "run": next(_runs)}, key="link-writer")
