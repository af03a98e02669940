"""How a run is going, in a few words and numbers."""

from dataclasses import dataclass
from typing import Any

from cnn_core.training.tables import MOST_STEPS

LIVING = ("waiting", "running", "paused")
ENDED = ("stopped", "finished", "failed", "interrupted")
END_OF_TIME = 1e11
"""Seconds since 1970 that a calendar still knows."""


@dataclass(frozen=True)
class RunState:
    """How a run is going.

    Attributes
    ----------
    word : one of `LIVING` or `ENDED`.
    step, epoch : done so far.
    images_per_second : lately, pauses apart.
    seconds_left : by that speed.
    learning_rate : of the last step.
    message : why it ended, if there is something to say.
    test_accuracy : of 10,000 test digits, once it has finished.
    beat : the clock, seconds since 1970, when this was written.
    where : the machine of a cluster that trains it; empty for the server's own.
    """

    word: str = "waiting"
    step: int = 0
    epoch: int = 0
    images_per_second: float = 0.0
    seconds_left: float = 0.0
    learning_rate: float = 0.0
    message: str = ""
    test_accuracy: float | None = None
    beat: float = 0.0
    where: str = ""


def state_from(plain: Any) -> RunState:
    """The state that `Run.tell` wrote. Raises `ValueError`, `TypeError`."""
    state = RunState(**plain)
    words = (*LIVING, *ENDED)
    counts = (state.step, state.epoch)
    numbers = (state.images_per_second, state.seconds_left, state.learning_rate, state.beat)
    if state.word not in words or not isinstance(state.message, str):
        raise ValueError(f"{state.word!r:.20} is no state")
    if not all(type(count) is int and 0 <= count < MOST_STEPS for count in counts):
        raise ValueError("its steps are no numbers")
    if not all(type(number) in (int, float) and abs(number) < END_OF_TIME for number in numbers):
        raise ValueError("its speed is no number")
    share = state.test_accuracy
    if share is not None and not (type(share) in (int, float) and 0 <= share <= 1):
        raise ValueError("its accuracy is no share")
    return state
