"""Requests that only tests make, and their answers."""

import os
import sys
import time
from dataclasses import dataclass

from cnn_core.errors import UnknownStep
from cnn_core.lab.requests import Progress, Request


@dataclass(frozen=True)
class Sleep(Request):
    handler = "tests.core.lab.odd_requests:sleep"
    seconds: float


@dataclass(frozen=True)
class Fail(Request):
    """``"tensorflow"``, ``"keras"``, ``"own"`` or ``"bug"``."""

    handler = "tests.core.lab.odd_requests:fail"
    how: str


@dataclass(frozen=True)
class Exit(Request):
    handler = "tests.core.lab.odd_requests:leave"


@dataclass(frozen=True)
class WhoAnswers(Request):
    handler = "tests.core.lab.odd_requests:who_answers"


@dataclass(frozen=True)
class Companions(Request):
    """Which of Keras's optional companions stand where Keras is, and whether they can be used."""

    handler = "tests.core.lab.odd_requests:companions"


def companions(request: Companions, progress: Progress) -> tuple[set[str], int]:
    assert "keras" in sys.modules
    found = {"IPython", "matplotlib", "pandas", "scipy", "sklearn"} & set(sys.modules)
    from scipy.ndimage import label
    from sklearn.decomposition import PCA

    return found, label([1, 0, 1])[1] + PCA(1).fit_transform([[0.0, 1.0], [1.0, 0.0]]).shape[1]


@dataclass(frozen=True)
class Unanswerable(Request):
    handler = "tests.core.lab.odd_requests:unanswerable"


def unanswerable(request: Unanswerable, progress: Progress) -> object:
    return lambda: "no pickle holds me"


def sleep(request: Sleep, progress: Progress) -> float:
    end = time.monotonic() + request.seconds
    while time.monotonic() < end:
        progress(1 - (end - time.monotonic()) / request.seconds)
        time.sleep(0.02)
    progress(1.0)
    return request.seconds


def fail(request: Fail, progress: Progress) -> None:
    if request.how == "tensorflow":
        import tensorflow as tf

        tf.linalg.matmul(tf.zeros((2, 3)), tf.zeros((2, 3)))
    if request.how == "keras":
        import keras

        keras.layers.Conv2D(1, 3)(keras.ops.zeros((1, 2, 2, 1)))
    if request.how == "own":
        raise UnknownStep("There is no frame at step 7.")
    raise KeyError("a bug")


def leave(request: Exit, progress: Progress) -> None:
    print("out of paper", file=sys.stderr)
    os._exit(3)


def who_answers(request: WhoAnswers, progress: Progress) -> int:
    return os.getpid()
