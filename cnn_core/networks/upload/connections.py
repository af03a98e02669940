"""Which layer of config.json reads which: from Keras's records to calls in order."""

from dataclasses import dataclass
from typing import Any

from cnn_core.errors import BadUpload
from cnn_core.networks.upload.entries import Layer, mapping, short
from cnn_core.networks.upload.shapes import MOST_LAYERS


@dataclass(frozen=True)
class Call:
    """One use of a layer."""

    name: str
    owner: str
    inputs: tuple[str, ...]


def in_a_row(layers: dict[str, Layer], inner: dict[str, Any]) -> list[Call]:
    names = list(layers)
    if layers[names[0]].kind != "InputLayer":
        raise BadUpload("The model does not say what it reads: begin it with keras.Input(shape).")
    for name in names[1:]:
        if layers[name].kind == "InputLayer":
            raise BadUpload(f"The input {name} stands in the middle of a Sequential model.")
    return [
        Call(name, name, (names[k - 1],) if k else ()) for k, name in enumerate(names)
    ]  # fmt: skip


def connected(layers: dict[str, Layer], inner: dict[str, Any]) -> tuple[list[Call], str]:
    """Every use of every layer of a Functional model, and which of them is the output."""
    calls: list[Call] = []
    for layer in layers.values():
        nodes = layer.nodes
        if not isinstance(nodes, list) or len(nodes) > MOST_LAYERS:
            raise BadUpload(f"The layer {layer.name} does not say what it reads.")
        if layer.kind == "InputLayer":
            if nodes:
                raise BadUpload(f"The input {layer.name} reads other layers.")
            calls.append(Call(layer.name, layer.name, ()))
        for use, node in enumerate(nodes):
            reads = tuple(_call_name(layers, *at) for at in _reads(layer, node))
            calls.append(Call(_call_name(layers, layer.name, use), layer.name, reads))
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
        raise BadUpload(f"The model's input is {given[0]}, but it names {short(starts[0][0])}.")
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
        raise BadUpload(f"config.json connects layers in a way not known here: {short(value)}.")
    return value[0], value[1]


def _call_name(layers: dict[str, Layer], name: Any, use: Any) -> str:
    if name not in layers or not 0 <= use < MOST_LAYERS:
        raise BadUpload(f"The model refers to a layer that it does not have: {short(name)}.")
    return name if use == 0 else f"{name}:{use + 1}"


def _reads(layer: Layer, node: Any) -> list[tuple[Any, Any]]:
    """Which uses of which layers one use of a layer reads."""
    node = mapping(node, f"what {layer.name} reads")
    args, kwargs = node.get("args"), node.get("kwargs")
    for key, value in mapping(kwargs, f"what {layer.name} is called with").items():
        if key not in ("training", "mask") or value not in (None, False):
            raise BadUpload(
                f"The layer {layer.name} is called with {short(key)}={short(value)}; only its "
                "input may be given."
            )
    if isinstance(args, list) and len(args) == 1 and isinstance(args[0], list):
        args = args[0]
    if not isinstance(args, list) or not args or len(args) > MOST_LAYERS:
        raise BadUpload(f"The layer {layer.name} does not say what it reads.")
    found = []
    for one in args:
        tensor = mapping(one, f"what {layer.name} reads")
        if tensor.get("class_name") != "__keras_tensor__":
            raise BadUpload(f"The layer {layer.name} reads something that is no layer's output.")
        found.append(_history(mapping(tensor.get("config"), "a tensor").get("keras_history")))
    return found


def ordered(calls: list[Call], end: str) -> list[Call]:
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
    placed: dict[str, Call] = {}
    while waiting:
        ready = [
            call for call in waiting.values() if all(source in placed for source in call.inputs)
        ]
        if not ready:
            raise BadUpload("The model's layers read each other in a circle.")
        for call in ready:
            placed[call.name] = waiting.pop(call.name)
    return list(placed.values())  # the output is last: everything leads to it
