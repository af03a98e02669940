"""The digit, the network, the moment: one person's state, and the link that holds it.

Pages read and write it through these functions only. The link is written here and nowhere else.
"""

import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from cnn_core.data.digit import Digit, digit_from_token, mnist_digit
from cnn_core.errors import ConvScopeError
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network

FIRST_DIGIT = 30  # the worked example that a new visitor finds
_LONGEST_DRAWING = 500_000  # letters of strokes that are kept to be drawn again


def first_network() -> NetworkRef:
    """The network that a new visitor looks through."""
    return open_network("classic").last


@dataclass(frozen=True)
class Canvas:
    """What the drawing canvas is to show.

    Attributes
    ----------
    revision : a new number tells the browser to load `start` afresh; the same leaves it alone.
    start : the strokes it starts from, as the canvas describes them.
    strokes : those it has now.
    mount : a new number makes the browser forget the canvas and make another.
    """

    revision: int = 0
    start: tuple[dict[str, Any], ...] = ()
    strokes: tuple[dict[str, Any], ...] = ()
    mount: int = 0


def begin_run(page: str) -> None:
    """Called by the shell before each page: fills an empty state from the link."""
    if "digit" not in st.session_state:
        _read_link()
    if st.session_state.get("page") != page:
        st.session_state.page = page
        # The canvas, if this page has one, is mounted anew: it starts from the saved strokes.
        redraw(canvas().strokes)


def _read_link() -> None:
    """The state that the link names; what it does not name, or names wrongly, is the default."""
    st.session_state.digit = mnist_digit(FIRST_DIGIT)
    st.session_state.network = first_network()
    st.session_state.canvas = Canvas()
    st.session_state.notice = ""
    wrong = []
    for name, read in {"digit": digit_from_token, "network": _last_of}.items():
        try:
            if name in st.query_params:
                st.session_state[name] = read(st.query_params[name])
        except ConvScopeError as error:
            wrong.append(str(error))
    if wrong:
        notify(" ".join(wrong))


def _last_of(network: str) -> NetworkRef:
    return open_network(network).last


def digit() -> Digit:
    """The digit under the lens."""
    return st.session_state.digit


def network() -> NetworkRef:
    """The network looked through, at the moment looked at."""
    return st.session_state.network


def canvas() -> Canvas:
    """What the drawing canvas is to show."""
    return st.session_state.canvas


def choose_digit(digit: Digit) -> None:
    """Put a digit that was not drawn under the lens; the canvas becomes fresh."""
    st.session_state.digit = digit
    notify("")
    redraw(())


def draw_digit(digit: Digit, strokes: list[dict[str, Any]]) -> None:
    """Put the drawing under the lens, and keep its strokes."""
    st.session_state.digit = digit
    notify("")
    keep_strokes(strokes)


def keep_strokes(strokes: list[dict[str, Any]]) -> None:
    """Remember what stands on the canvas, so that it can be drawn again after a page change."""
    if len(json.dumps(strokes)) <= _LONGEST_DRAWING:
        st.session_state.canvas = replace(canvas(), strokes=tuple(strokes))


def redraw(strokes: tuple[dict[str, Any], ...]) -> None:
    """Have the canvas show exactly these strokes."""
    now = canvas()
    st.session_state.canvas = Canvas(now.revision + 1, strokes, strokes, now.mount)


def replace_canvas() -> None:
    """Make another canvas of the saved strokes, forgetting what the browser sent."""
    redraw(canvas().strokes)
    st.session_state.canvas = replace(canvas(), mount=canvas().mount + 1)


def choose_network(ref: NetworkRef) -> None:
    st.session_state.network = ref


def notify(sentence: str) -> None:
    """Say one sentence to the person on the page; an empty one takes it back."""
    st.session_state.notice = sentence


def notice() -> str:
    return st.session_state.notice


def link() -> str:
    """The query string that reopens the present picture."""
    return urlencode({"digit": digit().token, "network": network().id})


_write_link = st.components.v2.component(
    "convscope_link",
    js="""
export default function ({ data }) {
  const address = `${window.location.pathname}?${data.query}${window.location.hash}`;
  const now = window.location.pathname + window.location.search + window.location.hash;
  // Replaced, not pushed: a stroke is no page that Back should return to.
  if (address !== now) window.history.replaceState(window.history.state, "", address);
}
""",
)


def write_link() -> None:
    """Called by the shell after each page: the browser's address names the present state."""
    with st.container(key="link"):
        # The page is part of the data, so that the link is written again after a page change.
        _write_link(data={"query": link(), "page": st.session_state.page}, key="link-writer")
