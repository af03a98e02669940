"""config.json of a ``.keras`` file → our own graph. Reads plain values; builds nothing.

Only what Keras 3 writes for a Sequential or Functional model of layers that ConvScope can take
apart is understood. Whatever else stands there is refused by name, code above all.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cnn_core.errors import BadUpload
from cnn_core.networks.graph import Graph, LayerSpec, Shape
from cnn_core.networks.upload.settings import SETTINGS, checked_settings
from cnn_core.networks.upload.shapes import MOST_LAYERS, check_size, described

LARGEST_SIDE = 64
MOST_CLASSES = 100

_MODELS = [
    ("keras", "Sequential"), ("keras.src.models.sequential", "Sequential"),
    ("keras", "Functional"), ("keras.src.models.functional", "Functional"),
]  # fmt: skip
_OF_A_MODEL = {
    "module", "class_name", "config", "registered_name", "build_config", "compile_config",
}  # fmt: skip
_OF_A_LAYER = {
    "module", "class_name", "config", "registered_name", "build_config", "name", "inbound_nodes",
    "shared_object_id",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")
_SAY_WHICH = (
    "ConvScope reads Sequential and Functional models of these layers: "
    + ", ".join(sorted(SETTINGS))
    + "."
)
_AUGMENTATIONS = ("Random", "CenterCrop", "Resizing", "Normalization", "Rescaling")


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


@dataclass(frozen=True)
class _Call:
    """One use of a layer."""

    name: str
    owner: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class _Layer:
    """A layer as the file names it, checked.

    Attributes
    ----------
    place : where its weights stand in the HDF5 file.
    nodes : what it reads, once for each use, unchecked.
    """

    name: str
    kind: str
    config: dict[str, Any]
    place: str
    nodes: Any


def read_configuration(config: Any) -> Configured:
    """The network that config.json describes.

    Raises
    ------
    BadUpload : it is not what Keras 3 writes, names something that is not on the allow-list, or
        describes a network that is too large, has other inputs or other outputs than accepted.
    """
    model = _mapping(config, "config.json")
    _check_class(model)
    inner = _mapping(model.get("config"), "the model's configuration")
    entries = inner.get("layers")
    if not isinstance(entries, list) or not entries:
        raise BadUpload("config.json lists no layers.")
    if len(entries) > MOST_LAYERS:
        raise BadUpload(f"The network has {len(entries)} layers; up to {MOST_LAYERS} are accepted.")
    layers = _layers(entries)
    if model["class_name"] == "Sequential":
        calls = _in_a_row(layers, inner)
        end = calls[-1].name
    else:
        calls, end = _connected(layers, inner)
    graph, scale, offset, remarks = _graph(layers, _ordered(calls, end))
    graph, more = _ending_in_softmax(graph)
    check_size(graph)
    places = {
        spec.name: layers[spec.name].place
        for spec in graph
        if spec.weights and spec.name == spec.owner
    }
    return Configured(graph, places, scale, offset, (*remarks, *more))


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadUpload(f"{what} is not what Keras 3 writes: expected an object of named values.")
    return value


def _check_class(model: dict[str, Any]) -> None:
    module, name = model.get("module"), model.get("class_name")
    if name not in ("Sequential", "Functional"):
        raise BadUpload(
            f"The model is of the class {_short(name)}, which is not accepted: its own code would "
            f"be needed. {_SAY_WHICH}"
        )
    if (module, name) not in _MODELS or model.get("registered_name") not in (None, name):
        raise BadUpload(
            f"The model says that its class {name} comes from {_short(module)}; Keras's own comes "
            "from keras."
        )
    unknown = [key for key in model if key not in _OF_A_MODEL]
    if unknown:
        raise BadUpload(f"config.json has an entry {_short(unknown[0])} that is not known here.")


def _layers(entries: list[Any]) -> dict[str, _Layer]:
    """The layers by name, in the file's order; operations such as ``x + y`` among them."""
    found: dict[str, _Layer] = {}
    used: dict[str, int] = {}
    for entry in entries:
        layer = _mapping(entry, "a layer")
        config = _mapping(layer.get("config"), "a layer's configuration")
        kind = _kind(layer, config)
        name = _checked_name(config.get("name"))
        if layer.get("name", name) != name:
            raise BadUpload(f"The layer {name} bears a second name, {_short(layer['name'])}.")
        if name in found:
            raise BadUpload(f"Two layers are called {name}.")
        # Keras names the groups of the weights after the class, counting from the second on.
        group = _snake_case(kind)
        is_operation = layer["module"] == _ADDITION
        count = used.get(group, 0)
        if not is_operation:
            used[group] = count + 1
        settings = (
            _input_settings(name, config)
            if kind == "InputLayer"
            else checked_settings(name, kind, config)
        )
        place = f"layers/{group}_{count}" if count else f"layers/{group}"
        found[name] = _Layer(name, kind, settings, place, layer.get("inbound_nodes"))
    return found


_ADDITION = "keras.src.ops.numpy"


def _snake_case(kind: str) -> str:
    """``GlobalAveragePooling2D`` → ``global_average_pooling2d``, as Keras writes it."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def _kind(layer: dict[str, Any], config: dict[str, Any]) -> str:
    """The layer's class, if it is Keras's own and on the list."""
    module, kind, registered = (
        layer.get("module"), layer.get("class_name"), layer.get("registered_name"),
    )  # fmt: skip
    name = _short(config.get("name"))
    if kind == "Lambda":
        raise BadUpload(
            f"The layer {name} is a Lambda: it holds code, and code from a file is never run "
            "here. Replace it by layers of Keras."
        )
    if (module, kind, registered) == (_ADDITION, "Add", "Add"):
        return "Add"  # written x + y
    if module == "keras.layers" and kind == "InputLayer" and registered is None:
        return "InputLayer"
    if kind in ("Sequential", "Functional"):
        raise BadUpload(
            f"{name} is a model inside the model. Only layers are read: build the model of its "
            "layers in one."
        )
    if not isinstance(kind, str) or kind not in SETTINGS:
        why = (
            "It prepares images for the training and is not taken apart here."
            if isinstance(kind, str) and kind.startswith(_AUGMENTATIONS)
            else "It is not among the layers that can be taken apart here."
        )
        raise BadUpload(f"The layer {name} is of the class {_short(kind)}. {why} {_SAY_WHICH}")
    if module != "keras.layers" or registered is not None:
        raise BadUpload(
            f"The layer {name} says that its class {kind} comes from {_short(module)} "
            f"({_short(registered)}); only Keras's own, of keras.layers, are accepted."
        )
    unknown = [key for key in layer if key not in _OF_A_LAYER]
    if unknown:
        raise BadUpload(f"The layer {name} has an entry {_short(unknown[0])} not known here.")
    return kind


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadUpload(
            f"A layer is called {_short(name)}. Names are of letters, digits, '_', '-' and '.', "
            "begin with a letter and are at most 64 long."
        )
    return name


def _input_settings(name: str, config: dict[str, Any]) -> dict[str, Any]:
    shape = config.get("batch_shape")
    if not (isinstance(shape, list) and len(shape) == 4):
        raise BadUpload(
            f"The input {name} has the shape {_short(shape)}. Expected images: (batch, height, "
            "width, channels)."
        )
    height, width, channels = shape[1:]
    sides = all(type(side) is int and 1 <= side <= LARGEST_SIDE for side in (height, width))
    if not sides or channels not in (1, 3) or type(channels) is not int:
        raise BadUpload(
            f"The network reads images of {_short(shape[1:])}. Accepted are up to "
            f"{LARGEST_SIDE}×{LARGEST_SIDE} pixels with 1 or 3 channels, channels last."
        )
    if config.get("dtype") not in (None, "float32", "float64", "uint8"):
        raise BadUpload(f"The input {name} is of the type {_short(config['dtype'])}, not float32.")
    for flag in ("sparse", "ragged", "optional"):
        if config.get(flag) not in (None, False):
            raise BadUpload(f"The input {name} is {flag}, which is not accepted.")
    return {"name": name, "shape": (height, width, channels)}


def _in_a_row(layers: dict[str, _Layer], inner: dict[str, Any]) -> list[_Call]:
    names = list(layers)
    if layers[names[0]].kind != "InputLayer":
        raise BadUpload("The model does not say what it reads: begin it with keras.Input(shape).")
    for name in names[1:]:
        if layers[name].kind == "InputLayer":
            raise BadUpload(f"The input {name} stands in the middle of a Sequential model.")
    return [
        _Call(name, name, (names[k - 1],) if k else ()) for k, name in enumerate(names)
    ]  # fmt: skip


def _connected(layers: dict[str, _Layer], inner: dict[str, Any]) -> tuple[list[_Call], str]:
    """Every use of every layer of a Functional model, and which of them is the output."""
    calls: list[_Call] = []
    for layer in layers.values():
        nodes = layer.nodes
        if not isinstance(nodes, list) or len(nodes) > MOST_LAYERS:
            raise BadUpload(f"The layer {layer.name} does not say what it reads.")
        if layer.kind == "InputLayer":
            if nodes:
                raise BadUpload(f"The input {layer.name} reads other layers.")
            calls.append(_Call(layer.name, layer.name, ()))
        for use, node in enumerate(nodes):
            reads = tuple(_call_name(layers, *at) for at in _reads(layer, node))
            calls.append(_Call(_call_name(layers, layer.name, use), layer.name, reads))
    if len(calls) > MOST_LAYERS:
        raise BadUpload(
            f"Its layers are used {len(calls)} times; up to {MOST_LAYERS} are accepted."
        )
    given = [call.name for call in calls if not call.inputs]
    starts, ends = _ends(inner, "input_layers"), _ends(inner, "output_layers")
    if len(starts) != 1 or len(ends) != 1 or len(given) != 1:
        raise BadUpload(
            f"The model has {max(len(starts), len(given))} inputs and {len(ends)} outputs; "
            "expected one of each."
        )
    if _call_name(layers, *starts[0]) != given[0]:
        raise BadUpload(f"The model's input is {given[0]}, but it names {_short(starts[0][0])}.")
    return calls, _call_name(layers, *ends[0])


def _ends(inner: dict[str, Any], which: str) -> list[tuple[Any, Any]]:
    """``["name", 0, 0]`` or a list of such."""
    value = inner.get(which)
    if isinstance(value, list) and value and isinstance(value[0], str):
        value = [value]
    if not isinstance(value, list):
        raise BadUpload(f"config.json has no readable {which}.")
    return [_history(at) for at in value]


def _history(value: Any) -> tuple[Any, Any]:
    if (
        not isinstance(value, list)
        or len(value) != 3
        or not isinstance(value[0], str)
        or type(value[1]) is not int
        or value[2] != 0
    ):
        raise BadUpload(f"config.json connects layers in a way not known here: {_short(value)}.")
    return value[0], value[1]


def _call_name(layers: dict[str, _Layer], name: Any, use: Any) -> str:
    if name not in layers or not 0 <= use < MOST_LAYERS:
        raise BadUpload(f"The model refers to a layer that it does not have: {_short(name)}.")
    return name if use == 0 else f"{name}:{use + 1}"


def _reads(layer: _Layer, node: Any) -> list[tuple[Any, Any]]:
    """Which uses of which layers one use of a layer reads."""
    node = _mapping(node, f"what {layer.name} reads")
    args, kwargs = node.get("args"), node.get("kwargs")
    for key, value in _mapping(kwargs, f"what {layer.name} is called with").items():
        if key not in ("training", "mask") or value not in (None, False):
            raise BadUpload(
                f"The layer {layer.name} is called with {_short(key)}={_short(value)}; only its "
                "input may be given."
            )
    if isinstance(args, list) and len(args) == 1 and isinstance(args[0], list):
        args = args[0]
    if not isinstance(args, list) or not args or len(args) > MOST_LAYERS:
        raise BadUpload(f"The layer {layer.name} does not say what it reads.")
    found = []
    for one in args:
        tensor = _mapping(one, f"what {layer.name} reads")
        if tensor.get("class_name") != "__keras_tensor__":
            raise BadUpload(f"The layer {layer.name} reads something that is no layer's output.")
        found.append(_history(_mapping(tensor.get("config"), "a tensor").get("keras_history")))
    return found


def _ordered(calls: list[_Call], end: str) -> list[_Call]:
    """The calls such that each stands after those it reads, the output last."""
    waiting = {call.name: call for call in calls}
    if end not in waiting:
        raise BadUpload(f"The model's output {end} is not among its layers.")
    wanted, stack = set(), [end]
    while stack:
        name = stack.pop()
        if name not in wanted:
            wanted.add(name)
            if name not in waiting:
                raise BadUpload(f"The model reads {name}, which it does not have.")
            stack += waiting[name].inputs
    unused = [name for name in waiting if name not in wanted]
    if unused:
        raise BadUpload(f"The layer {unused[0]} leads nowhere: nothing of it reaches the output.")
    placed: dict[str, _Call] = {}
    while waiting:
        ready = [
            call for call in waiting.values() if all(source in placed for source in call.inputs)
        ]
        if not ready:
            raise BadUpload("The model's layers read each other in a circle.")
        for call in ready:
            placed[call.name] = waiting.pop(call.name)
    return list(placed.values())  # the output is last: everything leads to it


def _graph(
    layers: dict[str, _Layer], calls: Iterable[_Call]
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


def _short(value: Any) -> str:
    return repr(value)[:60]
