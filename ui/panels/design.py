"""Build your own: layers in a table, what they come to, and the digit through them at once."""

import hashlib
import json
from functools import lru_cache

import numpy as np
import streamlit as st

from cnn_core.data.datasets import MNIST
from cnn_core.errors import BadDesign, ConvScopeError
from cnn_core.networks.design import FIRST_DESIGN, Design
from cnn_core.networks.designs import delete_design, save_design, saved_designs
from cnn_core.networks.draft import Draft, draft, graph_of_design
from cnn_core.networks.graph import Graph
from cnn_core.networks.source import model_code
from cnn_core.networks.start import random_weights
from cnn_core.probe.accounting import accounts
from cnn_core.probe.reference import reference_trace
from cnn_core.probe.trace import Trace
from ui import state
from ui.layer_editor import edited_layers, layer_editor
from ui.network_view import operation_view
from ui.panels import html
from ui.panels.training_setup import prepare

_EDITOR = "design-layers"
_SEED = 1


def build_your_own() -> None:
    """The design under work: its figures, its table, its picture, its code."""
    design = _design()
    drafted = draft(design)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.text_input("Name", key="design-name", max_chars=40, width=220, on_change=_take_name)
        _ways_on(design, drafted)
        _saved()
    _figures(design, drafted)
    layer_editor(
        design, drafted, st.session_state["design-revision"], key=_EDITOR, on_edit=_take_layers
    )
    st.header("Your digit through it, before any training", anchor=False)
    _looked_through(drafted)
    if drafted.graph is not None:
        with st.expander("The Keras code of it", key="design-code"):
            st.code(model_code(drafted.graph), language="python")


def _design() -> Design:
    """The design under work; the first one for a new visitor."""
    if "design" not in st.session_state:
        _put(FIRST_DESIGN)
    found: Design = st.session_state["design"]
    st.session_state["design-name"] = found.name
    return found


def _put(design: Design) -> None:
    st.session_state["design"] = design
    st.session_state["design-revision"] = st.session_state.get("design-revision", 0) + 1


def _take_layers() -> None:
    """What the table sent. It may be anything."""
    try:
        revision, layers = edited_layers(st.session_state[_EDITOR].get("layers"))
        st.session_state["design"] = Design(_design().name, layers)
        st.session_state["design-revision"] = revision
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def _take_name() -> None:
    try:
        st.session_state["design"] = Design(st.session_state["design-name"], _design().layers)
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def _figures(design: Design, drafted: Draft) -> None:
    """What the whole of it costs, or where it breaks."""
    if drafted.graph is None:
        number = (drafted.broken or 0) + 1
        where = f"layer {number}" if number <= len(design.layers) else "the output"
        line = f"<strong>It breaks at {where}.</strong> {html.safe(drafted.why)}"
    else:
        counted = accounts(drafted.graph)
        sees = next(one.field for one in reversed(counted) if all(one.jump))
        line = (
            f"<strong>{drafted.graph.parameter_count:,}</strong> parameters, "
            f"<strong>{sum(one.multiply_adds for one in counted):,}</strong> multiply-adds for one "
            f"image; a cell of its last maps sees <strong>{html.shape(sees)}</strong> of it."
        )
    with st.container(key="design-figures"):
        st.html(f'<p class="cs-figures">{line}</p>')


def _ways_on(design: Design, drafted: Draft) -> None:
    st.button(
        "Train it",
        key="design-train",
        type="primary",
        icon=":material/model_training:",
        disabled=drafted.graph is None,
        on_click=_train,
    )
    st.button("Save", key="design-save", icon=":material/save:", on_click=_save)
    st.download_button(
        "JSON",
        design.to_json(),
        f"{_file_name(design)}.json",
        "application/json",
        key="design-download",
        icon=":material/download:",
        on_click="ignore",
    )


def _file_name(design: Design) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in design.name)


def _train() -> None:
    try:
        saved = save_design(_design(), state.owner())
        graph_of_design(saved.design)
        prepare(f"design:{saved.id}")
        st.session_state["go-to"] = "pages/train.py"
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def _save() -> None:
    try:
        save_design(_design(), state.owner())
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def _saved() -> None:
    """Their designs on disk, to open or delete; and one from a file."""
    kept = saved_designs(state.owner())
    with st.popover(f"Open, {len(kept)} saved", icon=":material/folder_open:"):
        for saved in kept:
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.button(
                    saved.design.name,
                    key=f"design-open-{saved.id}",
                    on_click=lambda saved=saved: _put(saved.design),
                )
                st.button(
                    "Delete",
                    key=f"design-delete-{saved.id}",
                    icon=":material/delete:",
                    help=f"Delete {saved.design.name}",
                    on_click=lambda saved=saved: _delete(saved.id),
                )
        st.file_uploader(
            "A design's JSON file",
            type=["json"],
            key="design-upload",
            max_upload_size=1,
            on_change=_take_file,
        )


def _delete(id: str) -> None:
    try:
        delete_design(id, state.owner())
    except ConvScopeError as error:
        state.notify(str(error))


def _take_file() -> None:
    file = st.session_state["design-upload"]
    if file is None:
        return  # taken away again
    try:
        _put(Design.from_json(file.getvalue()))
        state.notify("")
    except BadDesign as error:
        state.notify(str(error))


def _looked_through(drafted: Draft) -> None:
    """The network view on the present digit, with random weights, as far as it goes."""
    digit, graph = state.digit(), drafted.so_far
    layers = json.dumps(graph.to_json(), sort_keys=True)
    with st.container(key="design-view"):
        operation_view(
            _untrained_trace(layers, digit.pixels.tobytes()),
            key="design-network",
            on_unit=lambda: None,  # it is of no page's network
            picture=hashlib.sha256(f"{layers}{digit.token}".encode()).hexdigest()[:16],
            classes=MNIST.class_names if drafted.graph else (),
        )
    as_far = "" if drafted.graph else "It is shown as far as it goes. "
    st.caption(
        f"{as_far}Its weights are random, as at the start of a training: what comes out is a "
        "guess, and every number is computed all the same."
    )


@lru_cache(maxsize=8)
def _untrained_trace(layers: str, image: bytes) -> Trace:
    """What a graph, as JSON, makes of the digit with random weights."""
    graph = Graph.from_json(json.loads(layers))
    pixels = np.frombuffer(image, np.float32).reshape(graph.input.output_shape)
    return reference_trace(graph, random_weights(graph, _SEED), pixels)
