"""The browser's address names the present picture; a button copies it."""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_link = st.components.v2.component(
    "convscope_link",
    html='<button type="button" data-testid="copy-link">Copy link</button>',
    css=(_HERE / "link.css").read_text("utf-8"),
    js=(_HERE / "link.js").read_text("utf-8"),
)


def write_link(query: str, page: str) -> None:
    """Write the query string into the address, without an entry in the browser's history.

    `page` is part of the data, so that the address is written again after a page change.
    """
    with st.container(key="link"):
        _link(data={"query": query, "page": page}, key="link-writer")
