"""One piece of work on its way through the lab."""

import threading
import time
from typing import Any

from cnn_core.errors import Cancelled, ConvScopeError, TimeLimit
from cnn_core.lab.requests import Request


class Job:
    """A request with its progress and, in the end, its answer or its error.

    Safe to use from any thread. Waiting for it costs nothing.

    Parameters
    ----------
    request : what is asked.
    time_limit : seconds from now until an answer must be there; waiting in the queue counts.
    """

    def __init__(self, request: Request, time_limit: float) -> None:
        self.request = request
        self.time_limit = time_limit
        self.deadline = time.monotonic() + time_limit
        self.progress = 0.0
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._answer: Any = None
        self._error: ConvScopeError | None = None

    @property
    def ended(self) -> bool:
        """Answered, failed, or cancelled."""
        return self._ended.is_set()

    @property
    def failed(self) -> bool:
        """Ended without an answer: whoever still wants one asks again."""
        return self.ended and self._error is not None

    def result(self) -> Any:
        """Wait for the answer.

        Raises
        ------
        ConvScopeError : what went wrong; `TimeLimit` when the time is up, `Cancelled`.
        """
        if not self._ended.wait(max(0.0, self.deadline - time.monotonic())):
            self.fail(self._too_late())
        if self._error is not None:
            raise self._error
        return self._answer

    def cancel(self) -> None:
        """Stop it: taken from the queue, or, if it runs, its worker is killed and replaced."""
        self.fail(Cancelled("Stopped before it was done."))

    def answer(self, answer: Any) -> None:
        """End it with an answer; the first ending counts."""
        self._end(answer, None)

    def fail(self, error: ConvScopeError) -> None:
        """End it with an error; the first ending counts."""
        self._end(None, error)

    def expire(self) -> None:
        """End it if its time is up."""
        if time.monotonic() > self.deadline:
            self.fail(self._too_late())

    def _too_late(self) -> TimeLimit:
        return TimeLimit(f"No answer within {self.time_limit:g} seconds; the work was stopped.")

    def _end(self, answer: Any, error: ConvScopeError | None) -> None:
        with self._lock:
            if not self._ended.is_set():
                self._answer, self._error = answer, error
                self._ended.set()
