"""Timing several ways of doing one thing, in turn, so that a noisy machine is noisy for all."""

import statistics
import time
from collections.abc import Callable


def interleaved(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median time of each way in seconds, after one unmeasured round."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def report(title: str, medians: dict[str, float], base: str) -> None:
    """Print the medians with their ratios to one of them."""
    print(f"\n{title}")
    for name, seconds in medians.items():
        print(f"  {name:<46} {seconds * 1000:10.2f} ms   {seconds / medians[base]:8.2f} ×")
