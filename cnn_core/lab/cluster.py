"""Trainings and studies on the machines of a cluster, and on this one while there is none."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from cnn_core.errors import ConvScopeError, LabDown, RunLost, WorkerLost, WorkFailed
from cnn_core.lab.executor import Executor, Seat, trainings_at_once
from cnn_core.lab.jobs import Job
from cnn_core.lab.requests import TrainRequest
from cnn_core.lab.scheduler import Scheduler

_log = logging.getLogger("convscope.lab")
_TICK = 0.05
_TRAINING, _STUDY = 0, 10  # a study goes first: somebody waits for it
_PATIENCE = 8.0  # seconds that a study waits for a free machine before it is done here


class _ClusterSeat:
    """One of as many places as the machines have."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back = give_back

    def release(self) -> None:
        self._give_back()


class ClusterExecutor:
    """Trains on the cluster; on this machine while its scheduler is dead, if that is allowed.

    A machine that is lost in mid-training is replaced by Dask, which gives the same errand to
    another. That is why every training here is one that goes on from its last whole epoch: for a
    run that has none yet, that is the beginning.
    """

    def __init__(self, scheduler: Scheduler, local: Executor) -> None:
        self._scheduler, self._local = scheduler, local
        self._lock = threading.Lock()
        self._taken = 0
        self._seats_here: list[Seat] = []  # of this machine, taken for trainings about to begin

    def check(self) -> None:
        if not self._scheduler.is_there() and not self._scheduler.status.falls_back:
            raise LabDown(self._scheduler.status.sentence)

    def warm(self) -> None:
        status = self._scheduler.status
        if status.state == "dead" and status.falls_back:
            self._local.warm()

    def seat(self) -> Seat | None:
        status = self._scheduler.status
        if status.state == "connecting":
            return None
        if status.state == "dead":
            return self._seat_here() if status.falls_back else None
        with self._lock:
            if self._taken >= (trainings_at_once() or max(1, status.places)):
                return None
            self._taken += 1
        return _ClusterSeat(self._stand_up)

    def _stand_up(self) -> None:
        with self._lock:
            self._taken -= 1

    def _seat_here(self) -> Seat | None:
        seat = self._local.seat()
        if seat is None:
            return None
        with self._lock:
            self._seats_here.append(seat)
        return _ClusterSeat(self._leave_seats_here)

    def _leave_seats_here(self) -> None:
        """Whoever took one has ended, or trains elsewhere."""
        with self._lock:
            seats, self._seats_here = self._seats_here, []
        for seat in seats:
            seat.release()

    def run(self, request: TrainRequest, stop: Callable[[], bool]) -> None:
        request = replace(request, resume=True)
        while not stop():
            if self._scheduler.is_there():
                self._leave_seats_here()
                try:
                    self._there(request, stop)
                    return
                except LabDown as error:
                    _log.warning("The training %s lost its cluster: %s", request.run, error)
                    time.sleep(_TICK)  # the scheduler's own thread will notice it too
                except WorkerLost as error:
                    raise RunLost(f"{error}") from error
            elif self._scheduler.status.falls_back:
                if self._trained_here(request, stop):
                    return
                time.sleep(_TICK)  # those that lost their cluster come one after another
            else:
                raise RunLost(f"{self._scheduler.status.why}.")

    def _trained_here(self, request: TrainRequest, stop: Callable[[], bool]) -> bool:
        """Train on this machine if it has a seat; whether it had."""
        with self._lock:
            seat = self._seats_here.pop() if self._seats_here else None
        seat = seat or self._local.seat()
        if seat is None:
            return False
        try:
            self._local.run(request, stop)
        finally:
            seat.release()
        return True

    def _there(self, request: TrainRequest, stop: Callable[[], bool]) -> None:
        sent = self._scheduler.send(request, _TRAINING)
        try:
            while not stop():
                if sent.ended:
                    sent.answer()
                    return
                time.sleep(_TICK)
        finally:
            sent.end()

    def close(self) -> None:
        self._local.close()


class ClusterStudies:
    """Hands studies to the cluster, and back to this machine if they find no place there.

    Parameters
    ----------
    here : takes what this machine is to do.
    """

    def __init__(self, scheduler: Scheduler, here: Callable[[Job], None]) -> None:
        self._scheduler, self._here = scheduler, here
        self._stopping = threading.Event()

    def take(self, job: Job) -> None:
        threading.Thread(target=self._see_to, args=(job,), name="lab-study", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _see_to(self, job: Job) -> None:
        try:
            if self._scheduler.is_there() and self._there(job):
                return
            if self._scheduler.status.falls_back:
                self._here(job)
            else:
                job.fail(LabDown(self._scheduler.status.sentence))
        except LabDown as error:
            if self._scheduler.status.falls_back:
                self._here(job)
            else:
                job.fail(error)
        except ConvScopeError as error:
            job.fail(error)
        except Exception as error:  # what came cannot be unpickled, or what goes cannot be pickled
            _log.exception("A study could not cross to the cluster, or back.")
            job.fail(WorkFailed(f"The answer could not be handed over: {error}"))

    def _there(self, job: Job) -> bool:
        """Whether the job has ended on the cluster; if not, no machine was free for it."""
        begun = threading.Event()

        def told(share: float) -> None:
            begun.set()
            job.progress = share

        sent = self._scheduler.send(job.request, _STUDY, told)
        patience = time.monotonic() + _PATIENCE
        try:
            while not job.ended:
                job.expire()
                if self._stopping.is_set():
                    job.fail(LabDown("The lab is closing."))
                elif sent.ended:
                    job.answer(sent.answer())
                elif (
                    self._scheduler.status.falls_back
                    and not begun.is_set()
                    and time.monotonic() > patience
                ):
                    return False
                time.sleep(_TICK)
            return True
        finally:
            sent.end()
