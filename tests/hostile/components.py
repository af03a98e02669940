"""What the small components send, and what somebody in their place may send."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from cnn_core.errors import ConvScopeError, LinkError, NoSuchUnit
from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.networks.zoo import open_network
from tests.hostile.door import DEEP, HUGE, Door, numbers, plain
from tests.hostile.page_run import checked
from ui import address, ask, state
from ui.kernel_editor import edited_kernel
from ui.layer_editor import edited_layers
from ui.painter import painted
from ui.panels.selection import chosen_rows
from ui.panels.try_shapes import flat_position
from ui.progress import kept_places

PARTS = {
    "moment-slider": "step", "drawing-0": "drawing", "network-view-whole": "unit",
    "maps-picker": "pick", "map-picker": "pick", "filters-picker": "pick", "film-picker": "pick",
    "confusion-table": "pick", "sprites": "pick", "digit-map": "pick", "lesson-steps": "go",
    "lesson-answer": "answer", "progress-keeper": "kept", "try-kernel-editor-3": "kernel",
    "convolution-view": "unit", "flat-view": "unit", "design-layers": "layers",
    "owner-token": "token", "painter": "image", "try-painter": "image",
}  # fmt: skip
"""The components whose state is read, each with the name of what it sends."""


def read_component(part: str) -> None:
    """What the callback of a component does with the state that was sent."""
    import streamlit

    from ui.panels import (
        canvas,
        design,
        evaluation,
        filters,
        fooling,
        layer,
        lesson,
        lesson_progress,
        mistakes,
        network,
        sidebar,
        try_convolution,
        try_source,
    )

    graph = open_network(state.network().id).graph

    def traced() -> Any:
        return ask.trace(state.network(), state.digit()).trace

    conv = graph["conv_1"]
    state.choose_place(3, 2)
    readers: dict[str, Callable[[], object]] = {
        "moment-slider": sidebar._take_step,
        "drawing-0": lambda: canvas._take("drawing-0"),
        "network-view-whole": network._take_unit,
        "maps-picker": lambda: layer._take("maps-picker", traced()[state.layer()]),
        "map-picker": lambda: layer._take("map-picker", traced()[state.layer()], 5),
        "filters-picker": lambda: filters._take_pick((3, 3, 32), 8, 1, conv, traced()),
        "film-picker": lambda: filters._take_frame((3, 3, 24), list(range(24))),
        "confusion-table": mistakes._take_cell,
        "sprites": lambda: evaluation.take_digit("sprites"),
        "digit-map": lambda: evaluation.take_digit("digit-map", stay=True),
        "lesson-steps": lesson._take_place,
        "lesson-answer": lesson._take_answer,
        "progress-keeper": lesson_progress._take,
        "try-kernel-editor-3": lambda: try_convolution._take(3),
        "convolution-view": lambda: try_convolution._take_unit("convolution"),
        "flat-view": lambda: _flat_position(
            streamlit.session_state["flat-view"].get("unit"), graph
        ),
        "design-layers": design._take_layers,
        "owner-token": lambda: state.take_owner(
            streamlit.session_state["owner-token"].get("token")
        ),
        "painter": fooling._take_painting,
        "try-painter": try_source._take,
    }
    readers[part]()


def _flat_position(sent: object, graph: Graph) -> int:
    flatten = graph["flatten"]
    try:
        return flat_position(sent, graph[flatten.inputs[0]], flatten)
    except NoSuchUnit:
        return 0


def _script() -> None:
    """Reads one payload after another, as callbacks would, and notes what became of each."""
    import streamlit

    from tests.hostile.components import read_all

    read_all(streamlit.session_state)


def read_all(now: Any) -> None:
    """Each of ``now["sent"]``: what was said, or what it crashed with."""
    address.begin_run("lessons")
    found: list[str | Exception] = []
    for part, value in now["sent"]:
        state.notify("")
        now["lesson-steps" if part == "lesson-answer" else part] = {PARTS[part]: value}
        try:
            read_component(part)
            address.link("lessons")
            found.append(state.notice())
        except Exception as error:
            found.append(error)
    now["found"] = found


def _enter_component(*sent: tuple[str, Any]) -> None:
    app = AppTest.from_function(_script, default_timeout=120)
    app.session_state["sent"] = sent
    app = checked(app.run())
    refused = ""
    for said in app.session_state["found"]:
        if isinstance(said, Exception):
            raise said
        refused = refused or said
    if refused:
        raise LinkError(refused)


_cells = st.lists(st.one_of(st.integers(-2, 40), numbers), max_size=4)
_units = st.fixed_dictionaries(
    {"layer": st.sampled_from(["conv_1", "flatten", "x"]), "index": _cells}
)
_rows = st.fixed_dictionaries({
    "revision": st.one_of(st.integers(0, 9), plain),
    "layers": st.lists(st.one_of(plain, st.dictionaries(
        st.sampled_from(["kind", "filters", "kernel", "rate"]), plain, max_size=3
    )), max_size=4),
})  # fmt: skip
_one = st.tuples(
    st.sampled_from(sorted(PARTS)),
    st.one_of(plain, _cells, _units, _rows, st.lists(_cells, min_size=3, max_size=3)),
)
_several = st.lists(_one, min_size=6, max_size=12)
_DRAWN = {"raw": {"objects": []}, "data": "data:image/png;base64,AAAA"}
_COMPONENTS = (
    *((part, value) for part in PARTS for value in (None, DEEP, HUGE, float("nan"), {"index": 1})),
    ("drawing-0", {**_DRAWN, "raw": []}), ("drawing-0", {**_DRAWN, "raw": {"objects": [DEEP]}}),
    ("drawing-0", {"raw": {"objects": [{"x": float("nan")}]}, "data": _DRAWN["data"]}),
    ("drawing-0", _DRAWN),
    ("network-view-whole", {"layer": "conv_1", "index": [HUGE, 0, 0]}),
    ("network-view-whole", {"layer": "x" * 10**6, "index": []}),
    ("convolution-view", {"layer": "convolution", "index": [HUGE, HUGE, HUGE]}),
    ("flat-view", {"layer": "flatten", "index": [HUGE]}), ("flat-view", {"layer": [], "index": []}),
    ("flat-view", {"layer": {}, "index": [0, 0, 0]}), ("try-kernel-editor-3", [[HUGE] * 3] * 3),
    ("try-kernel-editor-3", [[float("nan")] * 3] * 3), ("sprites", HUGE), ("sprites", True),
    ("moment-slider", True), ("moment-slider", -1), ("map-picker", [-1, -1]), ("lesson-steps", -1),
    ("progress-keeper", [[], {}, "1.1", "9" * 10_000]), ("progress-keeper", ["1.1"] * 10_000),
    ("owner-token", "0" * 31 + "\n"), ("design-layers", {"revision": HUGE, "layers": []}),
    ("design-layers", {"revision": 1, "layers": [{"kind": "dropout", "rate": HUGE}]}),
    ("painter", "A" * 10**7), ("painter", "\ud800"), ("film-picker", [10**9, 10**9]),
)  # fmt: skip

DOOR = Door(
    "what components send",
    _several,
    tuple(tuple(_COMPONENTS[k : k + 10]) for k in range(0, len(_COMPONENTS), 10)),
    ((("moment-slider", 0), ("map-picker", [4, 9]), ("sprites", 7), ("owner-token", "0" * 32)),),
    lambda sent: _enter_component(*sent),
)
"""A payload is a visit: several messages, one after another."""


def _maps() -> tuple[LayerSpec, LayerSpec]:
    graph = open_network("classic").graph
    flatten = graph["flatten"]
    return graph[flatten.inputs[0]], flatten


_MAPS = _maps()


def _enter_readers(sent: Any) -> None:
    """Everything that reads what a component sent, without a page around it."""
    refused: list[ConvScopeError] = []
    readers: tuple[Callable[[], object], ...] = (
        lambda: edited_kernel(sent, 3),
        lambda: edited_layers(sent),
        lambda: painted(sent),
        lambda: kept_places(sent, ["1.1"]),
        lambda: chosen_rows(sent, 5),
        lambda: flat_position(sent, *_MAPS),
    )
    for read in readers:
        try:
            read()
        except ConvScopeError as error:
            refused.append(error)
    if refused:
        raise refused[0]


READERS = Door(
    "what components send, read alone",
    st.one_of(plain, _cells, _units, _rows, st.lists(_cells, min_size=3, max_size=3)),
    (
        *(value for _, value in _COMPONENTS), {"selection": {"rows": [-1, HUGE, "x", True, 1.0]}},
        {"selection": DEEP}, {"selection": None}, DEEP,
    ),
    (),
    _enter_readers,
)  # fmt: skip
