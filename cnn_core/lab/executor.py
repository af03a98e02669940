"""Where trainings run: processes of this machine, or others that can do the same."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Protocol

from filelock import FileLock, Timeout

from cnn_core.disk import home
from cnn_core.errors import ConvScopeError, LabDown, RunLost
from cnn_core.lab.process import Door, WorkerProcess
from cnn_core.lab.requests import PrepareTraining, TrainRequest
from cnn_core.settings import whole_number

_log = logging.getLogger("convscope.lab")
_NICE = 10
_TICK = 0.05


class Seat(Protocol):
    """A place to train at, to be given back."""

    def release(self) -> None:
        """Somebody else may have it."""


class Executor(Protocol):
    """What the queue needs of whatever trains."""

    def check(self) -> None:
        """Raises `LabDown` if nothing can be trained at present, and why."""

    def warm(self) -> None:
        """Get ready for the next training, if that takes a while."""

    def seat(self) -> Seat | None:
        """A place to train at; None while all are taken."""

    def run(self, request: TrainRequest, stop: Callable[[], bool]) -> None:
        """Work a request off to its end, or until `stop()`. Raises `ConvScopeError`."""

    def close(self) -> None:
        """End what is still running."""


def trainings_at_once() -> int | None:
    """``CONVSCOPE_TRAININGS``, from 1 to 64; None if it is not set or makes no sense."""
    return whole_number("CONVSCOPE_TRAININGS", 0, 1, 64) or None


class LocalExecutor:
    """A worker process for each training; one may stand ready, warm.

    All servers of a machine that share a home share its seats, one unless ``CONVSCOPE_TRAININGS``
    says otherwise.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._lock = threading.Lock()
        self._spare: WorkerProcess | None = None
        self._warming = False
        self._closed = False

    def check(self) -> None:
        """There is always this machine."""

    def warm(self) -> None:
        if os.environ.get("CONVSCOPE_TRAIN_SPARE", "1") == "0":
            return
        with self._lock:
            if self._warming or self._spare is not None or self._closed:
                return
            self._warming = True
        threading.Thread(target=self._warm, name="lab-spare", daemon=True).start()

    def _warm(self) -> None:
        try:
            worker = self._started()
            worker.connection.send(PrepareTraining())
            while not worker.connection.poll(_TICK):
                if self._closed or not worker.alive:
                    worker.kill()
                    return
            worker.connection.recv()
            with self._lock:
                if not self._closed:
                    self._spare = worker
                    return
            worker.kill()
        except (ConvScopeError, EOFError, OSError) as error:
            _log.warning("No worker stands ready for a training: %s", error)
        finally:
            self._warming = False

    def _started(self) -> WorkerProcess:
        return WorkerProcess(self._door, _NICE, lambda: self._closed)

    def _take(self) -> WorkerProcess:
        end = time.monotonic() + 60
        while self._warming and time.monotonic() < end:
            time.sleep(_TICK)  # it is nearer than a new one
        with self._lock:
            spare, self._spare = self._spare, None
        return spare if spare is not None and spare.alive else self._started()

    def seat(self) -> FileLock | None:
        for k in range(trainings_at_once() or 1):
            file = home() / "runs" / ".locks" / f"seat-{socket.gethostname()}-{k}"
            lock = FileLock(file, blocking=False, thread_local=False)
            try:
                lock.acquire()
            except Timeout:
                continue
            except OSError as error:
                raise LabDown(f"Nothing can be trained: {error}.") from error
            return lock
        return None

    def run(self, request: TrainRequest, stop: Callable[[], bool]) -> None:
        worker = self._take()
        try:
            worker.connection.send(request)
            while not stop():
                if worker.connection.poll(_TICK):
                    kind, content = worker.connection.recv()
                    if kind == "failed":
                        raise content
                    if kind == "done":
                        return
        except (EOFError, OSError) as error:
            raise RunLost("The process ended before it was done.") from error
        finally:
            worker.kill()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._spare is not None:
                self._spare.kill()
                self._spare = None
