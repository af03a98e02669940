"""The answers to `requests.py`, worked out in a worker with Keras."""

import json
from functools import lru_cache

import numpy as np

from cnn_core.lab.requests import Progress, TraceRequest, WarmUp
from cnn_core.networks.graph import Graph
from cnn_core.networks.keras_model import assign_weights, model_of
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, shipped_networks, weights_at, written
from cnn_core.probe.activations import ActivationProbe
from cnn_core.probe.trace import Trace


class Looked:
    """A network under the lens: built and compiled once, moved to any moment by its weights, also
    to those of other networks of the same graph."""

    def __init__(self, graph: Graph) -> None:
        self.model = model_of(graph, "looked")
        self.probe = ActivationProbe(self.model)
        self._at: tuple[NetworkRef, int] | None = None

    def move_to(self, ref: NetworkRef) -> None:
        at = ref, written(ref)
        if at != self._at:
            self._at = None  # should the assignment fail halfway
            assign_weights(self.model, weights_at(ref))
            self._at = at


@lru_cache(maxsize=16)
def _looked(graph: str) -> Looked:
    return Looked(Graph.from_json(json.loads(graph)))


def look(ref: NetworkRef) -> Looked:
    """The network at a moment, ready to be looked through."""
    looked = _looked(open_network(ref.id).graph_text)
    looked.move_to(ref)
    return looked


def warm_up(request: WarmUp, progress: Progress) -> None:
    for id in request.networks or shipped_networks():
        network = open_network(id)
        look(network.last).probe.trace(np.zeros(network.card.input_shape, np.float32))


def trace(request: TraceRequest, progress: Progress) -> Trace:
    return look(request.ref).probe.trace(request.pixels).with_weights({})
