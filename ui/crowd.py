"""How many visitors there may be at once: each takes memory, and their clicks take turns."""

import threading

import streamlit as st

from cnn_core.errors import Crowded
from cnn_core.settings import is_public, whole_number


class Crowd:
    """Who is here, counted. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._here: set[object] = set()

    def enter(self, most: int) -> object:
        """A place for one more.

        Raises
        ------
        Crowded : so many are here already.
        """
        with self._lock:
            if len(self._here) >= most:
                raise Crowded(
                    f"{most} visitors are here, which is as many as this server has room for. "
                    "Reload the page in a while."
                )
            place = object()
            self._here.add(place)
            return place

    def leave(self, place: object) -> None:
        with self._lock:
            self._here.discard(place)

    def __len__(self) -> int:
        return len(self._here)


CROWD = Crowd()


def most_visitors() -> int:
    """``CONVSCOPE_SESSIONS``: 400 by default, 60 in public."""
    return whole_number("CONVSCOPE_SESSIONS", 60 if is_public() else 400, 1, 100_000)


# Given back when the browser's connection ends, and taken again when it comes back.
@st.cache_resource(scope="session", on_release=CROWD.leave, show_spinner=False)
def _place() -> object:
    return CROWD.enter(most_visitors())


def take_place() -> None:
    """Count this visitor. Raises `Crowded`."""
    _place()
