"""Back, on, and a dot a card; by pointer, and by the arrow keys from anywhere on the page."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_card_steps = st.components.v2.component(
    "convscope_card_steps",
    html='<div class="room"><nav class="steps"></nav></div>',
    css=(_HERE / "card_steps.css").read_text("utf-8"),
    js=(_HERE / "card_steps.js").read_text("utf-8"),
)


def card_steps(
    at: int,
    total: int,
    first: int,
    dots: Sequence[tuple[str, bool]],
    answers: int,
    words: Mapping[str, str],
    *,
    key: str,
    on_go: Callable[[], None],
    on_answer: Callable[[], None],
) -> None:
    """Where one is among all cards. ``st.session_state[key]`` gets ``"go"``, a place, or
    ``"answer"``, a choice from 0, for one run each; what arrives is to be checked.

    Parameters
    ----------
    at, total : the present place, and how many there are.
    first : the place of the first dot.
    dots : title of each card of the lesson, and whether it is done.
    answers : choices that wait for an answer: keys 1, 2, … choose; 0 for none.
    words : what ``back``, ``next``, ``card`` and ``done`` are called.
    """
    _card_steps(
        key=key,
        data={
            "at": at,
            "total": total,
            "first": first,
            "dots": [list(dot) for dot in dots],
            "answers": answers,
            "words": dict(words),
        },
        on_go_change=on_go,
        on_answer_change=on_answer,
    )
