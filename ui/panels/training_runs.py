"""The runs there are: compared in one plot and one table, renamed, kept, downloaded, deleted."""

import io
import time
import zipfile
from collections.abc import Callable

import numpy as np
import streamlit as st

from cnn_core.errors import ConvScopeError, RunError
from cnn_core.settings import is_public
from cnn_core.training.diagnosis import smoothed
from cnn_core.training.run import Run
from cnn_core.training.run_state import LIVING
from cnn_core.training.runs import Runs, quota_bytes, share_bytes
from cnn_core.views.charts import chart_of
from cnn_core.views.figures import figure
from ui import state
from ui.panels.selection import chosen_rows

_LARGE_FILM = 100_000_000
"""Bytes: it is put together in memory, for each who asks."""


def runs_table(runs: list[Run], damaged: list[str]) -> None:
    """All runs; those chosen in the table are compared."""
    st.header("Runs", anchor=False)
    for sentence in damaged:
        st.warning(sentence)
    if not runs:
        st.caption("There are none yet. What is trained is kept here.")
        return
    rows = [_row(run) for run in runs]
    used = sum(run.size for run in runs)
    most = share_bytes() if state.owner() else quota_bytes()
    chosen = st.dataframe(
        rows,
        key="runs",
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "Held out": st.column_config.NumberColumn(format="percent"),
            "Test digits": st.column_config.NumberColumn(format="percent"),
        },
        placeholder="–",
        alt="The runs with their settings and results",
    )
    st.caption(
        f"{used / 1e6:,.0f} of {most / 1e6:,.0f} MB used. When room is needed, the oldest "
        f"{'' if is_public() else 'that nobody keeps '}goes first. Choose rows to compare them; "
        f"choose one to rename, {'' if is_public() else 'keep, '}download or delete it."
    )
    picked = [runs[k] for k in chosen_rows(chosen, len(runs))]
    if picked:
        _compared(picked)
    if len(picked) == 1:
        _one(picked[0])


def _row(run: Run) -> dict[str, object]:
    config, now = run.config, run.state
    try:
        epochs = run.history().val_accuracy
    except RunError:  # its file is damaged: that is said where the run is followed
        epochs = np.empty(0)
    return {
        "Run": run.name,
        "State": now.word,
        "Network": config.architecture,
        "Optimizer": config.optimizer,
        "Rate": config.learning_rate,
        "Batch": config.batch_size,
        "Steps": now.step,
        "Held out": float(epochs[-1]) if len(epochs) else None,
        "Test digits": now.test_accuracy,
        "Kept": run.kept,
        "MB": round(run.size / 1e6, 1),
        "Begun": time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created)),
    }


def _compared(runs: list[Run]) -> None:
    losses, shares = {}, {}
    for run in runs:
        try:
            history = run.history()
        except RunError as error:
            st.warning(str(error))
            continue
        label = (
            run.name if [r.name for r in runs].count(run.name) == 1 else f"{run.name} {run.id[:4]}"
        )
        losses[label] = history.step, smoothed(history.loss)
        shares[label] = history.epoch_step, history.val_accuracy
    with st.container(key="runs-compared"):
        left, right = st.columns(2)
        left.plotly_chart(figure(chart_of("Loss, smoothed", losses)), key="compare-loss")
        right.plotly_chart(
            figure(chart_of("Held-out digits right", shares, percent=True, marks=True)),
            key="compare-accuracy",
        )


def _one(run: Run) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="run-tools"):
        st.text_input(
            "Name", run.name, max_chars=60, key=f"run-name-{run.id}",
            on_change=lambda: _try(lambda: run.rename(st.session_state[f"run-name-{run.id}"])),
        )  # fmt: skip
        if not is_public():  # there, nothing is kept longer than there is room
            st.toggle(
                "Keep", run.kept, key=f"run-keep-{run.id}",
                help="Never deleted to make room",
                on_change=lambda: _try(
                    lambda: Runs().keep(run.id, bool(st.session_state[f"run-keep-{run.id}"]))
                ),
            )  # fmt: skip
        st.button("Follow", key="run-follow", on_click=lambda: state.follow_run(run.id))
        for name, label in (("model.keras", ".keras"), ("history.csv", "history.csv")):
            file = run.folder / name
            if file.exists():
                st.download_button(
                    label, file.read_bytes, f"{run.name}-{name}",
                    key=f"run-get-{name}", icon=":material/download:", on_click="ignore",
                )  # fmt: skip
        large = state.in_classroom() and run.size > _LARGE_FILM
        st.download_button(
            "film", lambda: _film(run), f"{run.name}-film.zip", key="run-get-film",
            icon=":material/download:", on_click="ignore", disabled=large,
            help="Too large to be sent from here: it lies in the server's folder of runs" if large
            else None,
        )  # fmt: skip
        if run.state.word not in LIVING:
            with st.popover("Delete", icon=":material/delete:"):
                st.markdown(f"Delete **{run.name}** with its film? It cannot be had back.")
                st.button(
                    "Delete it",
                    key="run-delete",
                    on_click=lambda: _try(lambda: Runs().delete(run.id)),
                )


def _film(run: Run) -> bytes:
    """All frames in one file; they are compressed as far as they go already."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for frame in sorted((run.folder / "film").glob("*.safetensors")):
            archive.write(frame, frame.name)
    return content.getvalue()


def _try(change: Callable[[], None]) -> None:
    try:
        change()
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))
