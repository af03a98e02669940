"""Answers kept in memory, as many as fit: the least recently used go first.

Networks and traces differ in size by a factor of a thousand; a cache that counts entries would
let one visitor's large networks fill the machine.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class KeptBySize(Generic[P, R]):
    """A function that remembers what it gave. Safe to call from any thread.

    Parameters
    ----------
    function : of hashable positional arguments.
    most : bytes that all that is kept may take; the newest is kept even if it takes more alone.
    size : bytes of an answer.
    """

    def __init__(self, function: Callable[P, R], most: int, size: Callable[[R], int]) -> None:
        wraps(function)(self)
        self._function, self._most, self._size = function, most, size
        self._kept: OrderedDict[Hashable, tuple[R, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (args, tuple(sorted(kwargs.items())))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        answer = self._function(*args, **kwargs)
        size = self._size(answer)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = answer, size
                self._bytes += size
            while self._bytes > self._most and len(self._kept) > 1:
                _, (_, gone) = self._kept.popitem(last=False)
                self._bytes -= gone
        return answer

    @property
    def bytes(self) -> int:
        """What is kept takes so much."""
        return self._bytes

    def cache_clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._bytes = 0


def kept_by_size(
    most: int, size: Callable[[R], int]
) -> Callable[[Callable[P, R]], KeptBySize[P, R]]:
    """Decorates a function with `KeptBySize`."""
    return lambda function: KeptBySize(function, most, size)
