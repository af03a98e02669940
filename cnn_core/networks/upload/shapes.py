"""Shapes and weights of layers from their settings alone, and how large a network may be.

Everything is counted before anything is built.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from cnn_core.errors import BadUpload
from cnn_core.networks.graph import Graph, LayerSpec, Shape

MOST_LAYERS = 200
MOST_PARAMETERS = 5_000_000
MOST_VALUES = 4_000_000  # of all layers together, for one image
_MOST_PRODUCTS = 2_000_000_000  # of weights and values, for one image
_MOST_WINDOWED = 20_000_000  # values in all windows of one layer

Config = Mapping[str, Any]


def described(
    name: str, kind: str, inputs: Sequence[tuple[str, Shape]], config: Config
) -> LayerSpec:
    """A layer with the shape it gives and the weights it has.

    Parameters
    ----------
    name, kind : of the layer.
    inputs : the layers it reads, in order, with the shapes they give.
    config : its checked settings.

    Raises
    ------
    BadUpload : it cannot read these shapes, or would be larger than any network may be.
    """
    shapes = tuple(shape for _, shape in inputs)
    many = kind in ("Add", "Concatenate")
    if (len(shapes) < 2) if many else (len(shapes) != 1):
        raise BadUpload(
            f"The layer {name} ({kind}) reads {len(shapes)} layers; expected "
            f"{'two or more' if many else 'one'}."
        )
    try:
        output = _OUTPUTS[kind](shapes, config)
        weights = _WEIGHTS[kind](shapes[0], config) if kind in _WEIGHTS else {}
    except _DoesNotFit as error:
        raise BadUpload(
            f"The layer {name} ({kind}) cannot read {' and '.join(map(str, shapes))}: {error}."
        ) from None
    if min(output, default=0) < 1:
        raise BadUpload(f"The layer {name} ({kind}) leaves nothing: its output would be {output}.")
    if prod(output) > MOST_VALUES:
        raise BadUpload(
            f"The layer {name} ({kind}) gives {prod(output):,} values; up to {MOST_VALUES:,} are "
            "accepted for all layers together."
        )
    trainable = tuple(weight for weight in weights if not weight.startswith("moving_"))
    return LayerSpec(
        name=name,
        kind=kind,
        inputs=tuple(source for source, _ in inputs),
        config=config,
        output_shape=output,
        weights=weights,
        trainable=trainable if config.get("trainable", True) else (),
    )


def check_size(graph: Graph) -> None:
    """Raise `BadUpload` if the network is larger than accepted; says in what."""
    values = sum(prod(spec.output_shape) for spec in graph)
    products = 0
    for spec in graph:
        windowed = _windowed(graph, spec)
        if windowed > _MOST_WINDOWED:
            raise BadUpload(
                f"The windows of {spec.name} ({spec.kind}) hold {windowed:,} values together; up "
                f"to {_MOST_WINDOWED:,} are accepted."
            )
        if "kernel" in spec.weights:
            products += prod(spec.weights["kernel"]) * prod(
                spec.output_shape[:-1] if spec.kind == "Dense" else spec.output_shape[:2]
            )
    for count, most, what in (
        (len(graph.layers), MOST_LAYERS, "layers"),
        (graph.parameter_count, MOST_PARAMETERS, "parameters"),
        (values, MOST_VALUES, "values in all its layers for one image"),
        (products, _MOST_PRODUCTS, "multiplications for one image"),
    ):
        if count > most:
            raise BadUpload(f"The network has {count:,} {what}; up to {most:,} are accepted.")


def _windowed(graph: Graph, spec: LayerSpec) -> int:
    """How many values the windows of a layer hold, counted each time they are read."""
    size = spec.config.get("kernel_size") or spec.config.get("pool_size")
    if size is None:
        return 0
    channels: int = graph.input_shapes(spec)[0][-1]
    return prod(spec.output_shape[:2]) * prod(size) * channels


class _DoesNotFit(Exception):
    """Why a layer cannot read the shapes it is given."""


def _image(shapes: tuple[Shape, ...]) -> Shape:
    if len(shapes[0]) != 3:
        raise _DoesNotFit("expected (height, width, channels)")
    return shapes[0]


def _slid(shape: Shape, size: list[int], config: Config, dilation: list[int]) -> Shape:
    """Rows and columns that a sliding window gives."""
    found = []
    for axis in (0, 1):
        stride, reach = config["strides"][axis], (size[axis] - 1) * dilation[axis] + 1
        if stride > 1 and dilation[axis] > 1:
            raise _DoesNotFit("it has both strides and dilation")
        if config["padding"] == "same":
            found.append(-(-shape[axis] // stride))
        elif reach > shape[axis]:
            raise _DoesNotFit(f"its window of {reach} is wider than that")
        else:
            found.append((shape[axis] - reach) // stride + 1)
    if max(config["strides"]) > 1 and max(dilation) > 1:
        raise _DoesNotFit("it has both strides and dilation")
    return tuple(found)


def _convolved(shapes: tuple[Shape, ...], config: Config) -> Shape:
    shape, groups = _image(shapes), config["groups"]
    if shape[2] % groups or config["filters"] % groups:
        raise _DoesNotFit(f"channels and filters cannot be shared by {groups} groups")
    return (*_slid(shape, config["kernel_size"], config, config["dilation_rate"]),
            config["filters"])  # fmt: skip


def _depthwise(shapes: tuple[Shape, ...], config: Config) -> Shape:
    shape = _image(shapes)
    if config["strides"][0] != config["strides"][1]:
        raise _DoesNotFit("its strides differ by axis, which TensorFlow does not compute")
    rows, columns = _slid(shape, config["kernel_size"], config, config["dilation_rate"])
    return rows, columns, shape[2] * config["depth_multiplier"]


def _pooled(shapes: tuple[Shape, ...], config: Config) -> Shape:
    shape = _image(shapes)
    return *_slid(shape, config["pool_size"], config, [1, 1]), shape[2]


def _averaged(shapes: tuple[Shape, ...], config: Config) -> Shape:
    channels = _image(shapes)[2]
    return (1, 1, channels) if config["keepdims"] else (channels,)


def _dense(shapes: tuple[Shape, ...], config: Config) -> Shape:
    return (*shapes[0][:-1], config["units"])


def _same(shapes: tuple[Shape, ...], config: Config) -> Shape:
    return shapes[0]


def _normalised(shapes: tuple[Shape, ...], config: Config) -> Shape:
    return _along_last(shapes, config, "it normalises another axis than the last")


def _softmax(shapes: tuple[Shape, ...], config: Config) -> Shape:
    return _along_last(shapes, config, "it goes along another axis than the last")


def _along_last(shapes: tuple[Shape, ...], config: Config, otherwise: str) -> Shape:
    if config["axis"] not in (-1, len(shapes[0])):
        raise _DoesNotFit(otherwise)
    return shapes[0]


def _flattened(shapes: tuple[Shape, ...], config: Config) -> Shape:
    return (prod(shapes[0]),)


def _reshaped(shapes: tuple[Shape, ...], config: Config) -> Shape:
    target, values = config["target_shape"], prod(shapes[0])
    known = prod(size for size in target if size > 0)
    if target.count(-1) > 1 or values % known:
        raise _DoesNotFit(f"{values:,} values do not fill {tuple(target)}")
    shape = tuple(size if size > 0 else values // known for size in target)
    if prod(shape) != values:
        raise _DoesNotFit(f"{values:,} values do not fill {tuple(target)}")
    return shape


def _added(shapes: tuple[Shape, ...], config: Config) -> Shape:
    if len(set(shapes)) > 1:
        raise _DoesNotFit("what is added must have one shape")
    return shapes[0]


def _joined(shapes: tuple[Shape, ...], config: Config) -> Shape:
    rank = len(shapes[0])
    axis = config["axis"] - 1 if config["axis"] > 0 else config["axis"] + rank
    if any(len(shape) != rank for shape in shapes) or not 0 <= axis < rank:
        raise _DoesNotFit("what is joined must have the same number of axes")
    if len({(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}) > 1:
        raise _DoesNotFit("what is joined must agree in all other axes")
    return (
        *shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :],
    )  # fmt: skip


def _padded(shapes: tuple[Shape, ...], config: Config) -> Shape:
    height, width, channels = _image(shapes)
    (top, bottom), (left, right) = config["padding"]
    return height + top + bottom, width + left + right, channels


def _image_as_it_is(shapes: tuple[Shape, ...], config: Config) -> Shape:
    return _image(shapes)


_OUTPUTS: Mapping[str, Callable[[tuple[Shape, ...], Config], Shape]] = {
    **dict.fromkeys(
        ("Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization",
         "Identity", "Activation", "ReLU", "LeakyReLU", "ELU"),
        _same,
    ),
    "SpatialDropout2D": _image_as_it_is,
    "Conv2D": _convolved,
    "DepthwiseConv2D": _depthwise,
    "MaxPooling2D": _pooled,
    "AveragePooling2D": _pooled,
    "GlobalAveragePooling2D": _averaged,
    "Dense": _dense,
    "BatchNormalization": _normalised,
    "Softmax": _softmax,
    "Flatten": _flattened,
    "Reshape": _reshaped,
    "Add": _added,
    "Concatenate": _joined,
    "ZeroPadding2D": _padded,
}  # fmt: skip


def _with_bias(kernel: Shape, units: int, config: Config) -> dict[str, Shape]:
    return {"kernel": kernel, **({"bias": (units,)} if config["use_bias"] else {})}


def _of_convolution(shape: Shape, config: Config) -> dict[str, Shape]:
    filters = config["filters"]
    kernel = (*config["kernel_size"], shape[2] // config["groups"], filters)
    return _with_bias(kernel, filters, config)


def _of_depthwise(shape: Shape, config: Config) -> dict[str, Shape]:
    multiplier = config["depth_multiplier"]
    kernel = (*config["kernel_size"], shape[2], multiplier)
    return _with_bias(kernel, shape[2] * multiplier, config)


def _of_dense(shape: Shape, config: Config) -> dict[str, Shape]:
    return _with_bias((shape[-1], config["units"]), config["units"], config)


def _of_normalization(shape: Shape, config: Config) -> dict[str, Shape]:
    """In the order in which Keras keeps them."""
    channels = (shape[-1],)
    return {
        **({"gamma": channels} if config["scale"] else {}),
        **({"beta": channels} if config["center"] else {}),
        "moving_mean": channels,
        "moving_variance": channels,
    }


_WEIGHTS: Mapping[str, Callable[[Shape, Config], dict[str, Shape]]] = {
    "Conv2D": _of_convolution,
    "DepthwiseConv2D": _of_depthwise,
    "Dense": _of_dense,
    "BatchNormalization": _of_normalization,
}
