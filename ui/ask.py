"""The pages' way to the lab: cached answers, and NumPy's while the lab cannot answer."""

import logging
from functools import lru_cache

import numpy as np

from cnn_core.data.digit import Digit
from cnn_core.errors import LabDown, LabError
from cnn_core.lab.requests import TraceRequest
from cnn_core.lab.supervisor import Lab, LaneName, LaneStatus
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.reference import reference_trace
from cnn_core.probe.trace import Trace

_log = logging.getLogger("convscope")
_LOOK_SECONDS = 5.0
_lab: Lab | None = None


def use(lab: Lab | None) -> None:
    """The lab that answers from now on."""
    global _lab
    _lab = lab


def lab_status(lane: LaneName = "look") -> LaneStatus:
    """How the lab is; a server without one counts as down."""
    if _lab is None:
        return LaneStatus("down", "This server was started without its lab.", (), 0)
    return _lab.status(lane)


def trace(ref: NetworkRef, digit: Digit) -> Trace:
    """What every layer of the network makes of the digit, with the weights.

    Keras answers when the lab is ready. Until then, and whenever it fails, NumPy does:
    `Trace.engine` says who.
    """
    image = open_network(ref.id).card.fit(digit.pixels)
    if lab_status().state == "ready":
        try:
            return _keras_trace(ref, image.tobytes(), image.shape)
        except LabError as error:
            _log.warning("NumPy answers in the lab's place: %s", error)
    return _numpy_trace(ref, image.tobytes(), image.shape)


@lru_cache(maxsize=64)
def _keras_trace(ref: NetworkRef, image: bytes, shape: tuple[int, ...]) -> Trace:
    if _lab is None:
        raise LabDown("This server was started without its lab.")
    pixels = np.frombuffer(image, np.float32).reshape(shape)
    answer: Trace = _lab.ask(TraceRequest(ref, pixels), "look", _LOOK_SECONDS)
    return answer.with_weights(weights_at(ref))


@lru_cache(maxsize=16)
def _numpy_trace(ref: NetworkRef, image: bytes, shape: tuple[int, ...]) -> Trace:
    pixels = np.frombuffer(image, np.float32).reshape(shape)
    return reference_trace(open_network(ref.id).graph, weights_at(ref), pixels)
