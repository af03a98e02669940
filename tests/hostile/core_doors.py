"""The doors of the library: no Streamlit behind them."""

from collections.abc import Callable
from functools import cache

from tests.hostile import pictures, texts
from tests.hostile.door import Door
from tests.hostile.folders import KeptFiles, RunFolders


def _uploads() -> Door:
    from tests.hostile.uploads import door  # brings Keras in

    return door()


_MADE: dict[str, Callable[[], Door]] = {
    "folders of runs": lambda: RunFolders().door(),
    "evaluations and designs on disk": lambda: KeptFiles().door(),
    "uploaded models": _uploads,
}
_READY = {door.name: door for door in (*pictures.DOORS, *texts.DOORS)}

DOORS = (*_READY, *_MADE)
"""Their names."""


@cache
def open_door(name: str) -> Door:
    return _READY[name] if name in _READY else _MADE[name]()
