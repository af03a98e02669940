"""Keras without what it looks for to offer more: it starts in half of the time."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_OFFERS = ("IPython", "matplotlib", "pandas", "scipy", "sklearn")
"""For plots, tables and wrappers that nobody asks of a worker: 3 of 6 seconds, and 150 MB."""


@contextmanager
def bare_keras() -> Iterator[None]:
    """Whatever is imported in here finds none of Keras's optional companions.

    Keras does without them. Afterwards they can be imported as ever.
    """
    hidden = [name for name in _OFFERS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be found
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
