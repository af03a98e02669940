"""Rows that were chosen in a table."""

from collections.abc import Mapping
from typing import Any


def chosen_rows(selected: Any, count: int) -> list[int]:
    """The chosen rows among `count`, each once. What the browser sent may be anything."""
    selection = selected.get("selection") if isinstance(selected, Mapping) else None
    rows = selection.get("rows") if isinstance(selection, Mapping) else None
    if not isinstance(rows, list):
        return []
    return sorted({row for row in rows if type(row) is int and 0 <= row < count})
