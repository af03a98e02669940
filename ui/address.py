"""One person's state as a link, both ways; `ui.link` writes it into the browser's address."""

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from cnn_core.course.lesson import load_course
from cnn_core.data.digit import digit_from_token
from cnn_core.errors import (
    ConvScopeError,
    DataError,
    LinkError,
    NetworkError,
    NoSuchUnit,
    UnknownStep,
)
from cnn_core.networks.film import step_from_text
from cnn_core.networks.lesion import lesion_from_text, lesion_text
from cnn_core.networks.zoo import open_network
from cnn_core.whole import is_whole
from ui import state
from ui.present import CONTROLS

LINK_VERSION = "1"
LESSONS_PAGE = "lessons"
_LONGEST_HIDE = 400  # letters of the names of what is hidden


def link(page: str) -> str:
    """The query string that reopens the present picture.

    Parameters
    ----------
    page : the path of the page it stands on.
    """
    network, unit = state.network(), state.unit()
    parts: dict[str, Any] = {
        "v": LINK_VERSION,
        "digit": state.digit().token,
        "network": network.id,
        "step": network.step,
        **({"off": lesion_text(network.lesion)} if network.lesion else {}),
        "layer": state.layer(),
        **({"unit": ",".join(map(str, unit))} if unit else {}),
        **({"present": "1"} if state.presenting() else {}),
        **({"hide": ",".join(state.hidden())} if state.hidden() else {}),
    }
    lesson, card = state.place()
    if lesson and page == LESSONS_PAGE:
        parts |= {"lesson": lesson, "card": card}
    return urlencode(parts, safe=",:;")


def begin_run(path: str) -> None:
    """Called by the shell before each page: a new visitor sees what their link names.

    Parameters
    ----------
    path : the page's, in the address.
    """
    if state.begin_visit():
        _read_link()
    state.begin_page(path)


def _read_link() -> None:
    """Take over what the link names; what it names wrongly is said, and left as it is."""
    readers = {
        "v": _read_version,
        "digit": _read_digit,
        "network": _read_network,
        "step": _read_step,
        "off": _read_lesion,
        "layer": _read_layer,
        "unit": _read_unit,
        "lesson": _read_lesson,
        "card": _read_card,
        "present": _read_present,
        "hide": _read_hidden,
    }
    wrong = []
    for name, read in readers.items():  # in this order: a step is one of its network's
        try:
            if name in st.query_params:
                read(st.query_params[name])
        except ConvScopeError as error:
            wrong.append(str(error))
    if any(name in st.query_params for name in ("digit", "network", "layer")):
        state.enter()  # what the link names is looked at, not what its card would have
    if wrong:
        state.notify("Part of this link was ignored. " + " ".join(wrong))


def _read_version(text: str) -> None:
    if text != LINK_VERSION:
        raise NetworkError(f"It has version {text[:9]!r}, this ConvScope reads {LINK_VERSION}.")


def _read_digit(text: str) -> None:
    state.choose_digit(digit_from_token(text))


def _read_network(text: str) -> None:
    state.choose_network(text)


def _read_step(text: str) -> None:
    steps = open_network(state.network().id).film.steps
    asked = step_from_text(text)
    nearest = min(steps, key=lambda step: abs(step - asked))
    state.choose_step(nearest)
    if nearest != asked:
        raise UnknownStep(f"There is no frame at step {text}; the nearest, {nearest}, is shown.")


def _read_lesion(text: str) -> None:
    state.switch_off(lesion_from_text(open_network(state.network().id).graph, text))


def _read_layer(text: str) -> None:
    state.choose_layer(text[:100])


def _read_unit(text: str) -> None:
    numbers = text.split(",")
    if not all(map(is_whole, numbers)) or len(numbers) > 3:
        raise NoSuchUnit(f"A unit is named by whole numbers. Received: {text[:20]!r}.")
    state.choose_unit(tuple(map(int, numbers)))


def _read_lesson(text: str) -> None:
    count = len(load_course())
    if not is_whole(text, 1, count):
        raise DataError(f"There are lessons 1 to {count}. Received: {text[:20]!r}.")
    state.choose_place(int(text), 1)


def _read_card(text: str) -> None:
    lesson, _ = state.place()
    count = len(load_course()[lesson - 1].cards) if lesson else 0
    if not is_whole(text, 1, count):
        raise DataError(f"Lesson {lesson} has cards 1 to {count}. Received: {text[:20]!r}.")
    state.choose_place(lesson, int(text))


def _read_present(text: str) -> None:
    if text not in ("0", "1"):
        raise LinkError(f"present is 1 or 0. Received: {text[:20]!r}.")
    state.present(text == "1")


def _read_hidden(text: str) -> None:
    names = [name for name in text[:_LONGEST_HIDE].split(",") if name]
    state.hide(name for name in names if name in CONTROLS)
    unknown = [name for name in names if name not in CONTROLS]
    if unknown:
        raise LinkError(
            f"There is no control {unknown[0][:20]!r} to hide. Those there are: "
            f"{', '.join(CONTROLS)}."
        )
