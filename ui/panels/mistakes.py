"""The confusion matrix, and the test images of the cell that is chosen."""

import numpy as np
import streamlit as st

from cnn_core.insight.scores import Evaluation
from cnn_core.networks.zoo import open_network
from ui import state
from ui.confusion import confusion_table
from ui.panels import html
from ui.panels.digit import with_article
from ui.panels.evaluation import take_digit
from ui.sprites import Sprite, sprites

_SHOWN = 40  # at once


def mistakes(found: Evaluation) -> None:
    """The matrix, and the digits of the cell that is chosen."""
    network = open_network(state.network().id)
    names = network.card.class_names
    counts = found.confusion
    chosen = _cell(len(names))
    left, right = st.columns([3, 2])
    with left, st.container(key="confusion"):
        unit = st.segmented_control(
            "Show", ["Counts", "Row shares"], default="Counts", required=True,
            key="confusion-unit", persist_state="session", label_visibility="collapsed",
        )  # fmt: skip
        confusion_table(
            counts,
            names,
            shares=unit == "Row shares",
            chosen=chosen,
            key="confusion-table",
            on_pick=_take_cell,
        )
    with right, st.container(key="mistakes"):
        true, answer = chosen if chosen is not None else _worst(counts)
        digits = found.mistakes(true, answer)
        called = "rightly called" if true == answer else "called"
        st.html(
            f'<p class="cs-label">{len(digits):,} of class {html.safe(names[true])} '
            f"{called} {html.safe(names[answer])}, the most confident first</p>"
        )
        if len(digits):
            some = digits[:_SHOWN]
            sprites(
                network.tested_on.load().x_test[some],
                [
                    Sprite(
                        int(digit),
                        html.share_text(float(found.confidence[digit])),
                        f"Test {network.tested_on.noun} {digit}, {with_article(names[true])}",
                    )
                    for digit in some
                ],
                key=f"mistakes-{true}-{answer}",
                on_pick=lambda: take_digit(f"mistakes-{true}-{answer}"),
            )
            more = f" {len(digits) - _SHOWN:,} more are not shown." if len(digits) > _SHOWN else ""
            st.caption(f"Click one to look at it in Layers.{more}")


def _worst(counts: np.ndarray) -> tuple[int, int]:
    """The mistake made most often."""
    wrong = counts - np.diag(np.diag(counts))
    true, answer = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return int(true), int(answer)


def _cell(classes: int) -> tuple[int, int] | None:
    chosen = st.session_state.get("confusion-cell")
    return chosen if chosen is not None and max(chosen) < classes else None


def _take_cell() -> None:
    """A cell that the browser sent; it may be anything."""
    pick = st.session_state["confusion-table"].get("pick")
    classes = len(open_network(state.network().id).card.class_names)
    if (
        isinstance(pick, list)
        and len(pick) == 2
        and all(type(i) is int and 0 <= i < classes for i in pick)
    ):
        st.session_state["confusion-cell"] = (pick[0], pick[1])
        state.notify("")
    else:
        state.notify("What arrived from the confusion matrix names no cell.")
