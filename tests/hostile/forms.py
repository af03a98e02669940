"""Values in forms that no browser lets anybody enter."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from tests.hostile.door import Door, numbers, words
from tests.hostile.page_run import PAGES, SHELL, checked


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
        app = self._page(name)
        states = app._tree.get_widget_states()
        fields = [one for one in states.widgets if one.WhichOneof("value") in _KINDS]
        if not fields:
            return
        field = fields[which % len(fields)]
        kind = field.WhichOneof("value")
        _KINDS[kind](field, value)
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
_FORMS = tuple(
    (page, which, value)
    for page in ("draw", "layers", "train", "filters", "playground", "architectures", "explain")
    for which, value in enumerate(
        (1e15, -1, "../etc/passwd", [0.5, "x"], 0.5, "", 7, 1e300, "*" * 500)
    )
)


_forms = Forms()

DOOR = Door(
    "fields of forms",
    st.tuples(
        st.sampled_from(PAGES),
        st.integers(0, 40),
        st.one_of(numbers, words, st.lists(st.one_of(numbers, words), max_size=3)),
    ),
    _FORMS,
    (("draw", 0, 5),),
    _forms.enter,
)
