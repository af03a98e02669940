"""Less work for the garbage collector.

Streamlit collects all garbage after every run of a page, which takes as long as there are objects,
and nearly all of them belong to imported modules: 50 ms and more, many times a minute while a
training is followed. What modules hold never becomes garbage, so it is set aside.
"""

import gc
import sys

_modules = 0


def set_modules_aside() -> None:
    """Leave what the imported modules hold out of later collections, if there are new ones."""
    global _modules
    if len(sys.modules) != _modules:
        _modules = len(sys.modules)
        gc.collect()
        gc.freeze()
