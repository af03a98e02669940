"""A training as it goes: how far it is, its curves, its filters, its answer on the digit."""

import time
from math import isfinite

import numpy as np
import streamlit as st

from cnn_core.errors import ConvScopeError
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.training.control import Order, Word
from cnn_core.training.diagnosis import smoothed, warnings_of
from cnn_core.training.runs import LIVING, History, Run, RunState
from cnn_core.views.atlas import feature_map_atlas
from cnn_core.views.figures import lines_by_name, training_curve
from ui import ask, state
from ui.panels import html
from ui.panels.training_step import training_step

_STATE_EVERY = 1.0  # seconds between two looks at how it goes
_CURVES_EVERY = 4.0  # and at its curves, which the browser draws on the cores that train
_SHARE = 0.1  # of the time that the server may spend on curves

_WORDS: dict[Word, tuple[str, str, str]] = {
    "pause": ("Pause", "pause", "After the batch that is under way"),
    "resume": ("Resume", "play_arrow", "Go on"),
    "batch": ("One batch", "skip_next", "One step, then pause"),
    "epoch": ("One epoch", "fast_forward", "To the end of the epoch, then pause"),
    "dissect": ("Take apart", "biotech", "Look into the next step before it is made"),
    "stop": ("Stop", "stop", "End it; what it has learned is kept"),
}


def training_live(run: Run) -> None:
    """The run, followed while it lives: only these parts of the page are drawn again."""
    living = run.state.word in LIVING
    every = st.session_state.get("train-interval", _CURVES_EVERY)
    st.fragment(_follow_state, run_every=_STATE_EVERY if living else None)(run, living)
    st.fragment(_follow_curves, run_every=every if living else None)(run, living)


def _follow_state(run: Run, living: bool) -> None:
    ask.here(state.owner())
    try:
        now = run.state
    except ConvScopeError as error:
        st.error(str(error))
        return
    if living and now.word not in LIVING:
        st.rerun()  # the whole page: there is a new network
    _head(run, now)
    _orders(run, now)
    training_step(run, now)


def _follow_curves(run: Run, living: bool) -> None:
    began = time.monotonic()
    try:
        history = run.history()
        for sentence in warnings_of(history):
            st.warning(sentence)
        if len(history.step):
            _curves(run, history)
        _look(run)
    except OSError as error:
        st.error(f"The run cannot be read: {error.strerror}.")
    _slow_down(time.monotonic() - began, living)


def _slow_down(cost: float, living: bool) -> None:
    """Look less often if looking is dear; what is drawn must not hold the training up."""
    held = st.session_state.get("train-interval", _CURVES_EVERY)
    if living and cost / _SHARE >= 2 * held:
        st.session_state["train-interval"] = min(cost / _SHARE, 20.0)
        st.rerun()


def _head(run: Run, now: RunState) -> None:
    config = run.config
    place = ask.trainings().place(run.id) if now.word == "waiting" else 0
    facts = [f"step {now.step:,} of {config.total_steps:,}"]
    facts.append(f"epoch {min(now.epoch + 1, config.epochs)} of {config.epochs}")
    if now.word == "waiting":
        facts = [f"{place} before it" if place else "its process is starting"]
    elif now.word in LIVING:
        facts.append(f"{now.images_per_second:,.0f} images/s")
        facts.append(f"rate {now.learning_rate:.2g}")
        if now.word == "running":
            facts.append(f"{_span(now.seconds_left)} left")
    if now.test_accuracy is not None:
        facts.append(f"{now.test_accuracy:.2%} of 10,000 test digits right")
    with st.container(key="train-state"):
        st.html(
            f'<p class="cs-state"><strong>{now.word}</strong> {" · ".join(facts)}</p>'
            f"{f'<p>{html.safe(now.message)}</p>' if now.message else ''}"
        )
    st.progress(min(1.0, now.step / config.total_steps), width="stretch")


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _orders(run: Run, now: RunState) -> None:
    paused = now.word == "paused"
    offered: list[Word] = []
    if now.word == "running":
        offered = ["pause", "stop"]
    elif paused:
        offered = ["resume", "batch", "epoch", "dissect", "stop"]
    elif now.word == "waiting":
        offered = ["stop"]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="orders"):
        for word in offered:
            label, icon, words = _WORDS[word]
            st.button(
                label,
                key=f"train-{word}",
                icon=f":material/{icon}:",
                help=words,
                on_click=lambda word=word: _give(run, Order(word)),
            )
        if now.word in ("running", "paused"):
            st.number_input(
                "Learning rate from now on",
                1e-7,
                10.0,
                value=None,
                format="%.6f",
                key="train-rate",
                placeholder=f"{now.learning_rate:.6f}",
                width=200,
                on_change=lambda: _change_rate(run),
            )
        if now.word in ("interrupted", "stopped"):
            st.button(
                "Go on from the last whole epoch",
                key="train-again",
                icon=":material/play_arrow:",
                on_click=lambda: _again(run),
            )


def _give(run: Run, order: Order) -> None:
    try:
        ask.trainings().give(run.id, order)
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def _change_rate(run: Run) -> None:
    rate = st.session_state["train-rate"]
    if rate is None:
        return
    if not isinstance(rate, int | float) or not isfinite(rate) or not 0 < rate <= 10:
        state.notify(f"A learning rate is above 0 and at most 10. Received: {rate!r:.20}.")
        return
    _give(run, Order(rate=float(rate)))


def _again(run: Run) -> None:
    try:
        ask.resume_training(run)
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def _curves(run: Run, history: History) -> None:
    with st.container(key="train-charts"):
        loss = training_curve(
            "Loss", history.step, history.loss, smoothed(history.loss),
            history.epoch_step, history.val_loss,
        )  # fmt: skip
        accuracy = training_curve(
            "Share right", history.step, history.accuracy, smoothed(history.accuracy),
            history.epoch_step, history.val_accuracy, percent=True,
        )  # fmt: skip
        left, right = st.columns(2)
        left.plotly_chart(loss, key="chart-loss", config=_PLAIN, alt="Loss by step")
        right.plotly_chart(accuracy, key="chart-accuracy", config=_PLAIN, alt="Accuracy by step")
        samples = run.samples()
        if any(len(rows) > 1 for rows in samples.values()):
            norms = {layer: (rows[:, 0], rows[:, 1]) for layer, rows in samples.items()}
            dead = {
                layer: (rows[:, 0], rows[:, 2])
                for layer, rows in samples.items()
                if np.isfinite(rows[:, 2]).all()
            }
            left, right = st.columns(2)
            left.plotly_chart(
                lines_by_name("Gradient norm by layer", norms, marks=True),
                key="chart-gradients", config=_PLAIN, alt="Gradient norm by step and layer",
            )  # fmt: skip
            right.plotly_chart(
                lines_by_name("Dead ReLU units by layer", dead, percent=True, marks=True),
                key="chart-dead", config=_PLAIN, alt="Share of dead units by step and layer",
            )  # fmt: skip


_PLAIN = {"displayModeBar": False}


def _look(run: Run) -> None:
    """What its newest frame sees: the first layer's filters, and the digit at every frame."""
    try:
        network = open_network(run.id)
    except ConvScopeError:
        return  # no frame yet
    steps = tuple(step for step in network.film.steps if step in network.card.accuracy)
    kernel = next(iter(weights_at(NetworkRef(run.id, steps[-1])).values())).get("kernel")
    left, right = st.columns([1, 2])
    with left, st.container(key="train-filters"):
        st.html('<p class="cs-label">First layer’s filters</p>')
        if kernel is not None and kernel.ndim == 4:
            picture = feature_map_atlas(kernel[:, :, 0, :])
            st.html(html.picture(picture, f"Filters at step {steps[-1]}", 240))
            st.caption(f"step {steps[-1]:,}; blue below 0, orange above")
    with right, st.container(key="train-digit"):
        digit = state.digit()
        shares = np.array(
            [ask.trace(NetworkRef(run.id, step), digit).trace.output for step in steps]
        )
        names = network.card.class_names
        best = np.argsort(-shares.max(axis=0))[:5]
        chart = lines_by_name(
            "Probabilities of the digit in the sidebar",
            {names[k]: (np.array(steps), shares[:, k]) for k in sorted(best)},
            percent=True,
            marks=True,
        )
        st.plotly_chart(chart, key="chart-digit", config=_PLAIN, alt="Probabilities by step")
