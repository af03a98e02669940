"""Who trains now and who waits: one queue for the whole server, a process for each training."""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from cnn_core.errors import ConvScopeError, RunError, UnknownRun, WorkFailed
from cnn_core.lab.process import Door, WorkerProcess
from cnn_core.lab.requests import PrepareTraining, Request, TrainRequest
from cnn_core.settings import whole_number
from cnn_core.training.budget import most_waiting
from cnn_core.training.control import Order
from cnn_core.training.runs import ENDED, Runs

_log = logging.getLogger("convscope.lab")
_NICE = 10
_TICK = 0.05
_SIGN_OF_LIFE = 1.0  # seconds between two
GRACE_SECONDS = 300.0


class Executor(Protocol):
    """Where trainings run: processes of this machine, or others that can do the same."""

    def warm(self) -> None:
        """Get ready for the next training, if that takes a while."""

    def run(
        self, request: Request, orders: "queue.SimpleQueue[Order]", stop: Callable[[], bool]
    ) -> None:
        """Work a request off to its end, handing on orders. Raises `ConvScopeError`."""

    def close(self) -> None:
        """End what is still running."""


class LocalExecutor:
    """A worker process for each training; one may stand ready, warm."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._lock = threading.Lock()
        self._spare: WorkerProcess | None = None
        self._warming = False
        self._closed = False

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

    def run(
        self, request: Request, orders: "queue.SimpleQueue[Order]", stop: Callable[[], bool]
    ) -> None:
        worker = self._take()
        try:
            worker.connection.send(request)
            while not stop():
                while not orders.empty():
                    worker.connection.send(orders.get())
                if worker.connection.poll(_TICK):
                    kind, content = worker.connection.recv()
                    if kind == "failed":
                        raise content
                    if kind == "done":
                        return
        except (EOFError, OSError) as error:
            raise RunError("The process ended before it was done.") from error
        finally:
            worker.kill()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._spare is not None:
                self._spare.kill()
                self._spare = None


class Trainings:
    """The queue. So many at once as `at_once` says; the others wait their turn.

    Parameters
    ----------
    executor : where they run.
    at_once : ``CONVSCOPE_TRAININGS``, 1 by default.

    Somebody's own training ends when they have been gone for `GRACE_SECONDS`, unless it is kept.
    """

    def __init__(self, executor: Executor, at_once: int | None = None) -> None:
        self._at_once = at_once or whole_number("CONVSCOPE_TRAININGS", 1, 1, 64)
        self._executor = executor
        self._lock = threading.Lock()
        self._line: list[Training] = []  # in the order of arrival, running ones included
        self._stopping = threading.Event()
        self._seen: dict[str, float] = {}

    def seen(self, owner: str) -> None:
        """An owner is here, as their pages say again and again."""
        self._seen[owner] = time.monotonic()

    def _abandoned(self, training: "Training") -> bool:
        if not training.owner:
            return False
        return time.monotonic() - self._seen.get(training.owner, training.began) > GRACE_SECONDS

    def warm(self) -> None:
        """Somebody may want to train soon."""
        if not self._line:
            self._executor.warm()

    def start(self, request: TrainRequest) -> None:
        """Queue a run. Raises `RunError` if it, or another of its owner, is in the queue, or the
        queue is full."""
        self._see_off(request.run)
        with self._lock:
            if self.knows(request.run):
                raise RunError("This run is going on already.")
            if len(self._line) - self._at_once >= most_waiting():
                raise RunError(
                    f"{most_waiting()} trainings wait for their turn; no more can. Try again in a "
                    "while."
                )
            training = Training(request, self)
            owners = {other.owner for other in self._line if other.owner}
            if training.owner in owners:
                raise RunError("You have a training that is going on. Stop it first.")
            self.seen(training.owner)
            self._line.append(training)
        training.start()

    def _see_off(self, run: str) -> None:
        """Wait until a run that has said its last word has left: whoever read it may start anew."""
        for training in list(self._line):
            if training.request.run == run and training.has_ended:
                training.join(10)

    def give(self, run: str, order: Order) -> None:
        """Hand an order to a run's training. Raises `UnknownRun` if it is not going on here."""
        for training in list(self._line):
            if training.request.run == run:
                training.take(order)
                return
        raise UnknownRun("This training is not going on here any more.")

    def knows(self, run: str) -> bool:
        """Whether a run trains or waits here."""
        return any(training.request.run == run for training in self._line)

    def place(self, run: str) -> int:
        """How many stand before a run that waits; 0 if its turn has come."""
        ids = [training.request.run for training in self._line]
        return max(0, ids.index(run) - self._at_once + 1) if run in ids else 0

    def _may_run(self, training: "Training") -> bool:
        with self._lock:
            return training in self._line[: self._at_once]

    def _leave(self, training: "Training") -> None:
        with self._lock:
            if training in self._line:
                self._line.remove(training)

    def stop(self) -> None:
        """End everything: what runs is interrupted, and can go on later."""
        self._stopping.set()
        for training in list(self._line):
            training.join(10)
        self._executor.close()


class Training(threading.Thread):
    """One run's way through the queue and through its worker."""

    def __init__(self, request: TrainRequest, line: Trainings) -> None:
        super().__init__(name="lab-training", daemon=True)
        self.request = request
        self._line = line
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._withdrawn = threading.Event()
        self._over = threading.Event()
        self._running = False
        self._left = False
        self.began = time.monotonic()
        self.owner = Runs()[request.run].owner

    @property
    def has_ended(self) -> bool:
        """Whether its turn came and its run's state says that it is over."""
        return self._running and Runs()[self.request.run].state.word in ENDED

    def take(self, order: Order) -> None:
        if order.word == "stop" and not self._running:
            self._withdrawn.set()
        self._orders.put(order)

    def run(self) -> None:
        try:
            if self._wait():
                self._running = True
                threading.Thread(target=self._keep_waiting, daemon=True).start()
                self._line._executor.run(self.request, self._orders, self._to_end)
            if self._withdrawn.is_set():
                self._say("stopped", "It was taken out of the queue.")
            elif self._line._stopping.is_set():
                self._say("interrupted", "The server was stopped. It can go on.")
        except WorkFailed as error:
            _log.error("%s\n%s", error, error.details)
            self._say("failed", str(error))
        except RunError as error:
            died = "ended before" in str(error)
            more = " It can go on from its last whole epoch." if died else ""
            self._say("interrupted" if died else "failed", f"{error}{more}")
        except ConvScopeError as error:
            self._say("failed", str(error))
        except Exception:
            _log.exception("A training was lost.")
            self._say("failed", "The lab lost this training; the log says why.")
        finally:
            self._over.set()
            self._line._leave(self)

    def _keep_waiting(self) -> None:
        """Signs of life until the process gives its own: it may take long to start."""
        run = Runs()[self.request.run]
        try:
            while not self._over.wait(_SIGN_OF_LIFE) and run.state.word == "waiting":
                run.tell(run.state)
        except (ConvScopeError, OSError):
            pass  # a damaged or deleted run: who trains it says so

    def _to_end(self) -> bool:
        """Whether the worker is to be ended from outside. Who has long gone is told to stop first,
        so that what was learned is kept."""
        if self._line._abandoned(self) and not self._left:
            self._left = True
            if not Runs()[self.request.run].kept:
                self._orders.put(Order("stop"))
        return self._line._stopping.is_set()

    def _wait(self) -> bool:
        """Until its turn comes; False if it will not."""
        told = 0.0
        run = Runs()[self.request.run]
        while not self._line._may_run(self):
            if self._withdrawn.is_set() or self._line._stopping.is_set():
                return False
            if time.monotonic() - told > _SIGN_OF_LIFE:
                told = time.monotonic()
                run.tell(replace(run.state, word="waiting", message=""))
            time.sleep(_TICK)
        run.tell(replace(run.state, word="waiting", message=""))
        return True

    def _say(self, word: str, message: str) -> None:
        """The run's last word, unless it has had one."""
        try:
            run = Runs()[self.request.run]
            state = run.state
            if state.word not in ENDED or state.word == "interrupted":
                run.tell(replace(state, word=word, message=message, seconds_left=0.0))
        except (ConvScopeError, OSError) as error:
            _log.warning("The end of a training could not be written: %s", error)
