"""Whether what stands on disk of a network can be believed. Needs no Keras.

A folder may have been damaged, or edited by somebody: before any of it is used, every field is
held against what it should be, every layer's shapes and weights are worked out anew from its
settings, and every frame is held against the graph. The checks are those of a stranger's upload.
"""

from typing import Any

import numpy as np

from cnn_core.errors import BadUpload, DataError
from cnn_core.networks.film import Weights
from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.networks.upload.settings import SETTINGS, checked_settings
from cnn_core.networks.upload.shapes import MOST_LAYERS, check_size, described
from cnn_core.whole import is_whole

_KINDS = {*SETTINGS, "InputLayer"} - {"Rescaling"}  # that one is counted in when it comes
_LONGEST_TEXT = 2_000
_MOST_CLASSES = 4_096
_MOST_MOMENTS = 100_000


def sound_graph(layers: object, whose: str) -> Graph:
    """The graph that a network's folder describes.

    Parameters
    ----------
    layers : as `Graph.to_json` wrote it, or anything else.
    whose : the network's id, for the sentence.

    Raises
    ------
    DataError : it is none, or its layers do not fit each other.
    """
    if not isinstance(layers, list) or not 2 <= len(layers) <= MOST_LAYERS:
        raise DataError(f"The network {whose!r} is damaged: its layers are no list of layers.")
    known: dict[str, LayerSpec] = {}
    for number, layer in enumerate(layers):
        spec = _spec(layer, whose)
        if spec.name in known or (number == 0) != (spec.kind == "InputLayer"):
            raise DataError(f"The network {whose!r} is damaged: {spec.name[:40]} is out of place.")
        if any(source not in known for source in spec.inputs):
            raise DataError(f"The network {whose!r} is damaged: {spec.name[:40]} reads nothing.")
        if number:
            _check_layer(spec, known, whose)
        elif len(spec.output_shape) != 3 or spec.inputs or spec.weights:
            raise DataError(f"The network {whose!r} is damaged: it reads no images.")
        known[spec.name] = spec
    graph = Graph(tuple(known.values()))
    if len(graph.output.output_shape) != 1:
        raise DataError(f"The network {whose!r} is damaged: its output is no row of numbers.")
    try:
        check_size(graph)
    except BadUpload as error:
        raise DataError(f"The network {whose!r} is damaged: {error}") from error
    return graph


def _spec(layer: object, whose: str) -> LayerSpec:
    """One layer, as far as its types go."""
    plain = layer if isinstance(layer, dict) else {}
    weights = plain.get("weights")
    good = (
        all(_text(plain.get(name)) for name in ("name", "kind"))
        and plain["kind"] in _KINDS
        and isinstance(plain.get("config"), dict)
        and all(_texts(plain.get(name)) for name in ("inputs", "trainable"))
        and _sizes(plain.get("output_shape"))
        and isinstance(weights, dict)
        and all(_sizes(shape) for shape in weights.values())
    )
    if not good:
        name = str(plain.get("name"))[:40]
        raise DataError(f"The network {whose!r} is damaged: the layer {name} is none.")
    return Graph.from_json([plain]).layers[0]


def _check_layer(spec: LayerSpec, known: dict[str, LayerSpec], whose: str) -> None:
    """A layer's settings, and that its shapes and weights are those that follow from them."""
    try:
        config = checked_settings(spec.name, spec.kind, spec.config)
        inputs = [(source, known[source].output_shape) for source in spec.inputs]
        expected = described(spec.name, spec.kind, inputs, config)
    except BadUpload as error:
        raise DataError(f"The network {whose!r} is damaged: {error}") from error
    same = (
        expected.output_shape == spec.output_shape
        and dict(expected.weights) == dict(spec.weights)
        and set(spec.trainable) <= set(spec.weights)
    )
    first = known.get(spec.owner)
    if not same or (first is not None and first.weights != spec.weights):
        raise DataError(
            f"The network {whose!r} is damaged: the shapes of {spec.name[:40]} do not follow from "
            "its settings."
        )


def check_card(card: object, whose: str) -> dict[str, Any]:
    """What a folder says of its network, as far as its types go.

    Raises
    ------
    DataError : a field is missing or of another kind.
    """
    plain = card if isinstance(card, dict) else {}
    classes, accuracy = plain.get("class_names"), plain.get("accuracy")
    good = (
        all(_text(plain.get(name)) for name in ("id", "title"))
        and all(_text(plain.get(name, ""), 0) for name in
                ("about", "dataset", "accuracy_of", "architecture"))
        and isinstance(plain.get("recipe"), dict)
        and _sizes(plain.get("input_shape")) and len(plain["input_shape"]) == 3
        and _range(plain.get("value_range"))
        and _texts(classes) and 2 <= len(plain["class_names"]) <= _MOST_CLASSES
        and isinstance(accuracy, dict) and len(accuracy) <= _MOST_MOMENTS
        and all(is_whole(step) and _share(share) for step, share in plain["accuracy"].items())
    )  # fmt: skip
    if not good:
        raise DataError(f"The network {whose!r} is damaged: what it says of itself is no card.")
    return plain


def check_weights(graph: Graph, weights: Weights, whose: str) -> None:
    """Raise `DataError` unless a frame holds exactly the graph's weights.

    Not that they are finite: a training whose steps were too large leaves none that are.
    """
    expected = {
        (spec.name, name): tuple(shape)
        for spec in graph
        if spec.name == spec.owner
        for name, shape in spec.weights.items()
    }
    found = {
        (layer, name): array.shape
        for layer, named in weights.items()
        for name, array in named.items()
    }
    if found != expected or not all(
        array.dtype == np.float32 for named in weights.values() for array in named.values()
    ):
        raise DataError(
            f"A film frame of the network {whose!r} holds other weights than its layers."
        )


def _text(value: object, least: int = 1) -> bool:
    return isinstance(value, str) and least <= len(value) <= _LONGEST_TEXT and _encodes(value)


def _encodes(text: str) -> bool:
    """Whether it can be sent: half a surrogate pair cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(_text(one) for one in value)


def _sizes(value: object) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= 4
        and all(type(size) is int and size > 0 for size in value)
    )


def _range(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(end) in (int, float) and abs(end) <= 1e6 for end in value)
        and value[0] < value[1]
    )


def _share(value: object) -> bool:
    return isinstance(value, int | float) and (value != value or 0 <= value <= 1)
