"""Digits of one's own, with their true class, to train on."""

import numpy as np
import streamlit as st

from cnn_core.data.datasets import DATASETS, Dataset
from cnn_core.data.digit import Digit
from cnn_core.errors import ConvScopeError, RunError
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.training.run import Drawings, Run
from cnn_core.views.atlas import digit_picture
from ui import ask, state
from ui.panels import html
from ui.panels.canvas import drawing_canvas
from ui.panels.digit import with_article

_MOST = 200


def own_digits(dataset: Dataset) -> Drawings | None:
    """Label the digit under the lens and collect it; the collection, if it is to be trained on.

    Parameters
    ----------
    dataset : whose classes the labels are.
    """
    collected: list[tuple[Digit, int]] = st.session_state.setdefault("own-digits", [])
    with st.container(key="own-digits"):
        st.caption(
            "Fine-tune on your own hand: draw a digit, say what it is, collect some. Half of each "
            "batch will be yours. Begin with the network shown in the sidebar."
        )
        drawing = st.toggle("Draw here", key="own-draw", on_change=_same_strokes)
        with st.container(horizontal=True, gap="medium"):
            if drawing:
                with st.container(width=300):
                    drawing_canvas()
            with st.container(width="stretch"):
                used = _collection(collected, dataset)
    if not used:
        return None
    return (
        np.stack([digit.bytes for digit, _ in collected]),
        np.array([label for _, label in collected], np.uint8),
    )


def _collection(collected: list[tuple[Digit, int]], dataset: Dataset) -> bool:
    """What was collected, and how to add to it; whether it is to be trained on."""
    names = dataset.class_names
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.selectbox(
            f"The {dataset.noun} in the sidebar is", range(len(names)), key="own-label", width=200,
            format_func=lambda label: with_article(names[label]),
        )  # fmt: skip
        st.button("Collect it", key="own-collect", on_click=_collect)
        st.button("Forget all", key="own-forget", on_click=collected.clear, disabled=not collected)
    if not collected:
        return False
    cards = "".join(
        f"<figure>{html.picture(digit_picture(digit.pixels), with_article(names[label]), 56)}"
        f"<figcaption>{with_article(names[label])}</figcaption></figure>"
        for digit, label in collected
    )
    st.html(f'<div class="cs-batch">{cards}</div>')
    return st.toggle(
        "Train on them",
        key="own-use",
        persist_state="session",
        help="The Keras code above is that of the same training without them.",
    )


def _same_strokes() -> None:
    """The canvas is made anew: it is to show what was drawn last."""
    state.redraw(state.canvas().strokes)


def _answer(probabilities: np.ndarray, label: int, names: tuple[str, ...]) -> str:
    share = html.percent(float(probabilities[label]))
    return f"{names[int(probabilities.argmax())]}, {share} for {names[label]}"


def _collect() -> None:
    label = st.session_state["own-label"]
    collected = st.session_state["own-digits"]
    if len(collected) >= _MOST:
        state.notify(f"{_MOST} digits are collected; that is as many as there may be.")
    elif label in range(10):
        collected.append((state.digit(), int(label)))
        if st.session_state.get("own-draw"):
            state.redraw(())  # for the next one


def before_and_after(run: Run) -> None:
    """A run's own digits, or else the collected ones, as read before and after it, if it went on
    from a network."""
    start = run.config.start
    if start is None or not run.state.step:
        return
    try:
        shown = _digits_of(run)
    except RunError as error:
        st.error(str(error))
        return
    if not shown:
        return
    try:
        _before_and_after(run, start, shown)
    except ConvScopeError as error:
        st.caption(f"What changed cannot be shown. {error}")


def _before_and_after(run: Run, start: NetworkRef, shown: list[tuple[Digit, int]]) -> None:
    names = DATASETS[run.config.dataset].class_names
    end = NetworkRef(run.id, open_network(run.id).film.steps[-1])
    rows = []
    for digit, label in shown:
        before, after = (ask.trace(ref, digit).trace.output for ref in (start, end))
        rows.append(
            f"<tr><td>{html.picture(digit_picture(digit.pixels), '', 28)}</td>"
            f"<td>{with_article(names[label])}</td>"
            f"<td>{_answer(before, label, names)}</td><td>{_answer(after, label, names)}</td></tr>"
        )
    was = open_network(start.id).card.accuracy.get(start.step)
    now = run.state.test_accuracy
    if was is not None and now is not None:
        rows.append(
            f"<tr><td></td><td>{DATASETS[run.config.dataset].tests}</td><td>{was:.2%}</td><td>{now:.2%}</td></tr>"
        )
    with st.container(key="own-before-after"):
        st.html(
            '<table class="cs-table"><thead><tr><th></th><th>it is</th><th>before</th>'
            f"<th>after</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )


def _digits_of(run: Run) -> list[tuple[Digit, int]]:
    """Those it was trained on; of a run without, those collected. Raises `RunError`."""
    drawings = run.drawings
    if drawings is None:
        return st.session_state.get("own-digits", [])
    return [
        (Digit.of_bytes(image, "drawn"), int(label)) for image, label in zip(*drawings, strict=True)
    ]
