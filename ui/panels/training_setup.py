"""What to train: a recipe, or every choice by itself, and the Keras code it amounts to."""

from dataclasses import asdict, replace
from typing import Any

import streamlit as st

from cnn_core.data.datasets import DATASETS
from cnn_core.data.images import TRAINING_IMAGES
from cnn_core.errors import BadConfig, ConvScopeError
from cnn_core.networks.design import Design
from cnn_core.networks.designs import saved_designs
from cnn_core.networks.draft import draft, graph_of_design
from cnn_core.networks.graph import Graph
from cnn_core.networks.zoo import architectures, open_network
from cnn_core.settings import is_public
from cnn_core.training.budget import budget, check_cost
from cnn_core.training.code import training_code
from cnn_core.training.config import (
    COURSE,
    FAST,
    OPTIMIZERS,
    SCHEDULES,
    TrainingConfig,
    check_start,
)
from ui import state

_RECIPES = {"The course's": COURSE, "Fast": FAST}
_FRESH = "random weights"
_AS_IN_SIDEBAR = "as in the sidebar"
_VALUES = (
    "architecture", "dataset", "optimizer", "schedule", "augmentation", "learning_rate",
    "batch_size", "epochs", "share", "validation_split", "label_smoothing", "seed",
)  # fmt: skip


def training_setup() -> TrainingConfig | None:
    """The chosen set-up; None, with the reason on the page, if it cannot be."""
    if "set-learning_rate" not in st.session_state:
        _fill(COURSE)
    with st.container(key="train-setup"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            for name, recipe in _RECIPES.items():
                st.button(
                    f"{name} recipe",
                    key=f"recipe-{name}",
                    on_click=lambda recipe=recipe: _fill(recipe),
                )
            st.caption(
                "The course's: Adam, 5 epochs of 48,000 digits. Fast: 12,800 digits once, about "
                "98% right within a coffee sip, by one cycle of a high learning rate, small "
                "batches and softened labels."
            )
        if is_public():
            most = budget()
            st.caption(
                f"This server is open to everybody: a training has at most {most.epochs} epochs "
                f"and {most.steps:,} steps, and waits for its turn. What you train here is deleted "
                "when room is needed; download what you want to keep."
            )
        with st.container(key="train-choices"):
            _choices()
        try:
            config = _config()
            check_cost(config)
        except BadConfig as error:
            st.error(str(error))
            return None
        st.caption(
            f"{config.total_steps:,} steps of {config.batch_size} digits; "
            f"{config.training_digits:,} to learn from, {config.validation_digits:,} held out."
        )
        st.caption(
            f"{config.optimizer}: {OPTIMIZERS[config.optimizer]}. Rate, {config.schedule}: "
            f"{SCHEDULES[config.schedule]}."
        )
        with st.expander("The Keras code of this set-up"):
            st.code(training_code(config, _graph(config)), language="python")
        return config


def _graph(config: TrainingConfig) -> Graph:
    """The layers that are trained."""
    if config.start is None and config.design is not None:
        return graph_of_design(config.design)
    return open_network(config.start.id if config.start else config.architecture).graph


def _designs() -> dict[str, Design]:
    """Their own designs that can be trained, by what names them in the field."""
    return {
        f"design:{saved.id}": saved.design
        for saved in saved_designs(state.owner())
        if draft(saved.design).graph is not None
    }


def _choices() -> None:
    def keep(name: str) -> dict[str, Any]:
        return {"key": f"set-{name}", "persist_state": "session"}

    designs = _designs()
    networks = [*architectures(), *designs]
    if st.session_state.get("set-architecture") not in networks:
        st.session_state["set-architecture"] = COURSE.architecture
    st.selectbox(
        "Network", networks, **keep("architecture"),
        format_func=lambda id: designs[id].name if id in designs else open_network(id).card.title,
        help="The layers. Classic is the course's; your own are made on Architectures.",
    )  # fmt: skip
    here = [dataset.id for dataset in DATASETS.values() if dataset.here()]
    if st.session_state.get("set-dataset") not in here:
        st.session_state["set-dataset"] = here[0]
    st.selectbox(
        "Data set", here, **keep("dataset"), format_func=lambda id: DATASETS[id].title,
        help="Digits, or clothing if this machine has Fashion-MNIST; About says how.",
    )  # fmt: skip
    present = state.network()
    st.selectbox(
        "Begin with", [_FRESH, _AS_IN_SIDEBAR], **keep("begin"),
        help="Train from scratch, or go on from the network and moment shown in the sidebar: "
        f"{open_network(present.id).card.title}, step {present.step:,}.",
    )  # fmt: skip
    st.selectbox(
        "Optimizer", list(OPTIMIZERS), **keep("optimizer"),
        help="; ".join(f"{name}: {words}" for name, words in OPTIMIZERS.items()),
    )  # fmt: skip
    st.selectbox(
        "Schedule", list(SCHEDULES), **keep("schedule"),
        help="; ".join(f"{name}: {words}" for name, words in SCHEDULES.items()),
    )  # fmt: skip
    st.number_input(
        "Learning rate", 1e-6, 10.0, step=1e-4, format="%.5f", **keep("learning_rate"),
        help="How far each step goes.",
    )  # fmt: skip
    st.number_input(
        "Batch size", 1, TRAINING_IMAGES, step=1, **keep("batch_size"),
        help="Images looked at for one step.",
    )  # fmt: skip
    st.number_input("Epochs", 1, 1000, step=1, **keep("epochs"), help="Times through the digits.")
    st.number_input(
        "Share of the data", 0.0005, 1.0, step=0.1, format="%.4f", **keep("share"),
        help=f"Of the {TRAINING_IMAGES:,} training images.",
    )  # fmt: skip
    st.number_input(
        "Held out", 0.0, 0.95, step=0.05, format="%.2f", **keep("validation_split"),
        help="The share that is kept from training, to see whether it learns or learns by heart.",
    )  # fmt: skip
    st.number_input(
        "Label smoothing", 0.0, 0.9, step=0.01, format="%.2f", **keep("label_smoothing"),
        help="How far the aim falls short of 100% for the true class.",
    )  # fmt: skip
    st.number_input("Seed", 0, 2**31 - 1, step=1, **keep("seed"), help="Same seed, same training.")
    st.toggle(
        "Augmentation", **keep("augmentation"), help="Shift, turn and scale every digit a little."
    )


def prepare(architecture: str) -> None:
    """Have the course's recipe ready for another architecture, or for ``design:<id>``."""
    _fill(replace(COURSE, architecture=architecture))


def _fill(config: TrainingConfig) -> None:
    values = asdict(config)
    for name in _VALUES:
        st.session_state[f"set-{name}"] = values[name]
    st.session_state["set-begin"] = _FRESH


def _config() -> TrainingConfig:
    """What the fields say. Their limits are only in the browser: it checks itself."""
    values = {name: st.session_state[f"set-{name}"] for name in _VALUES}
    begin = None if st.session_state["set-begin"] == _FRESH else state.network().whole
    if begin is not None:
        check_start(open_network(begin.id).card)
    try:
        design = _designs().get(values["architecture"])
        if design is not None:
            values["architecture"] = design.name
        elif values["architecture"] not in architectures():
            raise BadConfig(f"There is no network {values['architecture']!r:.40} to train.")
        return TrainingConfig(**values, start=begin, design=design)
    except ConvScopeError:
        raise
    except TypeError as error:
        raise BadConfig(f"This set-up cannot be read: {error}.") from error
