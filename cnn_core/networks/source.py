"""The Keras code that builds a layer or a network, from its description. Needs no Keras.

What is written builds the same thing: every setting that is not Keras's default stands in the
code, initializers, regularizers and parametrised activations too.
"""

import builtins
import json
import keyword
import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from cnn_core.errors import UnsupportedLayer
from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.networks.ref import NetworkRef

# What stands first, without its name, as one writes it; then, by name, what is not the default.
_POSITIONAL: dict[str, tuple[str, ...]] = {
    "Conv2D": ("filters", "kernel_size"),
    "DepthwiseConv2D": ("kernel_size",),
    "MaxPooling2D": ("pool_size",),
    "AveragePooling2D": ("pool_size",),
    "Dense": ("units",),
    "Reshape": ("target_shape",),
    "Dropout": ("rate",),
    "SpatialDropout2D": ("rate",),
    "GaussianNoise": ("stddev",),
    "Activation": ("activation",),
    "ZeroPadding2D": ("padding",),
}
_PLAIN: Mapping[str, Any] = {"trainable": True, "dtype": "float32", "data_format": "channels_last"}
# An initializer without settings of its own is named by its class.
_BIAS: Mapping[str, Any] = {
    "bias_initializer": "Zeros", "bias_regularizer": None, "bias_constraint": None,
}  # fmt: skip
_KERNEL: Mapping[str, Any] = {
    "kernel_initializer": "GlorotUniform", "kernel_regularizer": None, "kernel_constraint": None,
    "activity_regularizer": None, "quantization_config": None, **_BIAS,
}  # fmt: skip
_DEPTHWISE: Mapping[str, Any] = {
    "depthwise_initializer": "GlorotUniform", "depthwise_regularizer": None,
    "depthwise_constraint": None, "activity_regularizer": None, **_BIAS,
}  # fmt: skip
_DEFAULTS: dict[str, Mapping[str, Any]] = {
    "Conv2D": {
        "strides": (1, 1), "padding": "valid", "dilation_rate": (1, 1), "groups": 1,
        "activation": "linear", "use_bias": True, **_KERNEL,
    },
    "DepthwiseConv2D": {
        "strides": (1, 1), "padding": "valid", "dilation_rate": (1, 1), "depth_multiplier": 1,
        "activation": "linear", "use_bias": True, **_DEPTHWISE,
    },
    "MaxPooling2D": {"strides": None, "padding": "valid"},
    "AveragePooling2D": {"strides": None, "padding": "valid"},
    "GlobalAveragePooling2D": {"keepdims": False},
    "Dense": {"activation": "linear", "use_bias": True, **_KERNEL},
    "BatchNormalization": {
        "axis": -1, "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True,
        "beta_initializer": "Zeros", "gamma_initializer": "Ones",
        "moving_mean_initializer": "Zeros", "moving_variance_initializer": "Ones",
        "beta_regularizer": None, "gamma_regularizer": None, "beta_constraint": None,
        "gamma_constraint": None, "synchronized": False, "renorm": False,
        "renorm_clipping": None, "renorm_momentum": 0.99,
    },
    "Dropout": {"seed": None, "noise_shape": None},
    "SpatialDropout2D": {"seed": None},
    "GaussianNoise": {"seed": None},
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "LeakyReLU": {"negative_slope": 0.3},
    "ELU": {"alpha": 1.0},
    "Softmax": {"axis": -1},
    "Concatenate": {"axis": -1},
}  # fmt: skip
# Names that the printed code uses for something else.
_TAKEN = {
    "keras", "layers", "np", "model", "data", "rate", "moved", "x_train", "y_train",
    *keyword.kwlist, *keyword.softkwlist, *dir(builtins),
}  # fmt: skip


def layer_code(graph: Graph, name: str) -> str:
    """One line of Keras code that builds the layer as it is; weights apart.

    Raises
    ------
    UnsupportedLayer : it holds something that is not Keras's own, and so cannot be written.

    Examples
    --------
    >>> from cnn_core.networks.zoo import open_network
    >>> print(layer_code(open_network("classic").graph, "conv_2"))
    layers.Conv2D(64, (3, 3), activation="relu", name="conv_2")
    """
    spec = graph[name]
    if spec.kind == "InputLayer":
        return _input_code(spec)
    return _layer_call(spec.kind, spec.config, spec.owner)


def _input_code(spec: LayerSpec) -> str:
    config = spec.config
    batch = config.get("batch_shape", (None,))[0]
    named = {
        **({"batch_size": batch} if batch is not None else {}),
        **{key: True for key in ("sparse", "ragged", "optional") if config.get(key)},
        **({"dtype": config["dtype"]} if config.get("dtype", "float32") != "float32" else {}),
        "name": spec.name,
    }
    rest = ", ".join(f"{key}={expression(value)}" for key, value in named.items())
    return f"keras.Input({expression(spec.output_shape)}, {rest})"


def _layer_call(kind: str, described: Mapping[str, Any], name: str) -> str:
    """``layers.Conv2D(...)``: what stands first, what is not the default, the name."""
    config = {key: _plain(value) for key, value in described.items() if key != "name"}
    first = [expression(config.pop(key)) for key in _POSITIONAL.get(kind, ()) if key in config]
    defaults = dict(_DEFAULTS.get(kind, {}))
    if kind in ("MaxPooling2D", "AveragePooling2D"):  # None means: as far as the window is large
        defaults["strides"] = _plain(described["pool_size"])
    defaults |= _PLAIN
    order = sorted(config, key=lambda key: list(defaults).index(key) if key in defaults else 99)
    named = [
        f"{key}={expression(config[key])}"
        for key in order
        if key not in defaults or _shortest(config[key]) != defaults[key]
    ]
    return f"layers.{kind}({', '.join([*first, *named, f'name={expression(name)}'])})"


def _plain(value: Any) -> Any:
    """Lists, as JSON has them, → tuples, as Keras has them; a dtype policy → its name."""
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    if isinstance(value, Mapping) and value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    return value


def _shortest(value: Any) -> Any:
    """An initializer without settings of its own is as good as its class name."""
    if not isinstance(value, Mapping) or value.get("module") != "keras.initializers":
        return value
    plain = all(setting is None for setting in value["config"].values())
    return value["class_name"] if plain else value


def expression(value: Any) -> str:
    """Python code of a setting: a number, a text, a tuple, or an object as Keras describes it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # whatever stands in it
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, list | tuple):
        inside = ", ".join(map(expression, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, Mapping) and {"module", "class_name", "config"} <= set(value):
        return _object_code(value)
    if isinstance(value, Mapping):
        pairs = (f"{expression(key)}: {expression(one)}" for key, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    return repr(value)


def _object_code(described: Mapping[str, Any]) -> str:
    """An initializer, a regularizer, an activation that is a layer: the call that makes it."""
    module, kind, config = described["module"], described["class_name"], described["config"]
    known = re.fullmatch(r"keras(\.[a-z_]+)*", str(module)) and str(kind).isidentifier()
    if not known or not isinstance(config, Mapping):
        raise UnsupportedLayer(
            f"{kind!r} of {module!r} is none of Keras's own objects: its code cannot be written."
        )
    if module == "keras.layers":
        return _layer_call(kind, config, config["name"])
    named = (f"{key}={expression(one)}" for key, one in config.items() if one is not None)
    return f"{module}.{kind}({', '.join(named)})"


def model_code(graph: Graph, name: str = "model", title: str = "") -> str:
    """The Keras code that builds a network of this graph, weights apart.

    A chain of layers is written as a Sequential model, anything else as a Functional one whose
    tensors bear the layers' names.

    Parameters
    ----------
    name : of the variable.
    title : of the model; Keras chooses one where there is none.

    Raises
    ------
    UnsupportedLayer : as `layer_code`.

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
    named = f", name={expression(title)}" if title else ""
    chained = all(
        spec.inputs == (before.name,) and spec.owner == spec.name
        for before, spec in pairwise(specs)
    )
    if chained:
        lines = [f"    {layer_code(graph, spec.name)}," for spec in specs]
        return "\n".join([f"{name} = keras.Sequential([", *lines, f"]{named})"])
    return "\n".join(_functional(graph, name, named))


def _functional(graph: Graph, name: str, named: str) -> list[str]:
    tensors = _variables([spec.name for spec in graph], {name})
    uses: dict[str, int] = {}
    for spec in graph:
        uses[spec.owner] = uses.get(spec.owner, 0) + 1
    makers: dict[str, str] = {}
    lines = []
    for spec in graph:
        maker = layer_code(graph, spec.owner)
        if not spec.inputs:
            lines.append(f"{tensors[spec.name]} = {maker}")
            continue
        if uses[spec.owner] > 1:  # made once, called wherever it is used
            if spec.owner not in makers:
                held = _variables([f"{spec.owner}_layer"], {name, *tensors.values()})
                makers[spec.owner] = held[f"{spec.owner}_layer"]
                lines.append(f"{makers[spec.owner]} = {maker}")
            maker = makers[spec.owner]
        reads = ", ".join(tensors[source] for source in spec.inputs)
        reads = f"[{reads}]" if len(spec.inputs) > 1 else reads
        lines.append(f"{tensors[spec.name]} = {maker}({reads})")
    ends = f"{tensors[graph.input.name]}, {tensors[graph.output.name]}"
    return [*lines, f"{name} = keras.Model({ends}{named})"]


def _variables(names: list[str], taken: set[str]) -> dict[str, str]:
    """A Python name for each layer name, as near to it as can be, each another."""
    found: dict[str, str] = {}
    used = _TAKEN | taken
    for name in names:
        word = "inputs" if name == "input" else re.sub(r"\W", "_", name, flags=re.ASCII)
        word = f"x_{word}" if not word.isidentifier() else word
        while word in used:
            word += "_"
        used = used | {word}
        found[name] = word
    return found


def ref_code(ref: NetworkRef) -> str:
    """``NetworkRef("classic", step=8442)``, with what is off in it."""
    lesion = f", lesion={expression(ref.lesion)}" if ref.lesion else ""
    return f"NetworkRef({expression(ref.id)}, step={ref.step}{lesion})"


def network_script(graph: Graph, title: str, ref: NetworkRef | None = None) -> str:
    """A Python file that builds the network and prints its summary.

    Parameters
    ----------
    title : of the model.
    ref : whose weights a note says how to take over; they are left random without it.
    """
    lines = ["import keras", "from keras import layers", "", model_code(graph, title=title), ""]
    if ref is not None:
        lines += [
            "# Its weights, from ConvScope’s folder:",
            "#     from cnn_core import NetworkRef, load_model",
            f"#     trained = load_model({ref_code(ref)})",
            "#     for layer in model.layers:",
            "#         layer.set_weights(trained.get_layer(layer.name).get_weights())",
        ]
    return "\n".join([*lines, "model.summary()", ""])
