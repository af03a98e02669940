"""The moment: a slider over a network's film, its accuracy drawn along it, and a play button."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_moment = st.components.v2.component(
    "convscope_moment",
    html='<div class="moment"></div>',
    css=(_HERE / "moment.css").read_text("utf-8"),
    js=(_HERE / "moment.js").read_text("utf-8"),
)


def moment_slider(
    network: str,
    steps: Sequence[int],
    accuracy: Sequence[float],
    step: int,
    key: str,
    on_step: Callable[[], None],
) -> None:
    """Choose one of `steps`. What was chosen stands in ``st.session_state[key]["step"]``.

    Parameters
    ----------
    network : its id: another network stops the film.
    steps : rising; the slider gives each the same room.
    accuracy : share right at each step.
    step : the present one.
    on_step : called when another step was chosen. What arrives is to be checked.
    """
    _moment(
        key=key,
        data={
            "network": network,
            "steps": list(steps),
            "accuracy": list(accuracy),
            "step": step,
        },
        on_step_change=on_step,
    )
