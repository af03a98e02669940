"""Timing ways in turn, several calls at each turn, so that a noisy machine is noisy for all.

A way may run in another process: it only has to say how long its calls took. Needs no Keras.
"""

import statistics
import time
from collections.abc import Callable

Timed = Callable[[int], list[float]]
"""Does a thing so many times; gives the seconds of each."""


def seconds_of(call: Callable[[], object], times: int) -> list[float]:
    """The seconds of each of so many calls in a row."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds


def timed(call: Callable[[], object]) -> Timed:
    """A way that runs here."""
    return lambda times: seconds_of(call, times)


def in_turn(ways: dict[str, Timed], rounds: int, calls: int = 1) -> dict[str, float]:
    """The median time of each way in seconds, after one unmeasured round.

    Parameters
    ----------
    calls : of each way in a round; before them one that is not measured, if there are several, for
        it finds the others' work in the caches.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            measured = way(calls + 1)[1:] if calls > 1 else way(1)
            if turn:
                seconds[name] += measured
    return {name: statistics.median(times) for name, times in seconds.items()}
