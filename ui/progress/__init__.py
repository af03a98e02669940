"""How far somebody has come in the course, kept by their own browser and nowhere else."""

from collections.abc import Callable, Iterable
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_MOST = 2_000  # places that are believed

_progress = st.components.v2.component(
    "convscope_progress",
    html="<span></span>",
    css=(_HERE / "progress.css").read_text("utf-8"),
    js=(_HERE / "progress.js").read_text("utf-8"),
)


def keep_progress(
    done: Iterable[str],
    forget: str,
    *,
    key: str,
    on_kept: Callable[[], None],
    on_forgotten: Callable[[], None],
) -> None:
    """Have the browser keep what is done, and say what it has kept.

    Parameters
    ----------
    done : places, e.g. ``"3.2"``.
    forget : what the button is called that forgets all; empty for no button.
    on_kept : called when the browser knows of more: ``st.session_state[key]["kept"]``, to be
        read by `kept_places`.
    on_forgotten : called when the button was pressed.
    """
    _progress(
        key=key,
        data={"done": sorted(done), "forget": forget},
        on_kept_change=on_kept,
        on_forgotten_change=on_forgotten,
    )


def kept_places(sent: object, there_are: Iterable[str]) -> set[str]:
    """The places among `there_are` that a browser names. What it sends may be anything."""
    if not isinstance(sent, list) or len(sent) > _MOST:
        return set()
    return {one for one in sent if isinstance(one, str)} & set(there_are)
