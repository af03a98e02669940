"""What a network view is sent: the graph, its geometry and one digit's numbers, as one file.

The format is safetensors (https://github.com/huggingface/safetensors): every layer's output by
name, and a softmax's pre-activation as ``name/before``, all float32; the rest as JSON in the
metadata. Weights go separately, once a moment: see `routes`.
"""

import json
from typing import Any

from safetensors.numpy import save

from cnn_core.errors import UnsupportedLayer
from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.networks.ref import Lesion
from cnn_core.probe.functions import activation_of
from cnn_core.probe.geometry import (
    CELLWISE,
    CONVOLUTIONS,
    POOLINGS,
    Index,
    concatenation_axis,
    sliding,
)
from cnn_core.probe.trace import Trace

FORMAT = 1

_RULES = {
    "InputLayer": "given",
    "Conv2D": "convolution",
    "DepthwiseConv2D": "convolution",
    "MaxPooling2D": "maximum",
    "AveragePooling2D": "mean",
    "GlobalAveragePooling2D": "global mean",
    "Dense": "dense",
    "BatchNormalization": "normalization",
    "Flatten": "reshape",
    "Reshape": "reshape",
    "Add": "add",
    "Concatenate": "concatenate",
    "ZeroPadding2D": "padding",
}
_SETTINGS = ("negative_slope", "max_value", "threshold", "alpha")


def view_payload(
    trace: Trace,
    classes: tuple[str, ...],
    *,
    picture: str,
    weights: str,
    selected: tuple[str, Index] | None,
    compact: bool,
    off: Lesion = (),
) -> bytes:
    """Everything a network view shows of one digit at one moment.

    Parameters
    ----------
    trace : what every layer computed.
    classes : names of the output's units.
    picture : differs whenever anything but the selection does.
    weights : where this moment's weights are served.
    selected : the layer and unit that the page has chosen.
    compact : a smaller view.
    off : the units that are switched off.
    """
    tensors = {layer.name: layer.output for layer in trace}
    for layer in trace:
        if layer.pre_activation is not None and _activation(layer.spec)[0] == "softmax":
            tensors[f"{layer.name}/before"] = layer.pre_activation
    view = {
        "format": FORMAT,
        "picture": picture,
        "weights": weights,
        "classes": classes,
        "selected": selected and {"layer": selected[0], "index": selected[1]},
        "compact": compact,
        "off": {name: [unit for layer, unit in off if layer == name] for name, _ in off},
        "layers": [_described(trace.graph, layer.spec) for layer in trace],
    }
    return save(tensors, {"view": json.dumps(view)})


def _described(graph: Graph, spec: LayerSpec) -> dict[str, Any]:
    activation, settings = _activation(spec)
    described: dict[str, Any] = {
        "name": spec.name,
        "kind": spec.kind,
        "owner": spec.owner,
        "inputs": spec.inputs,
        "shape": spec.output_shape,
        "rule": "copy" if spec.kind in CELLWISE else "unknown",
        "activation": activation,
        "settings": settings,
    }
    try:
        described |= _wiring(graph, spec)
    except UnsupportedLayer:
        described["rule"] = "unknown"
    return described


def _wiring(graph: Graph, spec: LayerSpec) -> dict[str, Any]:
    """The rule by which a unit comes from what it reads, with its settings."""
    wiring: dict[str, Any] = {"rule": _RULES[spec.kind]} if spec.kind in _RULES else {}
    shapes = graph.input_shapes(spec)
    if spec.kind in (*CONVOLUTIONS, *POOLINGS):
        slide = sliding(spec, shapes[0])
        wiring["slide"] = {
            "size": slide.size,
            "stride": slide.stride,
            "dilation": slide.dilation,
            "before": slide.before,
        }
    if spec.kind == "Conv2D":
        wiring["groups"] = spec.config.get("groups", 1)
    elif spec.kind == "DepthwiseConv2D":
        wiring["multiplier"] = spec.config["depth_multiplier"]
    elif spec.kind == "BatchNormalization":
        wiring["epsilon"] = spec.config["epsilon"]
    elif spec.kind == "Concatenate":
        wiring["axis"] = concatenation_axis(spec)
    elif spec.kind == "ZeroPadding2D":
        wiring["padding"] = spec.config["padding"]
    elif spec.kind == "Add" and set(shapes) != {spec.output_shape}:
        raise UnsupportedLayer(f"{spec.name} adds tensors of different shapes.")
    return wiring


def _activation(spec: LayerSpec) -> tuple[str, dict[str, float | None]]:
    """Name and settings of the activation; ``"linear"`` where it is not known."""
    try:
        name, _ = activation_of(spec.kind, spec.config)
    except UnsupportedLayer:
        return "linear", {}
    return name, {key: spec.config[key] for key in _SETTINGS if key in spec.config}
