"""A training as it goes: how far it is, its curves, its filters, its answer on the digit."""

import time

import numpy as np
import streamlit as st

from cnn_core.data.datasets import DATASETS
from cnn_core.errors import ConvScopeError
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.training.control import Order, Word
from cnn_core.training.diagnosis import smoothed, warnings_of
from cnn_core.training.run import Run
from cnn_core.training.run_state import LIVING, RunState
from cnn_core.training.tables import History
from cnn_core.views.atlas import feature_map_atlas
from cnn_core.views.charts import Chart, chart_of, training_chart
from cnn_core.views.figures import figure
from ui import ask, state
from ui.live_curves import live_curves
from ui.panels import html
from ui.panels.training_step import training_step

# Seconds between two looks. Each costs the browser about 60 ms, most of it for Streamlit's own
# housekeeping, on the cores that train.
_RUNNING_EVERY = 2.0
_STANDING_EVERY = 1.0
_SHARE = 0.1  # of the time that the server may spend on looking

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
    now = run.state
    _orders(run, now)
    every = None
    if now.word == "running":
        every = max(_RUNNING_EVERY, st.session_state.get("train-interval", 0.0))
    elif now.word in LIVING:
        every = _STANDING_EVERY
    st.fragment(_follow, run_every=every)(run, now.word)


def _follow(run: Run, word: str) -> None:
    began = time.monotonic()
    ask.here(state.owner())
    try:
        now = run.state
        if now.word != word:
            st.rerun()  # the whole page: there are other buttons now, or a new network
        _head(run, now)
        training_step(run, now)
        history = run.history()
        for sentence in warnings_of(history):
            st.warning(sentence)
        curves = _curves(run, history)
        charts = [*curves[:2], *_digit_curve(run), *curves[2:]]
        with st.container(key="train-view"):
            with st.container(key="train-charts"):
                if word in LIVING:
                    live_curves(charts, key="live-curves")
                else:
                    _explored(charts)
            _filters(run)
    except ConvScopeError as error:
        st.error(str(error))
    except OSError as error:
        st.error(f"The run cannot be read: {error.strerror}.")
    _slow_down(time.monotonic() - began, word == "running")


def _slow_down(cost: float, running: bool) -> None:
    """Look less often if looking is dear; what is drawn must not hold the training up."""
    held = max(_RUNNING_EVERY, st.session_state.get("train-interval", 0.0))
    if running and cost / _SHARE >= 2 * held:
        st.session_state["train-interval"] = min(cost / _SHARE, 20.0)
        st.rerun()


def _head(run: Run, now: RunState) -> None:
    config = run.config
    facts = [f"step {now.step:,} of {config.total_steps:,}"]
    facts.append(f"epoch {min(now.epoch + 1, config.epochs)} of {config.epochs}")
    if now.word == "waiting":
        facts = [_waits_for(run)]
    elif now.word in LIVING:
        facts.append(f"{now.images_per_second:,.0f} images/s")
        facts.append(f"rate {now.learning_rate:.2g}")
        if now.word == "running":
            facts.append(f"{_span(now.seconds_left)} left")
    if now.where and now.word in LIVING:
        facts.append(f"on {html.safe(now.where)}")
    if now.test_accuracy is not None:
        tests = DATASETS[run.config.dataset].tests
        facts.append(f"{now.test_accuracy:.2%} of 10,000 {tests} right")
    with st.container(key="train-state"):
        st.html(
            f'<p class="cs-state"><strong>{now.word}</strong> {" · ".join(facts)}</p>'
            f"{f'<p>{html.safe(now.message)}</p>' if now.message else ''}"
        )
    st.progress(min(1.0, now.step / config.total_steps), width="stretch")


def _waits_for(run: Run) -> str:
    line = ask.trainings()
    if not line.knows(run.id):
        return "in the queue of another server"
    place = line.place(run.id)
    return f"{place} before it" if place else "its process is starting"


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
                placeholder=f"{now.learning_rate or run.config.learning_rate:.6f}",
                width=200,
                on_change=lambda: _change_rate(run),
            )
        if now.word in ("interrupted", "stopped", "failed"):
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
    if not isinstance(rate, int | float) or not 0 < rate <= 10:
        state.notify(f"A learning rate is above 0 and at most 10. Received: {rate!r:.20}.")
        return
    _give(run, Order(rate=float(rate)))


def _again(run: Run) -> None:
    try:
        ask.resume_training(run)
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def _curves(run: Run, history: History) -> list[Chart]:
    """Loss, accuracy, gradients and dead units, as far as there is something to draw."""
    if not len(history.step):
        return []
    charts = [
        training_chart(
            "Loss", history.step, history.loss, smoothed(history.loss),
            history.epoch_step, history.val_loss,
        ),
        training_chart(
            "Share right", history.step, history.accuracy, smoothed(history.accuracy),
            history.epoch_step, history.val_accuracy, percent=True,
        ),
    ]  # fmt: skip
    samples = run.samples()
    if any(len(rows) > 1 for rows in samples.values()):
        norms = {layer: (rows[:, 0], rows[:, 1]) for layer, rows in samples.items()}
        dead = {
            layer: (rows[:, 0], rows[:, 2])
            for layer, rows in samples.items()
            if np.isfinite(rows[:, 2]).all()
        }
        charts.append(chart_of("Gradient norm by layer", norms, marks=True))
        if dead:
            charts.append(chart_of("Dead ReLU units by layer", dead, percent=True, marks=True))
    return charts


def _explored(charts: list[Chart]) -> None:
    """Nothing moves any more: charts to zoom into."""
    for k in range(0, len(charts), 2):
        for column, chart in zip(st.columns(2), charts[k : k + 2], strict=False):
            column.plotly_chart(
                figure(chart),
                key=f"chart-{chart.title}",
                config={"displayModeBar": False},
                alt=f"{chart.title} by step",
            )


def _frames(run: Run) -> tuple[int, ...]:
    """The steps whose frames are named already; none before the first."""
    try:
        network = open_network(run.id)
    except ConvScopeError:
        return ()
    return tuple(step for step in network.film.steps if step in network.card.accuracy)


def _digit_curve(run: Run) -> list[Chart]:
    """What each frame makes of the digit in the sidebar."""
    steps = _frames(run)
    if not steps:
        return []
    digit, names = state.digit(), open_network(run.id).card.class_names
    shares = np.array([ask.trace(NetworkRef(run.id, step), digit).trace.output for step in steps])
    best = np.argsort(-shares.max(axis=0))[:5]
    lines = {names[k]: (np.array(steps), shares[:, k]) for k in sorted(best)}
    return [chart_of("Probabilities of the digit in the sidebar", lines, percent=True, marks=True)]


def _filters(run: Run) -> None:
    """The first layer's filters at the newest frame."""
    steps = _frames(run)
    if not steps:
        return
    kernel = next(iter(weights_at(NetworkRef(run.id, steps[-1])).values())).get("kernel")
    if kernel is None or kernel.ndim != 4:
        return
    picture = feature_map_atlas(kernel[:, :, 0, :], columns=8)
    with st.container(key="train-filters"):
        st.html(
            '<p class="cs-title">First layer’s filters</p>'
            f"{html.picture(picture, f'Filters at step {steps[-1]}', 256)}"
            f'<p class="cs-scale">{html.number(-picture.limit)}{html.ramp(picture.scale)}'
            f"{html.number(picture.limit)}, step {steps[-1]:,}</p>"
        )
