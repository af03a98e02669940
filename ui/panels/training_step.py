"""One step taken apart: forward, loss, gradient, update."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.errors import ConvScopeError
from cnn_core.training.control import Order
from cnn_core.training.events import Dissection
from cnn_core.training.recorder import read_dissection
from cnn_core.training.run import Run
from cnn_core.training.run_state import RunState
from cnn_core.views.atlas import Picture, digit_picture, feature_map_atlas, map_picture
from ui import ask, state
from ui.panels import html

_STAGES = ("Forward", "Loss", "Gradient", "Update")
_SHOWN = 64  # digits of the batch


def training_step(run: Run, now: RunState) -> None:
    """The step that a paused training stands before, or has just made, if it was taken apart."""
    if now.word != "paused":
        return
    try:
        dissection = read_dissection(run)
    except ConvScopeError as error:
        st.error(str(error))
        return
    if dissection is None or now.step not in (dissection.step, dissection.step + 1):
        return
    with st.container(key="train-step"):
        st.header(f"Step {dissection.step + 1:,}, taken apart", anchor=False)
        stage = st.segmented_control(
            "Stage", _STAGES, default="Forward", required=True, label_visibility="collapsed",
            # While its step is being made the run is no longer paused, and this not shown.
            key=f"train-stage-{dissection.step}", persist_state="session",
        )  # fmt: skip
        show = {"Forward": _forward, "Loss": _loss, "Gradient": _gradient}.get(stage)
        if show is not None:
            show(dissection)
        else:
            _update(run, dissection)


def _batch(dissection: Dissection, captions: list[str]) -> None:
    cards = "".join(
        f"<figure>{html.picture(digit_picture(image[..., 0]), f'a {label}', 56)}"
        f"<figcaption>{caption}</figcaption></figure>"
        for image, label, caption in zip(
            dissection.images, dissection.labels, captions, strict=False
        )
    )
    st.html(f'<div class="cs-batch cs-many">{cards}</div>')


def _forward(dissection: Dissection) -> None:
    right = dissection.probabilities.argmax(axis=1) == dissection.labels
    st.markdown(
        f"The network looks at the batch of {len(dissection.labels)}: it names "
        f"{int(right.sum())} of them right. Below each digit, its answer and how sure it is; "
        "wrong ones are bold."
    )
    said = [f"{row.argmax()}, {html.percent(float(row.max()))}" for row in dissection.probabilities]
    _batch(
        dissection,
        [
            words if good else f"<strong>{words}</strong>"
            for words, good in zip(said[:_SHOWN], right[:_SHOWN], strict=True)
        ],
    )


def _loss(dissection: Dissection) -> None:
    st.markdown(
        f"Each digit's loss is −ln of the probability that its true class got. Their mean, "
        f"**{dissection.losses.mean():.4f}**, is what the step is to make smaller. Dearest first:"
    )
    order = np.argsort(-dissection.losses)[:_SHOWN]
    dearest = Dissection(
        dissection.step, dissection.images[order], dissection.labels[order],
        dissection.probabilities[order], dissection.losses[order], {}, {},
    )  # fmt: skip
    _batch(
        dearest,
        [
            f"a {label}: {loss:.3f}"
            for label, loss in zip(dearest.labels, dearest.losses, strict=True)
        ],
    )


def _gradient(dissection: Dissection) -> None:
    st.markdown(
        "For every weight: how much the loss rises if it grows a little. Each layer's weights "
        "beside their gradient, each picture on its own scale, blue below 0 and orange above."
    )
    _side_by_side(
        {
            layer: [
                ("weights", named["kernel"], _greatest(named["kernel"])),
                ("gradient", gradient, _greatest(gradient)),
            ]
            for layer, named in dissection.before.items()
            if "kernel" in named
            for gradient in [dissection.gradients[layer]["kernel"]]
        }
    )


def _update(run: Run, dissection: Dissection) -> None:
    optimizer = run.config.optimizer
    if dissection.after is None:
        st.markdown(f"{optimizer} has not moved the weights yet.")
        st.button(
            "Make the step",
            key="train-make",
            type="primary",
            on_click=lambda: _make(run),
        )
        return
    after = dissection.after
    st.markdown(
        f"{optimizer} has moved every weight, by its rule and with what it remembers of the steps "
        "before. The weights before and after on one scale, and what was added on its own:"
    )
    _side_by_side(
        {
            layer: [
                ("before", old, _greatest(old, new)),
                ("after", new, _greatest(old, new)),
                ("change", new - old, _greatest(new - old)),
            ]
            for layer, named in dissection.before.items()
            if "kernel" in named
            for old, new in [(named["kernel"], after[layer]["kernel"])]
        }
    )


def _make(run: Run) -> None:
    try:
        ask.trainings().give(run.id, Order("batch"))
    except ConvScopeError as error:
        state.notify(str(error))


Shown = tuple[str, NDArray, float]
"""What it is, the kernel, and the limit of its scale."""


def _side_by_side(layers: dict[str, list[Shown]]) -> None:
    rows = "".join(
        f'<div class="cs-pair"><strong>{html.safe(layer)}</strong>'
        + "".join(
            f"<figure>{html.picture(_picture(kernel, limit), f'{name} of {layer}', 288)}"
            f"<figcaption>{name}, up to {html.number(limit)}</figcaption></figure>"
            for name, kernel, limit in row
        )
        + "</div>"
        for layer, row in layers.items()
    )
    st.html(f'<div class="cs-pairs">{rows}</div>')


def _greatest(*kernels: NDArray) -> float:
    return float(max(np.abs(kernel).max() for kernel in kernels))


def _picture(kernel: NDArray, limit: float) -> Picture:
    """Kernels of one channel as tiles; anything else as a matrix, a row an output."""
    if kernel.ndim == 4 and kernel.shape[2] == 1:
        return feature_map_atlas(kernel[:, :, 0, :], limit, columns=8, signed=True)
    return map_picture(kernel.reshape(-1, kernel.shape[-1]).T, limit, signed=True)
