"""config.json of a ``.keras`` file → our own graph. Reads plain values; builds nothing.

Only what Keras 3 writes for a Sequential or Functional model of layers that ConvScope can take
apart is understood. Whatever else stands there is refused by name, code above all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cnn_core.errors import BadUpload
from cnn_core.networks.graph import Graph, LayerSpec, Shape
from cnn_core.networks.upload.connections import Call, connected, in_a_row, ordered
from cnn_core.networks.upload.entries import Layer, check_class, mapping, read_layers
from cnn_core.networks.upload.shapes import MOST_LAYERS, check_size, described

MOST_CLASSES = 100


@dataclass(frozen=True)
class Configured:
    """What config.json describes.

    Attributes
    ----------
    graph : the network in our own words, ending in a softmax.
    places : where the weights of each layer that has some stand in the HDF5 file.
    scale, offset : a Rescaling right after the input, which is done before it now: 1 and 0
        where there was none.
    remarks : sentences on what was changed.
    """

    graph: Graph
    places: Mapping[str, str]
    scale: float
    offset: float
    remarks: tuple[str, ...]


def read_configuration(config: Any) -> Configured:
    """The network that config.json describes.

    Raises
    ------
    BadUpload : it is not what Keras 3 writes, names something that is not on the allow-list, or
        describes a network that is too large, has other inputs or other outputs than accepted.
    """
    model = mapping(config, "config.json")
    check_class(model)
    inner = mapping(model.get("config"), "the model's configuration")
    entries = inner.get("layers")
    if not isinstance(entries, list) or not entries:
        raise BadUpload("config.json lists no layers.")
    if len(entries) > MOST_LAYERS:
        raise BadUpload(f"The network has {len(entries)} layers; up to {MOST_LAYERS} are accepted.")
    layers = read_layers(entries)
    if model["class_name"] == "Sequential":
        calls = in_a_row(layers, inner)
        end = calls[-1].name
    else:
        calls, end = connected(layers, inner)
    graph, scale, offset, remarks = _graph(layers, ordered(calls, end))
    graph, more = _ending_in_softmax(graph)
    check_size(graph)
    places = {
        spec.name: layers[spec.name].place
        for spec in graph
        if spec.weights and spec.name == spec.owner
    }
    return Configured(graph, places, scale, offset, (*remarks, *more))


def _graph(
    layers: dict[str, Layer], calls: Iterable[Call]
) -> tuple[Graph, float, float, tuple[str, ...]]:
    """The graph, and what a Rescaling right after the input did."""
    specs: dict[str, LayerSpec] = {}
    stands_for: dict[str, str] = {}  # a Rescaling → the input whose place it took
    shapes: dict[str, Shape] = {}
    scale, offset = 1.0, 0.0
    remarks: tuple[str, ...] = ()
    start = ""
    calls = list(calls)
    for call in calls:
        layer = layers[call.owner]
        reads = [stands_for.get(source, source) for source in call.inputs]
        if layer.kind == "InputLayer":
            start = call.name
            specs[start] = _input(start, layer.config["shape"])
            shapes[start] = specs[start].output_shape
            continue
        if layer.kind == "Rescaling":
            alone = sum(start in other.inputs for other in calls) == 1
            if reads != [start] or not alone or stands_for or layer.config["scale"] == 0:
                raise BadUpload(
                    f"The layer {layer.name} is a Rescaling in the middle of the network. One is "
                    "accepted right after the input, where it is done before."
                )
            scale, offset = layer.config["scale"], layer.config["offset"]
            stands_for[call.name] = start
            remarks = (
                f"Its layer {layer.name} is done before the input: what you see entering is "
                "already rescaled.",
            )
            continue
        for source in reads:
            if source not in shapes:
                raise BadUpload(f"The layer {layer.name} reads {source}, which comes after it.")
        specs[call.name] = described(
            call.name, layer.kind, [(source, shapes[source]) for source in reads], layer.config
        )
        shapes[call.name] = specs[call.name].output_shape
    _check_shared(specs)
    return Graph(tuple(specs.values())), scale, offset, remarks


def _input(name: str, shape: Shape) -> LayerSpec:
    config = {"batch_shape": [None, *shape], "name": name}
    return LayerSpec(name, "InputLayer", (), config, shape, {})


def _check_shared(specs: dict[str, LayerSpec]) -> None:
    """A layer used twice has the same weights each time."""
    for spec in specs.values():
        first = specs.get(spec.owner)
        if first is None or first.weights != spec.weights:
            raise BadUpload(f"The layer {spec.owner} is used on inputs that need other weights.")


def _ending_in_softmax(graph: Graph) -> tuple[Graph, tuple[str, ...]]:
    """The graph with probabilities as its output.

    Raises
    ------
    BadUpload : its output is no vector of 2 to 100 classes, or neither logits nor probabilities.
    """
    output = graph.output
    shape = output.output_shape
    if len(shape) != 1 or output.kind == "InputLayer":
        raise BadUpload(
            f"The model gives {shape}; expected one number a class, as an image classifier gives."
        )
    if shape == (1,):
        raise BadUpload(
            "The model has one output, as a yes-or-no network with a sigmoid has. ConvScope shows "
            "networks of one output a class: use Dense(2, activation='softmax')."
        )
    if shape[0] > MOST_CLASSES:
        raise BadUpload(
            f"The model tells {shape[0]} classes apart; up to {MOST_CLASSES} are shown."
        )
    last = output
    while last.kind in _HANDING_ON and last.kind != "InputLayer":
        last = graph[last.inputs[0]]
    activation = last.config.get("activation", "linear")
    if last.kind == "Softmax" or activation == "softmax":
        if last is not output:
            raise BadUpload(f"Something stands after the softmax: {output.name} ({output.kind}).")
        return graph, ()
    if last.kind in ("ReLU", "LeakyReLU", "ELU") or activation != "linear":
        what = activation if activation != "linear" else last.kind
        raise BadUpload(
            f"The model ends in {what}. Expected a softmax, or plain numbers (logits), which are "
            "turned into probabilities here."
        )
    name = "softmax"
    while name in {spec.owner for spec in graph}:
        name += "_"
    added = described(name, "Softmax", [(output.name, shape)], {"name": name, "axis": -1})
    return Graph((*graph.layers, added)), (
        f"It ends in logits; a softmax, {name}, was added, so that they are probabilities.",
    )


_HANDING_ON = (
    "Flatten", "Reshape", "Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout",
    "ActivityRegularization", "Identity",
)  # fmt: skip
