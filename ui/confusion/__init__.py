"""A confusion matrix whose cells are buttons: by mouse, finger, keyboard or screen reader."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st
from numpy.typing import NDArray

_HERE = Path(__file__).parent

_confusion = st.components.v2.component(
    "convscope_confusion",
    html='<div class="confusion"></div>',
    css=(_HERE / "confusion.css").read_text("utf-8"),
    js=(_HERE / "confusion.js").read_text("utf-8"),
)


def confusion_table(
    counts: NDArray,
    names: Sequence[str],
    *,
    shares: bool,
    chosen: tuple[int, int] | None,
    key: str,
    on_pick: Callable[[], None],
) -> None:
    """Show the matrix; what was chosen stands in ``st.session_state[key]["pick"]``: row, column.

    Parameters
    ----------
    counts : `(classes, classes)`, true classes in rows, answers in columns.
    shares : show each row's shares instead of counts.
    on_pick : called when a cell was chosen. What arrives is to be checked.
    """
    _confusion(
        key=key,
        data={
            "counts": counts.tolist(),
            "names": list(names),
            "shares": shares,
            "chosen": None if chosen is None else list(chosen),
        },
        on_pick_change=on_pick,
    )
