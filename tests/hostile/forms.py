"""Values in forms that no browser lets anybody enter."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from cnn_core.errors import LabDown
from cnn_core.lab.supervisor import LaneStatus
from tests.hostile.door import Door, numbers, words
from tests.hostile.page_run import PAGES, SHELL, checked
from ui import ask


class _IdleTrainings:
    """A queue that nobody stands in: Train's fields are there, and nothing is trained."""

    def warm(self) -> None: ...

    def seen(self, owner: str) -> None: ...

    def place(self, run: str) -> int:
        return 0


class _IdleLab:
    """A lab that is down, as far as looking and studying go."""

    trainings = _IdleTrainings()
    cluster = None
    looks_wait_for_studies = False

    def status(self, lane: str = "look") -> LaneStatus:
        return LaneStatus("down", "There is none in this test.", (), 0)

    def ask(self, *request: object) -> object:
        raise LabDown("There is no lab in this test.")

    submit = ask


class Forms:
    """Pages that stay open, as a person's do, while their fields are sent what no browser sends."""

    def __init__(self) -> None:
        self._open: dict[str, AppTest] = {}

    def _page(self, name: str) -> AppTest:
        if name not in self._open:
            app = AppTest.from_file(SHELL, default_timeout=120)
            app.switch_page(f"../pages/{name}.py")
            self._open[name] = checked(app.run())
        return self._open[name]

    def enter(self, sent: tuple[str, int, Any]) -> None:
        """Send a value for one of the page's fields, whatever the field allows.

        Values of another type than the field's never come as far as a page: Streamlit reads them.
        """
        name, which, value = sent
        ask.use(_IdleLab())  # type: ignore[arg-type]
        try:
            self._send(name, which, value)
        finally:
            ask.use(None)

    def _send(self, name: str, which: int, value: Any) -> None:
        app = self._page(name)
        states = app._tree.get_widget_states()
        numbers_ = {one.id for one in app.number_input}  # those that are empty say no kind
        fields = [
            (one, "double_value" if one.id in numbers_ else one.WhichOneof("value"))
            for one in states.widgets
        ]
        known = [(field, kind) for field, kind in fields if kind in _KINDS]
        field, kind = known[which % len(known)]
        _KINDS[str(kind)](field, value)
        try:
            checked(app._run(states))
        except Exception:
            del self._open[name]
            raise


def _as_number(value: Any) -> float:
    """A finite one: Streamlit itself reads a field's number before any page does."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return -1e300
    return number if np.isfinite(number) else 1e300


def _as_text(value: Any) -> str:
    return str(value)[:3_000].encode("utf-8", "replace").decode()


def _numbers(field: Any, value: Any) -> None:
    several = value if isinstance(value, list) else [value]
    field.double_array_value.data[:] = [_as_number(one) for one in several]


def _texts(field: Any, value: Any) -> None:
    several = value if isinstance(value, list) else [value]
    field.string_array_value.data[:] = [_as_text(one) for one in several]


_KINDS: dict[str, Callable[[Any, Any], None]] = {
    "double_value": lambda field, value: setattr(field, "double_value", _as_number(value)),
    "string_value": lambda field, value: setattr(field, "string_value", _as_text(value)),
    "double_array_value": _numbers,
    "string_array_value": _texts,
}
_ODD = (1e15, -1, "../etc/passwd", [0.5, "x"], 0.5, "", 7, 1e300, "*" * 500)
_FORMS = tuple((page, which, value) for page in PAGES for which, value in enumerate(_ODD))
_TRAIN = tuple(("train", which, value) for which in range(12) for value in (1e300, -5, 1e-9))

_forms = Forms()

DOOR = Door(
    "fields of forms",
    st.tuples(
        st.sampled_from(PAGES),
        st.integers(0, 40),
        st.one_of(numbers, words, st.lists(st.one_of(numbers, words), max_size=3)),
    ),
    (*_FORMS, *_TRAIN),
    (("draw", 0, 5),),
    _forms.enter,
)
