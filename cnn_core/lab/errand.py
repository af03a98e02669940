"""What runs in a Dask worker: it starts a worker process of ours beside itself, and sees to it.

TensorFlow never lives in the Dask worker itself. As on the server's machine, what must end early
is killed, and a process of ours ends with the one that started it.
"""

import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from cnn_core.errors import ConvScopeError, LabDown, RunError, RunLost, WorkerLost
from cnn_core.lab.process import Door, WorkerProcess
from cnn_core.lab.requests import Request, TrainRequest

_NICE = 10
_TICK = 0.1
_GOING = ("closing", "closed", "failed", "stopping")  # words of Dask for a worker that ends

_lock = threading.Lock()
_doors: list[Door] = []  # one, opened when it is first needed
_idle: list[WorkerProcess] = []  # one at most: it has studied, and can do so again


def work(request: Request, home: str, topic: str) -> tuple[str, Any]:
    """Work a request off on this machine.

    Parameters
    ----------
    request : a training, or a study.
    home : the server's ``CONVSCOPE_HOME``; this machine's own, if it has one, counts.
    topic : of Dask's events, where it is told when it begins and how far it is, 0 to 1.

    Returns
    -------
    ``"done"`` and the answer, or ``"failed"`` and a `ConvScopeError`. Dask must never see our
    errors raised: it would look for their modules wherever it hands them on.
    """
    from distributed import Reschedule, get_worker

    dask = get_worker()
    key = dask.get_current_task()

    def unwanted() -> bool:
        """Whether the scheduler has forgotten this work, or this machine leaves the cluster."""
        task = dask.state.tasks.get(key)
        leaving = dask.status.name in _GOING
        return leaving or task is None or task.state not in ("executing", "long-running")

    where = f"{dask.name}"
    environment = {
        "CONVSCOPE_HOME": os.environ.get("CONVSCOPE_HOME") or home,
        "CONVSCOPE_PLACE": where if "://" not in where else f"{socket.gethostname()} ({where})",
    }
    try:
        dask.log_event(topic, 0.0)
        _see_runs(environment["CONVSCOPE_HOME"], request)
        answer = _worked(request, environment, unwanted, lambda share: dask.log_event(topic, share))
    except LabDown as error:  # here; to the server it would mean that the whole cluster is lost
        lost = f"On {environment['CONVSCOPE_PLACE']} nothing could be started. {error}"
        return "failed", (RunLost if isinstance(request, TrainRequest) else WorkerLost)(lost)
    except ConvScopeError as error:
        return "failed", error
    if answer is None:
        raise Reschedule  # to another machine, if anybody still wants it
    return answer


def _see_runs(home: str, request: Request) -> None:
    """Raise `RunError` unless this machine has the run that is to be trained."""
    if isinstance(request, TrainRequest) and not os.path.isdir(f"{home}/runs/{request.run}"):
        raise RunError(
            f"The machine {socket.gethostname()} of the cluster does not see this run in {home}. "
            "All its machines need the server's folder; set CONVSCOPE_HOME there to where it is."
        )


def _worked(
    request: Request,
    environment: dict[str, str],
    unwanted: Callable[[], bool],
    tell: Callable[[float], None],
) -> tuple[str, Any] | None:
    """The worker's answer; None if nobody wants it any more."""
    training = isinstance(request, TrainRequest)
    worker = _taken(environment, unwanted, fresh=training)
    kept = False
    try:
        worker.connection.send(request)
        while not unwanted():
            if not worker.connection.poll(_TICK):
                continue
            kind, content = worker.connection.recv()
            if kind == "progress":
                tell(content)
                continue
            kept = not training and _keep(worker)
            return kind, content
        return None
    except (EOFError, OSError) as error:
        lost = "The process ended before it was done."
        raise (RunLost(lost) if training else WorkerLost(lost)) from error
    finally:
        if not kept:
            worker.kill()


def _taken(environment: dict[str, str], unwanted: Callable[[], bool], fresh: bool) -> WorkerProcess:
    with _lock:
        if not _doors:
            _doors.append(Door())
        while _idle and not fresh:
            worker = _idle.pop()
            if worker.alive:
                return worker
            worker.kill()
    return WorkerProcess(_doors[0], _NICE, unwanted, environment)


def _keep(worker: WorkerProcess) -> bool:
    """Keep it for the next study, if there is none yet."""
    with _lock:
        if not _idle:
            _idle.append(worker)
        return worker in _idle
