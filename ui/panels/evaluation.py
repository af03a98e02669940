"""How good the network is: scores, the confusion matrix, mistakes, calibration, a guessing game."""

import random
from functools import lru_cache

import numpy as np
import streamlit as st

from cnn_core.data.digit import TEST_DIGITS, mnist_digit
from cnn_core.data.mnist import load_mnist
from cnn_core.errors import ConvScopeError
from cnn_core.insight.kept import kept_evaluation
from cnn_core.insight.scores import (
    Evaluation,
    answered,
    best_temperature,
    cross_entropy,
    reliability,
    tempered,
    wilson,
)
from cnn_core.lab.requests import EvaluationRequest, Request
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.views.atlas import digit_picture
from cnn_core.views.charts import Chart, Line, chart_of
from cnn_core.views.figures import figure
from ui import ask, state
from ui.confusion import confusion_table
from ui.panels import html
from ui.panels.study import study
from ui.sprites import Sprite, sprites

_SHOWN = 40  # mistakes at once
_PLAIN = {"displayModeBar": False}


@lru_cache(maxsize=8)
def _kept(ref: NetworkRef) -> Evaluation | None:
    return kept_evaluation(ref)


def evaluated(
    ref: NetworkRef, key: str = "evaluate", also: tuple[Request, ...] = ()
) -> Evaluation | None:
    """The evaluation, if there is one; else the way to one."""
    found = _kept(ref)
    if found is None:
        _kept.cache_clear()  # what is not there yet may be there next time
        found = study(
            EvaluationRequest(ref),
            f"Evaluate on the {TEST_DIGITS:,} test digits",
            key,
            "A second or two; the result is kept",
            also,
        )
    return found


def scores(found: Evaluation) -> None:
    """Accuracy with its interval, loss, and precision, recall and F1 by class."""
    ref = state.network()
    names = open_network(ref.id).card.class_names
    count, right = len(found.labels), int(found.right.sum())
    low, high = wilson(right, count)
    with st.container(key="accuracy"):
        st.html(
            f'<p class="cs-prediction"><strong>{found.accuracy:.2%}</strong> '
            f"<span>of {count:,} test digits right, {count - right:,} wrong. 95% interval "
            f"{low:.2%} to {high:.2%}. Loss {found.loss:.4f}.</span></p>"
        )
    left, right_side = st.columns([3, 2])
    with left:
        st.dataframe(
            [
                {
                    "class": name,
                    "precision": float(found.precision[k]),
                    "recall": float(found.recall[k]),
                    "F1": float(found.f1[k]),
                    "digits": int(np.sum(found.labels == k)),
                }
                for k, name in enumerate(names)
            ],
            hide_index=True,
            height=388,
            column_config={
                name: st.column_config.NumberColumn(format="percent", help=words)
                for name, words in {
                    "precision": "Of those it called so, how many are",
                    "recall": "Of those that are, how many it called so",
                    "F1": "The harmonic mean of the two",
                }.items()
            },
            alt="Precision, recall and F1 by class",
        )
    with right_side:
        card = open_network(ref.id).card
        steps = sorted(card.accuracy)
        chart = chart_of(
            f"Over the training, on {card.accuracy_of}",
            {"share right": (np.array(steps), np.array([card.accuracy[step] for step in steps]))},
            percent=True,
            marks=True,
            at=float(ref.step),
        )
        st.plotly_chart(figure(chart), key="accuracy-film", config=_PLAIN, alt=chart.title)


def confusion(found: Evaluation) -> None:
    """The matrix, and the digits of the cell that is chosen."""
    names = open_network(state.network().id).card.class_names
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
                load_mnist().x_test[some],
                [
                    Sprite(
                        int(digit),
                        html.share_text(float(found.confidence[digit])),
                        f"Test digit {digit}, a {names[true]}",
                    )
                    for digit in some
                ],
                key=f"mistakes-{true}-{answer}",
                on_pick=lambda: take_digit(f"mistakes-{true}-{answer}"),
            )
            more = f" {len(digits) - _SHOWN:,} more are not shown." if len(digits) > _SHOWN else ""
            st.caption(f"Click a digit to look at it in Layers.{more}")


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


def take_digit(key: str, stay: bool = False) -> None:
    """A test digit that the browser sent; it may be anything. Without `stay`, on to Layers."""
    pick = st.session_state[key].get("pick")
    try:
        if type(pick) is not int:
            state.notify("What arrived names no digit.")
            return
        state.choose_digit(mnist_digit(pick))
        if not stay:
            st.session_state["go-to"] = "pages/layers.py"
    except ConvScopeError as error:
        state.notify(str(error))


def go_on() -> None:
    """Open the page that a click asked for."""
    page = st.session_state.pop("go-to", None)
    if page is not None:
        st.switch_page(f"../{page}")


def guess() -> None:
    """A random test digit: guess, then see what the network said and what it is."""
    ref = state.network()
    card = open_network(ref.id).card
    game = st.session_state.setdefault("guess", _new_round({"rounds": 0, "you": 0, "network": 0}))
    digit = mnist_digit(game["digit"])
    answer = ask.trace(ref, digit).trace
    said = int(answer.output.argmax())
    left, right = st.columns([1, 2])
    with left:
        st.html(html.picture(digit_picture(digit.pixels), "The digit to guess", 224))
    with right, st.container(key="guess"):
        if game["guess"] is None:
            st.markdown("What is it? Guess first; then see what the network said.")
            with st.container(horizontal=True, gap="small"):
                for k, name in enumerate(card.class_names):
                    st.button(
                        name,
                        key=f"guess-{k}",
                        on_click=lambda k=k: _reveal(k, said, digit.label),
                    )
        else:
            right_you, right_network = game["guess"] == digit.label, said == digit.label
            st.markdown(
                f"It is a **{card.class_names[digit.label or 0]}**. You said "
                f"{card.class_names[game['guess']]}: {'right' if right_you else 'wrong'}. "
                f"The network said {card.class_names[said]} with "
                f"{html.share_text(float(answer.output[said]))}: "
                f"{'right' if right_network else 'wrong'}."
            )
            with st.container(horizontal=True, gap="small"):
                st.button("Next digit", key="guess-next", type="primary", on_click=_next_round)
                st.button(
                    "Look at it in Layers",
                    key="guess-look",
                    on_click=lambda: _look_at(game["digit"]),
                )
        st.caption(
            f"So far: you {game['you']}, the network {game['network']}, of {game['rounds']}."
        )


def _new_round(score: dict[str, int]) -> dict[str, int | None]:
    return {**score, "digit": random.randrange(TEST_DIGITS), "guess": None}


def _reveal(guessed: int, said: int, label: int | None) -> None:
    game = st.session_state["guess"]
    if game["guess"] is None:
        game["guess"] = guessed
        game["rounds"] += 1
        game["you"] += guessed == label
        game["network"] += said == label


def _next_round() -> None:
    game = st.session_state["guess"]
    st.session_state["guess"] = _new_round({k: game[k] for k in ("rounds", "you", "network")})


def _look_at(number: int) -> None:
    state.choose_digit(mnist_digit(number))
    st.session_state["go-to"] = "pages/layers.py"


def calibration(found: Evaluation) -> None:
    """Whether it is as often right as it is sure; and what it would answer if it might abstain."""
    half, labels = found.probabilities[1::2], found.labels[1::2]
    best = best_temperature(found.probabilities[::2], found.labels[::2])
    temperature = st.slider(
        "Temperature", 0.2, 5.0, 1.0, 0.05, key="temperature", persist_state="session",
        help="All logits are divided by it: above 1 the network becomes less sure, never different",
    )  # fmt: skip
    shares = tempered(half, float(temperature))
    plain, now = reliability(half, labels), reliability(shares, labels)
    st.markdown(
        f"Expected calibration error **{now.error:.2%}** at temperature {temperature:.2f} "
        f"({plain.error:.2%} at 1), cross entropy {cross_entropy(shares, labels):.4f}. The best "
        f"temperature, fitted on the other half of the test digits, is **{best:.2f}**: it gives "
        f"{reliability(tempered(half, best), labels).error:.2%}. (Guo and others, arXiv 1706.04599)"
    )
    left, right = st.columns(2)
    filled = now.count > 0
    chart = Chart(
        "Right, by how sure it is",
        (
            Line("as sure as right", np.array([0.0, 1.0]), np.array([0.0, 1.0]), "#7f7f7f", "dash"),
            Line(
                "this network", now.confidence[filled], now.accuracy[filled], "#0072b2", marks=True
            ),
        ),
        percent=True,
        across="confidence",
    )
    left.plotly_chart(figure(chart), key="reliability", config=_PLAIN, alt=chart.title)
    thresholds = np.linspace(0, 0.999, 60)
    pairs = np.array([answered(shares, labels, float(t)) for t in thresholds])
    trade = chart_of(
        "If it says “I don’t know” below a threshold",
        {"answers": (thresholds, pairs[:, 0]), "of those right": (thresholds, pairs[:, 1])},
        percent=True,
        across="threshold",
    )
    right.plotly_chart(figure(trade), key="abstain", config=_PLAIN, alt=trade.title)
    threshold = right.slider(
        "Threshold", 0.0, 0.999, 0.9, 0.001, format="%.3f", key="threshold", persist_state="session"
    )
    covered, correct = answered(shares, labels, float(threshold))
    right.caption(
        f"At {threshold:.3f} it answers {covered:.2%} of the digits and is right on "
        f"{correct:.2%} of those."
    )
