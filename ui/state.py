"""The digit, the network, the moment: one person's state.

Pages read and write it through these functions only; `ui.address` fills it from a link.
"""

import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from cnn_core.course.lesson import load_course
from cnn_core.data.digit import Digit, mnist_digit
from cnn_core.errors import DataError, NetworkError, NoSuchUnit
from cnn_core.networks.lesion import check_lesion
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import (
    open_network,
    own_networks,
    shipped_networks,
    uploaded_networks,
)
from cnn_core.probe.geometry import CONVOLUTIONS, Index, check_index
from cnn_core.settings import is_classroom, is_public
from cnn_core.training.run import Run
from cnn_core.training.run_state import LIVING
from ui.present import CONTROLS

FIRST_DIGIT = 30  # the worked example that a new visitor finds
_LONGEST_DRAWING = 500_000  # letters of strokes that are kept to be drawn again


def first_network() -> NetworkRef:
    """The network that a new visitor looks through."""
    return open_network("classic").last


@dataclass(frozen=True)
class Canvas:
    """What the drawing canvas is to show.

    Attributes
    ----------
    revision : a new number tells the browser to load `start` afresh; the same leaves it alone.
    start : the strokes it starts from, as the canvas describes them.
    strokes : those it has now.
    mount : a new number makes the browser forget the canvas and make another.
    """

    revision: int = 0
    start: tuple[dict[str, Any], ...] = ()
    strokes: tuple[dict[str, Any], ...] = ()
    mount: int = 0


def begin_visit() -> bool:
    """Fill a new visitor's state, as it is before anything is chosen; whether it is a new one."""
    if "digit" in st.session_state:
        return False
    st.session_state.digit = mnist_digit(FIRST_DIGIT)
    st.session_state.network = first_network()
    st.session_state.layer = ""
    st.session_state.unit = None
    st.session_state.canvas = Canvas()
    st.session_state.notice = ""
    st.session_state.place = (0, 0)
    st.session_state.entered = None
    st.session_state.presenting = False
    st.session_state.hidden = ()
    return True


def begin_page(path: str) -> None:
    """What comes before each run of a page."""
    _check_network()
    if st.session_state.get("page") != path:
        st.session_state.page = path
        # The canvas, if this page has one, is mounted anew: it starts from the saved strokes.
        redraw(canvas().strokes)


def _check_network() -> None:
    """A network trained here, or one of its frames, may have been deleted meanwhile."""
    ref = network()
    try:
        open_network(ref.id).film.check(ref.step)
    except NetworkError as error:
        st.session_state.network = first_network()
        notify(str(error))


def digit() -> Digit:
    """The digit under the lens."""
    return st.session_state.digit


def network() -> NetworkRef:
    """The network looked through, at the moment looked at."""
    return st.session_state.network


def networks() -> list[str]:
    """The ids of those to choose from: what comes with ConvScope, and one's own."""
    return [*shipped_networks(), *own_networks(owner()), *uploaded_networks(owner())]


def canvas() -> Canvas:
    """What the drawing canvas is to show."""
    return st.session_state.canvas


def choose_digit(digit: Digit) -> None:
    """Put a digit that was not drawn under the lens; the canvas becomes fresh."""
    st.session_state.digit = digit
    notify("")
    redraw(())


def draw_digit(digit: Digit, strokes: list[dict[str, Any]]) -> None:
    """Put the drawing under the lens, and keep its strokes."""
    st.session_state.digit = digit
    notify("")
    keep_strokes(strokes)


def keep_strokes(strokes: list[dict[str, Any]]) -> None:
    """Remember what stands on the canvas, so that it can be drawn again after a page change."""
    try:
        short = len(json.dumps(strokes, allow_nan=False)) <= _LONGEST_DRAWING
    except (ValueError, RecursionError):  # it could not be sent back to the browser either
        short = False
    if short:
        st.session_state.canvas = replace(canvas(), strokes=tuple(strokes))


def redraw(strokes: tuple[dict[str, Any], ...]) -> None:
    """Have the canvas show exactly these strokes."""
    now = canvas()
    st.session_state.canvas = Canvas(now.revision + 1, strokes, strokes, now.mount)


def replace_canvas() -> None:
    """Make another canvas of the saved strokes, forgetting what the browser sent."""
    redraw(canvas().strokes)
    st.session_state.canvas = replace(canvas(), mount=canvas().mount + 1)


def choose_network(id: str) -> None:
    """Look through another network, at the end of its film.

    Raises
    ------
    UnknownNetwork : there is none of that name.
    """
    st.session_state.network = open_network(id).last


def leave_network() -> None:
    """Look through the first network again: the present one is no more."""
    st.session_state.network = first_network()


def choose_step(step: int) -> None:
    """Freeze the network at another moment.

    Raises
    ------
    UnknownStep : its film has no frame at that step.
    """
    ref = network()
    open_network(ref.id).film.check(step)
    st.session_state.network = replace(ref, step=step)


def switch_off(lesion: Iterable[tuple[str, int]]) -> None:
    """Have exactly these units off, on every page. Raises `BadLesion`."""
    ref = network()
    units = check_lesion(open_network(ref.id).graph, tuple(lesion))
    st.session_state.network = replace(ref, lesion=units)


def in_classroom() -> bool:
    """Whether runs belong to whoever made them: in a classroom, and in public."""
    return is_classroom()


def uploads_allowed() -> bool:
    """Whether visitors may bring networks of their own: not in public."""
    return not is_public()


def owner() -> str:
    """Whose runs these are: empty, everybody's, unless this is a classroom."""
    if not in_classroom():
        return ""
    if "owner" not in st.session_state:
        st.session_state.owner = secrets.token_hex(16)  # until the browser says its own
    return st.session_state.owner


def take_owner(token: object) -> None:
    """The token that the browser keeps. What arrives may be anything: that changes nothing."""
    if isinstance(token, str) and re.fullmatch(r"[0-9a-f]{32}", token):
        st.session_state.owner = token


def run(runs: list[Run]) -> Run | None:
    """The run that is followed: the one chosen, else one that is going on, else the newest."""
    wanted = st.session_state.get("run", "")
    for run in runs:
        if run.id == wanted:
            return run
    living = [run for run in runs if run.state.word in LIVING]
    return next(iter([*living, *runs]), None)


def follows(run: Run) -> bool:
    """Whether somebody has chosen to follow just this run, by starting it or from the list."""
    return st.session_state.get("run") == run.id


def follow_run(id: str) -> None:
    """Follow another run on Train."""
    st.session_state.run = id


def layer() -> str:
    """The layer looked at; the first convolution until one is chosen that the network has."""
    graph = open_network(network().id).graph
    names = [spec.name for spec in graph]
    if st.session_state.layer in names:
        return st.session_state.layer
    return next((spec.name for spec in graph if spec.kind in CONVOLUTIONS), names[0])


def choose_layer(name: str) -> None:
    """Look at another layer of the network. Raises `UnknownLayer`."""
    st.session_state.layer = open_network(network().id).graph[name].name
    st.session_state.unit = None


def unit() -> Index | None:
    """The chosen unit of `layer()`; None while none is chosen that it has."""
    try:
        spec = open_network(network().id).graph[layer()]
        return check_index(spec, st.session_state.unit or ())
    except NoSuchUnit:
        return None


def choose_unit(index: Index, layer_name: str | None = None) -> None:
    """Choose a unit of `layer()`, or of another layer, which becomes the layer looked at.

    Raises
    ------
    UnknownLayer, NoSuchUnit : there is no such unit; nothing is changed.
    """
    spec = open_network(network().id).graph[layer_name or layer()]
    unit = check_index(spec, index)
    st.session_state.layer, st.session_state.unit = spec.name, unit


def place() -> tuple[int, int]:
    """Lesson and card that are open, each from 1; `(0, 0)` is the course's overview."""
    found: tuple[int, int] = st.session_state.place
    return found


def choose_place(lesson: int, card: int) -> None:
    """Open a card of a lesson, or the overview.

    Raises
    ------
    DataError : there is no such card; nothing is changed.
    """
    course = load_course()
    if type(lesson) is not int or type(card) is not int:  # a field may have been sent anything
        raise DataError("A lesson and its card are whole numbers.")
    if (lesson, card) != (0, 0) and not (
        1 <= lesson <= len(course) and 1 <= card <= len(course[lesson - 1].cards)
    ):
        raise DataError(f"There is no card {card} in lesson {lesson}.")
    st.session_state.place = (lesson, card)


def entered() -> bool:
    """Whether the open card has had its say about what is looked at."""
    return bool(st.session_state.entered == place())


def enter() -> None:
    """From now on what is looked at is the person's own choice, until another card is opened."""
    st.session_state.entered = place()


def presenting() -> bool:
    """Whether the pages are dressed for a projector."""
    return st.session_state.presenting


def present(on: bool) -> None:
    """Dress the pages for a projector, or for work again."""
    st.session_state.presenting = on


def hidden() -> tuple[str, ...]:
    """Which of `ui.present.CONTROLS` are out of sight."""
    return st.session_state.hidden


def hide(names: Iterable[str]) -> None:
    """Have exactly these controls out of sight, in the order of `ui.present.CONTROLS`."""
    wanted = set(names)
    st.session_state.hidden = tuple(name for name in CONTROLS if name in wanted)


def notify(sentence: str) -> None:
    """Say one sentence to the person on the page; an empty one takes it back."""
    st.session_state.notice = sentence


def notice() -> str:
    return st.session_state.notice
