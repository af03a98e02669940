"""Starts, watches and replaces the workers, and hands them their work.

    Lab ── Lane "look"  ── queue ── Desk ── WorkerProcess
        ├─ Lane "study" ── queue ── Desk ── WorkerProcess
        └─ Trainings (lab/trainings.py): a process for each

With a cluster (lab/cluster.py) the studies and the trainings go to its machines instead.

A desk is a thread that owns one worker process: it keeps the worker alive, takes the next job,
and waits for the reply, the time limit, a cancel or the worker's death, whichever comes first.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from cnn_core.errors import ConvScopeError, LabDown, WorkerLost, WorkFailed
from cnn_core.lab.cluster import ClusterExecutor, ClusterStudies
from cnn_core.lab.executor import Executor, LocalExecutor
from cnn_core.lab.jobs import Job
from cnn_core.lab.process import Door, WorkerProcess
from cnn_core.lab.requests import Request, WarmUp
from cnn_core.lab.scheduler import ClusterStatus, Scheduler
from cnn_core.lab.trainings import Trainings
from cnn_core.settings import whole_number

_log = logging.getLogger("convscope.lab")

LaneName = Literal["look", "study"]
State = Literal["off", "starting", "ready", "down"]

_TICK = 0.05  # seconds between looks at the clock, the cancel flag and the worker
_WARM_UP_SECONDS = 180.0
_RETRY_SECONDS = (0.0, 1.0, 5.0, 30.0)  # pauses after failed starts in a row; the last repeats


@dataclass(frozen=True)
class LabSettings:
    """How many worker processes there may be, about 0.7 GB each.

    Attributes
    ----------
    workers : 1: one worker does everything. More: one studies, the others look.
    warm_up : asked of every looking worker before it counts as ready; None asks nothing.
    """

    workers: int = 2
    warm_up: WarmUp | None = None

    @classmethod
    def from_environment(cls, warm_up: WarmUp | None = None) -> "LabSettings":
        """``CONVSCOPE_WORKERS``, from 1 to 64; 2 if it is not set or makes no sense."""
        return cls(whole_number("CONVSCOPE_WORKERS", cls.workers, 1, 64), warm_up)


@dataclass(frozen=True)
class LaneStatus:
    """How a lane is.

    Attributes
    ----------
    state : ``"off"`` until first needed, ``"starting"``, ``"ready"``, ``"down"``.
    message : why it is down; else empty.
    pids : its living worker processes.
    waiting : jobs in its queue.
    """

    state: State
    message: str
    pids: tuple[int, ...]
    waiting: int


class Lab:
    """The workers of one server. A context manager: leaving it ends every worker.

    Parameters
    ----------
    scheduler : of the cluster that trains and studies; by default what the environment names,
        if anything.

    Examples
    --------
    >>> from cnn_core.lab.requests import EvaluationRequest
    >>> from cnn_core.networks.ref import NetworkRef
    >>> with Lab(LabSettings(workers=1)) as lab:  # doctest: +SKIP
    ...     lab.ask(EvaluationRequest(NetworkRef("classic", 0)), "study", 60).accuracy
    0.102
    """

    def __init__(
        self, settings: LabSettings | None = None, scheduler: Scheduler | None = None
    ) -> None:
        settings = settings or LabSettings()
        self._door = Door()
        look = Lane(self._door, max(1, settings.workers - 1), nice=5, warm_up=settings.warm_up)
        study = Lane(self._door, 1, nice=10) if settings.workers > 1 else look
        self._lanes: dict[LaneName, Lane] = {"look": look, "study": study}
        self._scheduler = scheduler or Scheduler.from_environment()
        self._studies: ClusterStudies | None = None
        executor: Executor = LocalExecutor(self._door)
        if self._scheduler is not None:
            self._studies = ClusterStudies(self._scheduler, study.take)
            executor = ClusterExecutor(self._scheduler, executor)
        self.trainings = Trainings(executor)

    def __enter__(self) -> "Lab":
        if self._scheduler is not None:
            self._scheduler.start()
        self._lanes["look"].start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._studies is not None:
            self._studies.stop()
        self.trainings.stop()
        if self._scheduler is not None:
            self._scheduler.close()
        for lane in set(self._lanes.values()):
            lane.stop()
        self._door.close()

    def submit(self, request: Request, lane: LaneName = "look", time_limit: float = 10.0) -> Job:
        """Hand in a request; the lane's workers are started if they are not.

        Parameters
        ----------
        lane : ``"look"`` for what takes under about 200 ms, ``"study"`` for anything longer.
        time_limit : seconds from now; then the work is stopped and `TimeLimit` raised.
        """
        job = Job(request, time_limit)
        if lane == "study" and self._studies is not None:
            self._studies.take(job)
        else:
            self._lanes[lane].take(job)
        return job

    def ask(self, request: Request, lane: LaneName = "look", time_limit: float = 10.0) -> Any:
        """`submit`, and wait for the answer. Raises `LabError` and what the work raises."""
        return self.submit(request, lane, time_limit).result()

    def status(self, lane: LaneName = "look") -> LaneStatus:
        return self._lanes[lane].status()

    @property
    def looks_wait_for_studies(self) -> bool:
        """Whether one worker does both, so that a study keeps every look waiting."""
        return self._studies is None and self._lanes["study"] is self._lanes["look"]

    @property
    def cluster(self) -> ClusterStatus | None:
        """How the cluster is; None if there is none."""
        return self._scheduler.status if self._scheduler is not None else None


class Lane:
    """A queue of jobs and the desks that work it off."""

    def __init__(self, door: Door, workers: int, nice: int, warm_up: WarmUp | None = None) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._desks = [
            Desk(door, self._jobs, self._all_down, nice, warm_up) for _ in range(workers)
        ]
        self._lock = threading.Lock()
        self._started = False

    def start(self) -> None:
        with self._lock:
            if not self._started:
                self._started = True
                for desk in self._desks:
                    desk.start()

    def take(self, job: Job) -> None:
        self.start()
        self._jobs.put(job)

    def stop(self) -> None:
        with self._lock:
            for desk in self._desks:
                desk.stopping.set()
            for _ in self._desks:
                self._jobs.put(None)  # wakes a desk that waits for work
            if self._started:
                for desk in self._desks:
                    desk.join()
            self._started = True  # nothing starts it any more
        while not self._jobs.empty():
            if job := self._jobs.get():
                job.fail(LabDown("The lab is closing."))

    def _all_down(self) -> bool:
        return all(desk.state == "down" for desk in self._desks)

    def status(self) -> LaneStatus:
        if not self._started:
            return LaneStatus("off", "", (), 0)
        states = [desk.state for desk in self._desks]
        order: tuple[State, ...] = ("ready", "starting", "down", "off")
        pids = tuple(desk.pid for desk in self._desks if desk.pid is not None)
        state = next(state for state in order if state in states)
        message = self._desks[0].message if state == "down" else ""
        return LaneStatus(state, message, pids, self._jobs.qsize())


class Desk(threading.Thread):
    """Keeps one worker alive and gives it one job after another."""

    def __init__(
        self,
        door: Door,
        jobs: "queue.SimpleQueue[Job | None]",
        alone: Callable[[], bool],
        nice: int,
        warm_up: WarmUp | None,
    ) -> None:
        super().__init__(name="lab-desk", daemon=True)
        self.state: State = "starting"
        self.message = ""
        self.stopping = threading.Event()
        self._door, self._jobs, self._alone = door, jobs, alone
        self._nice, self._warm_up = nice, warm_up
        self._worker: WorkerProcess | None = None

    @property
    def pid(self) -> int | None:
        worker = self._worker
        return worker.pid if worker is not None and worker.alive else None

    def run(self) -> None:
        failures = 0
        while not self.stopping.is_set():
            try:
                self._start_worker()
                failures = 0
                self._work_until_lost()
            except Exception as error:
                # Whatever it was, the desk goes on: it is the only one who can mend it.
                if not isinstance(error, ConvScopeError):
                    _log.exception("A worker of the lab could not be kept.")
                self.message = f"{error}"
                self.state = "down"
                self._refuse_for(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)])
                failures += 1
            finally:
                if self._worker is not None:
                    self._worker.kill()
                    self._worker = None
        self.state = "off"

    def _start_worker(self) -> None:
        if not self.message:
            self.state = "starting"
        self._worker = WorkerProcess(self._door, self._nice, self.stopping.is_set)
        if self._warm_up is not None:
            job = Job(self._warm_up, _WARM_UP_SECONDS)
            self._work_on(self._worker, job)
            job.result()
        self.state, self.message = "ready", ""

    def _work_until_lost(self) -> None:
        """Work jobs off until the worker is gone or the desk is to stop."""
        worker = self._worker
        assert worker is not None
        while worker.alive and not self.stopping.is_set():
            try:
                job = self._jobs.get(timeout=10 * _TICK)
            except queue.Empty:
                continue
            if job is None:
                continue
            job.expire()
            if not job.ended:
                self._work_on(worker, job)
        self.state = "starting"

    def _work_on(self, worker: WorkerProcess, job: Job) -> None:
        """Give the worker a job and see it through; kill the worker if it must stop early."""
        try:
            worker.connection.send(job.request)
            while not job.ended and not self.stopping.is_set():
                job.expire()
                if worker.connection.poll(_TICK):
                    kind, content = worker.connection.recv()
                    if kind == "progress":
                        job.progress = content
                    elif kind == "done":
                        job.answer(content)
                        return
                    else:
                        job.fail(content)
                        return
        except (EOFError, OSError):
            pass  # it is dead, as is said below
        except Exception as error:  # what came cannot be unpickled, or what goes cannot be pickled
            _log.exception("A request to the lab, or its answer, could not cross.")
            job.fail(WorkFailed(f"The answer could not be handed over: {error}"))
        # Cancelled, out of time, closing, or dead: what it still sends belongs to nobody.
        worker.kill()
        job.fail(WorkerLost("The lab's worker ended in mid-work; another one is being started."))

    def _refuse_for(self, seconds: float) -> None:
        """Pause before the next try. If nobody else works this queue off, refuse what it holds
        instead of letting people wait."""
        end = time.monotonic() + seconds
        while not self.stopping.is_set() and time.monotonic() < end:
            if not self._alone():
                self.stopping.wait(_TICK)
                continue
            try:
                job = self._jobs.get(timeout=_TICK)
            except queue.Empty:
                continue
            if job is not None:
                job.fail(LabDown(f"The lab is down. {self.message}"))
