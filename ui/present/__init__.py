"""Presenter mode: a page for a projector, turned by keyboard or clicker; and controls that a link
hides.

PageDown and PageUp first look for a button that goes on or back within the page, and else turn to
the next page or the one before. A page offers such buttons by standing them in containers with
the keys ``next`` and ``back`` (`NEXT`, `BACK`): that is all there is to the hook. A button that is
disabled is passed over, one that is not shown is pressed all the same.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

NEXT, BACK = "next", "back"
"""Keys of the containers that hold a page's own buttons for going on and back."""

CONTROLS: Mapping[str, str] = {
    "digit": ".st-key-digit-card",
    "network": ".st-key-network",
    "moment": ".st-key-moment",
    "navigation": "[data-testid=stSidebarNav]",
    "link": ".st-key-link",
    "canvas": ".st-key-lens > :has(> .st-key-canvas-column)",
    "others": ".st-key-other-digits",
    "answer": ".st-key-lens > :has(> .st-key-answer)",
    "view": ".st-key-network-view",
    "layers": ".st-key-layer-picker",
    "code": ".st-key-layer-code, .st-key-network-code",
    "export": ".st-key-export, [class*=st-key-print-]",
}
"""What a link can hide, by name, and where it stands on the pages."""

_presenter = st.components.v2.component(
    "convscope_presenter",
    html='<button type="button" disabled data-testid="present-leave">Leave presenter mode</button>',
    css=(_HERE / "leave.css").read_text("utf-8"),
    js=(_HERE / "present.js").read_text("utf-8"),
)


def hide(names: Iterable[str]) -> None:
    """Take these of `CONTROLS` out of sight. They keep what they hold."""
    selectors = ", ".join(CONTROLS[name] for name in names)
    if selectors:
        with st.container(key="hidden"):
            st.html(f"<style>:is({selectors}) {{ display: none !important; }}</style>")


def presenter(key: str, on_leave: Callable[[], None]) -> None:
    """Dress the page for a projector, and listen to keyboard and clicker.

    Parameters
    ----------
    on_leave : called when presenter mode is left, by Escape or by the button that shows itself
        while the pointer moves.
    """
    with st.container(key="presenting"):
        st.html(f"<style>{(_HERE / 'page.css').read_text('utf-8')}</style>")
        _presenter(key=key, on_leave_change=on_leave)
