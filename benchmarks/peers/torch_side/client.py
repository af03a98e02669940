"""The way to the process that has PyTorch. Imports no PyTorch."""

import os
import pickle
import subprocess
import sys
from typing import Any

from numpy.typing import NDArray

KerasWeights = dict[str, tuple[NDArray, NDArray]]
"""Kernel and bias by layer, as Keras has them."""

THREADS = sorted({1, os.cpu_count() or 1})
"""With how many PyTorch is tried. TensorFlow takes all that there are; small networks are often
quicker with one, and on a busy machine PyTorch's threads wait for each other."""


def quicker(name: str, seconds: dict[str, float]) -> dict[str, float]:
    """Of a peer tried with each of `THREADS`, as ``"name, 2 threads"``, only the quickest way."""
    of_it = {way: time for way, time in seconds.items() if way.startswith(f"{name}, ")}
    best = min(of_it, key=of_it.__getitem__, default=None)
    return {way: time for way, time in seconds.items() if way not in of_it or way == best}


def by_threads(name: str) -> dict[str, int]:
    """The ways that `quicker` chooses from, and how many threads each has."""
    return {f"{name}, {count} thread{'s' * (count > 1)}": count for count in THREADS}


class TorchSide:
    """A process that answers `jobs.Jobs`'s methods; a context manager, which ends it."""

    def __enter__(self) -> "TorchSide":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers.torch_side.jobs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()  # it ends when nobody can ask any more
        self._process.wait(30)

    def ask_with(self, threads: int, job: str, *arguments: object) -> Any:
        """`ask`, computed with so many threads."""
        self.ask("threads", threads)
        return self.ask(job, *arguments)

    def ask(self, job: str, *arguments: object) -> Any:
        """What the method gives; `EOFError` if it failed, after its own traceback."""
        assert self._process.stdin
        assert self._process.stdout
        pickle.dump((job, arguments), self._process.stdin)
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)
