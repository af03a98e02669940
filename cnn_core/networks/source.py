"""The Keras code that builds a layer, from its description. Needs no Keras."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from cnn_core.networks.graph import Graph, LayerSpec

# What stands first, without its name, as one writes it; then, by name, what is not the default.
_POSITIONAL: dict[str, tuple[str, ...]] = {
    "Conv2D": ("filters", "kernel_size"),
    "DepthwiseConv2D": ("kernel_size",),
    "MaxPooling2D": ("pool_size",),
    "AveragePooling2D": ("pool_size",),
    "Dense": ("units",),
    "Reshape": ("target_shape",),
    "Dropout": ("rate",),
    "Activation": ("activation",),
    "ZeroPadding2D": ("padding",),
}
_DEFAULTS: dict[str, Mapping[str, Any]] = {
    "Conv2D": {
        "strides": (1, 1), "padding": "valid", "dilation_rate": (1, 1), "groups": 1,
        "activation": "linear", "use_bias": True,
    },
    "DepthwiseConv2D": {
        "strides": (1, 1), "padding": "valid", "dilation_rate": (1, 1), "depth_multiplier": 1,
        "activation": "linear", "use_bias": True,
    },
    "MaxPooling2D": {"strides": None, "padding": "valid"},
    "AveragePooling2D": {"strides": None, "padding": "valid"},
    "GlobalAveragePooling2D": {"keepdims": False},
    "Dense": {"activation": "linear", "use_bias": True},
    "BatchNormalization": {
        "axis": -1, "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True,
    },
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "LeakyReLU": {"negative_slope": 0.3},
    "ELU": {"alpha": 1.0},
    "Softmax": {"axis": -1},
    "Concatenate": {"axis": -1},
}  # fmt: skip


def layer_code(graph: Graph, name: str) -> str:
    """One line of Keras code that builds the layer as it is; weights apart.

    Examples
    --------
    >>> from cnn_core.networks.zoo import open_network
    >>> print(layer_code(open_network("classic").graph, "conv_2"))
    layers.Conv2D(64, (3, 3), activation="relu", name="conv_2")
    """
    spec = graph[name]
    if spec.kind == "InputLayer":
        return f"keras.Input({spec.output_shape}, name={_literal(name)})"
    return f"layers.{spec.kind}({', '.join(_arguments(spec))})"


def _arguments(spec: LayerSpec) -> list[str]:
    config = {key: _tupled(value) for key, value in spec.config.items()}
    first = [_literal(config[key]) for key in _POSITIONAL.get(spec.kind, ())]
    defaults = dict(_DEFAULTS.get(spec.kind, {}))
    if "pool_size" in config and config["strides"] == config["pool_size"]:
        defaults["strides"] = config["strides"]  # None means: as far as the window is large
    named = [
        f"{key}={_literal(config[key])}"
        for key, default in defaults.items()
        if config[key] != default
    ]
    return [*first, *named, f"name={_literal(spec.owner)}"]


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list | tuple) else value


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def model_code(graph: Graph, name: str = "model") -> str:
    """The Keras code that builds a network of this graph, weights apart.

    A chain of layers is written as a Sequential model, anything else as a Functional one.

    Examples
    --------
    >>> from cnn_core.networks.zoo import open_network
    >>> print(model_code(open_network("intro").graph))
    model = keras.Sequential([
        keras.Input((28, 28, 1), name="input"),
        layers.Conv2D(32, (3, 3), activation="relu", name="conv_1"),
        layers.MaxPooling2D((2, 2), name="pool_1"),
        layers.Flatten(name="flatten"),
        layers.Dense(64, activation="relu", name="dense_1"),
        layers.Dense(10, activation="softmax", name="output"),
    ])
    """
    specs = list(graph)
    chained = all(
        spec.inputs == (before.name,) and spec.owner == spec.name
        for before, spec in pairwise(specs)
    )
    if chained:
        lines = [f"    {layer_code(graph, spec.name)}," for spec in specs]
        return "\n".join([f"{name} = keras.Sequential([", *lines, "])"])
    variables = {spec.name: f"x{k}" for k, spec in enumerate(specs)}
    makers: dict[str, str] = {}
    lines = []
    for spec in specs:
        if not spec.inputs:
            lines.append(f"{variables[spec.name]} = {layer_code(graph, spec.name)}")
            continue
        if spec.owner not in makers:
            makers[spec.owner] = f"layer_{len(makers)}"
            lines.append(f"{makers[spec.owner]} = {layer_code(graph, spec.owner)}")
        reads = ", ".join(variables[source] for source in spec.inputs)
        reads = f"[{reads}]" if len(spec.inputs) > 1 else reads
        lines.append(f"{variables[spec.name]} = {makers[spec.owner]}({reads})")
    ends = f"{variables[graph.input.name]}, {variables[graph.output.name]}"
    return "\n".join([*lines, f"{name} = keras.Model({ends})"])
