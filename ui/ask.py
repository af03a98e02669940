"""The pages' way to the lab: cached answers, and NumPy's while the lab cannot answer."""

import logging
import pickle
import threading
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from cachetools import LRUCache, cached

from cnn_core.data.digit import Digit
from cnn_core.errors import ConvScopeError, LabDown, LabError, WorkerLost, WorkFailed
from cnn_core.lab.jobs import Job
from cnn_core.lab.requests import Request, TraceRequest, TrainRequest
from cnn_core.lab.scheduler import ClusterStatus
from cnn_core.lab.supervisor import Lab, LaneName, LaneStatus
from cnn_core.lab.trainings import Trainings
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at, written
from cnn_core.probe.reference import reference_trace
from cnn_core.probe.trace import Trace
from cnn_core.training.budget import check_cost
from cnn_core.training.config import TrainingConfig
from cnn_core.training.run import Drawings, Run
from cnn_core.training.run_state import RunState
from cnn_core.training.runs import Runs

_log = logging.getLogger("convscope")
_LOOK_SECONDS = 10.0
_LONG_LOOK_SECONDS = 30.0  # the first of its kind is compiled
_STUDY_SECONDS = 1800.0  # waiting in the queue counts
_MOST_STUDIES = 24  # under way and waiting, for the whole server
_MOST_OF_ONE = 6  # of those, where visitors are told apart
_KEPT_STUDIES = 48
_STUDYING = "The lab's one worker is busy with a study."
_lab: Lab | None = None
_guard = threading.Lock()
# As large as each is on its way from the lab; a design's trace may be a thousand curves.
_looks: LRUCache = LRUCache(12_000_000, getsizeof=lambda kept: kept[0])
_Asked = tuple[Request, tuple[int, ...]]
_studies: OrderedDict[_Asked, Job] = OrderedDict()
_askers: dict[_Asked, set[str]] = {}


def use(lab: Lab | None) -> None:
    """The lab that answers from now on; what another one was studying is forgotten."""
    global _lab
    if lab is not _lab:
        _studies.clear()
        _askers.clear()
    _lab = lab


def lab_status(lane: LaneName = "look") -> LaneStatus:
    """How the lab is; a server without one counts as down."""
    if _lab is None:
        return LaneStatus("down", "This server was started without its lab.", (), 0)
    return _lab.status(lane)


def cluster() -> ClusterStatus | None:
    """How the cluster is that trains and studies; None if this machine does so itself."""
    return _lab.cluster if _lab is not None else None


@dataclass(frozen=True)
class Answer:
    """A trace, and why NumPy computed it.

    Attributes
    ----------
    trace : whoever computed it.
    trouble : why Keras did not; empty if it did.
    passing : whether to ask again is worth while: the lab is starting, or being mended.
    """

    trace: Trace
    trouble: str = ""
    passing: bool = False


def trace(ref: NetworkRef, digit: Digit) -> Answer:
    """What every layer of the network makes of the digit, with the weights.

    Keras answers when the lab is ready. Until then, and whenever it fails, NumPy does.
    """
    image = open_network(ref.id).card.fit(digit.pixels)
    status = lab_status()
    if status.state == "down":
        trouble, passing = f"TensorFlow cannot be started. {status.message}", True
    elif status.state != "ready":
        trouble, passing = "TensorFlow is starting…", True
    elif _is_studying():
        trouble, passing = _STUDYING, True
    else:
        try:
            return Answer(_keras_trace(ref, written(ref), image.tobytes(), image.shape))
        except WorkFailed as error:
            _log.error("%s\n%s", error, error.details)
            trouble, passing = str(error), False
        except LabError as error:
            _log.warning("NumPy answers in the lab's place: %s", error)
            trouble, passing = str(error), isinstance(error, WorkerLost)
    answer = _numpy_trace(ref, written(ref), image.tobytes(), image.shape)
    return Answer(answer, trouble, passing)


def _is_studying() -> bool:
    """Whether the only worker there is has a study in hand, which may take half an hour."""
    if _lab is None or not _lab.looks_wait_for_studies:
        return False
    with _guard:
        return any(not job.ended for job in _studies.values())


def _bytes(trace: Trace) -> int:
    """What a trace takes in memory, its weights apart: those are kept elsewhere."""
    arrays = [array for layer in trace for array in (layer.output, layer.pre_activation)]
    return sum(array.nbytes for array in arrays if array is not None)


# A deep network's trace is twenty times as large as a small one's: what is kept has a size.
@cached(LRUCache(24_000_000, getsizeof=_bytes), lock=threading.Lock(), info=True)
def _keras_trace(ref: NetworkRef, frame: int, image: bytes, shape: tuple[int, ...]) -> Trace:
    if _lab is None:
        raise LabDown("This server was started without its lab.")
    pixels = np.frombuffer(image, np.float32).reshape(shape)
    answer: Trace = _lab.ask(TraceRequest(ref, pixels), "look", _LOOK_SECONDS)
    return answer.with_weights(weights_at(ref))


@cached(LRUCache(8_000_000, getsizeof=_bytes), lock=threading.Lock())
def _numpy_trace(ref: NetworkRef, frame: int, image: bytes, shape: tuple[int, ...]) -> Trace:
    pixels = np.frombuffer(image, np.float32).reshape(shape)
    return reference_trace(open_network(ref.id).graph, weights_at(ref), pixels)


def _asked(request: Request) -> _Asked:
    """A request, and when the frames that it is about were written."""
    refs = getattr(request, "refs", ()) or (getattr(request, "ref", None),)
    return request, tuple(written(ref) for ref in refs if ref is not None)


def look(request: Request, key: Hashable) -> Any:
    """A quick question's answer; the last ones are kept.

    Parameters
    ----------
    request : for the looking lane.
    key : what the answer depends on, beside the kind of the request.

    Raises
    ------
    ConvScopeError : there is no answer, and why.
    """
    asked = type(request), key, _asked(request)[1]
    with _guard:
        if asked in _looks:
            return _looks[asked][1]
    if _lab is None:
        raise LabDown("This server was started without its lab.")
    if _is_studying():
        raise LabError(f"{_STUDYING} Try again when it has ended.")
    answer = _lab.ask(request, "look", _LONG_LOOK_SECONDS)
    size = len(pickle.dumps(answer))
    with _guard, suppress(ValueError):  # it is larger than all that may be kept
        _looks[asked] = size, answer
    return answer


def begun(request: Request) -> Job | None:
    """The study of just this request, under way or ended; None if nobody has asked for it."""
    asked = _asked(request)
    with _guard:
        return _studies.get(asked)


def begin(request: Request, owner: str = "") -> Job:
    """Have it studied, once for everybody who asks.

    Parameters
    ----------
    owner : who asks; empty where visitors are not told apart.

    Raises
    ------
    LabError : too much is under way already; `LabDown`, there is no lab.
    """
    if _lab is None:
        raise LabDown("This server was started without its lab.")
    asked = _asked(request)
    with _guard:
        waiting = sum(not job.ended for job in _studies.values())
        if waiting >= _MOST_STUDIES:
            raise LabError(f"{waiting} studies are under way or waiting. Try again in a while.")
        going = [one for one, job in _studies.items() if not job.ended]
        if owner and sum(owner in _askers.get(one, ()) for one in going) >= _MOST_OF_ONE:
            raise LabError(f"{_MOST_OF_ONE} studies of yours are under way. Wait, or cancel one.")
        job = _lab.submit(request, "study", _STUDY_SECONDS)
        _askers[asked] = {owner}
        _studies[asked] = job
        _studies.move_to_end(asked)
        for old in [one for one, its in _studies.items() if its.ended][:-_KEPT_STUDIES]:
            del _studies[old]
            _askers.pop(old, None)
    return job


def asks_for(request: Request, owner: str) -> bool:
    """Whether they are among those who have asked for a study that is begun."""
    asked = _asked(request)
    with _guard:
        return owner in _askers.get(asked, ())


def join(request: Request, owner: str) -> None:
    """Ask for a study that somebody else has begun."""
    asked = _asked(request)
    with _guard:
        if asked in _askers:
            _askers[asked].add(owner)


def leave(request: Request, owner: str) -> None:
    """Ask for a study no longer: it is cancelled when nobody does."""
    asked = _asked(request)
    with _guard:
        askers, job = _askers.get(asked, set()), _studies.get(asked)
        askers.discard(owner)
    if job is not None and not askers:
        job.cancel()


def trainings() -> Trainings:
    """The queue of trainings. Raises `LabDown` on a server without a lab."""
    if _lab is None:
        raise LabDown("This server was started without its lab; nothing can be trained.")
    return _lab.trainings


def here(owner: str) -> None:
    """Somebody whose trainings are their own is here."""
    if _lab is not None:
        _lab.trainings.seen(owner)


def start_training(config: TrainingConfig, drawings: Drawings | None, owner: str) -> Run:
    """A new run, on its way. Raises `BadConfig`, `RunError`, `LabDown`."""
    line = trainings()
    check_cost(config)
    run = Runs().create(config, drawings=drawings, owner=owner)
    try:
        line.start(TrainRequest(run.id))
    except ConvScopeError:
        run.tell(RunState("stopped"))
        Runs().delete(run.id)
        raise
    return run


def resume_training(run: Run) -> None:
    """Go on from a run's last whole epoch. Raises `BadConfig`, `RunError`, `LabDown`."""
    line = trainings()
    check_cost(run.config)
    line.start(TrainRequest(run.id, resume=True))
