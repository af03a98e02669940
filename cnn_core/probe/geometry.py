"""Where a unit looks: its window on the layer before, its receptive field on the image.

Indices have no batch axis: a cell of a feature map is ``(row, column, channel)``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import index as as_int

import numpy as np
from numpy.typing import NDArray

from cnn_core.errors import NoSuchUnit, UnsupportedLayer
from cnn_core.networks.graph import Graph, LayerSpec, Shape

Index = tuple[int, ...]
Mask = NDArray[np.bool_]

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D")
POOLINGS = ("MaxPooling2D", "AveragePooling2D")

IDENTITIES = (
    "Dropout",
    "SpatialDropout2D",
    "GaussianDropout",
    "GaussianNoise",
    "AlphaDropout",
    "ActivityRegularization",
    "Identity",
)
"""Layers that hand their input on unchanged once training is over."""

CELLWISE = (*IDENTITIES, "ReLU", "LeakyReLU", "ELU", "Activation", "BatchNormalization", "Softmax")
"""Layers whose output has a cell for each cell of their one input."""


@dataclass(frozen=True)
class Sliding:
    """How a window moves over an image, per axis (rows, columns).

    Attributes
    ----------
    size : cells the window has.
    stride : input cells from one window to the next.
    dilation : input cells from one window cell to the next.
    before : cells of padding above and to the left.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]

    def rows(self, row: int) -> NDArray[np.intp]:
        """Input rows that output row `row` reads; outside the input is padding."""
        return self._line(0, row)

    def columns(self, column: int) -> NDArray[np.intp]:
        """Input columns that output column `column` reads; outside the input is padding."""
        return self._line(1, column)

    def _line(self, axis: int, position: int) -> NDArray[np.intp]:
        start = position * self.stride[axis] - self.before[axis]
        return start + self.dilation[axis] * np.arange(self.size[axis])


@dataclass(frozen=True)
class Window:
    """The cells of one input that a unit reads: every row with every column and channel.

    Attributes
    ----------
    source : name of the layer that is read.
    rows, columns : positions on it; those outside are padding.
    channels : the channels read.
    inside : ``(rows, columns)``, False where the window hangs over the edge.
    """

    source: str
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    channels: NDArray[np.intp]
    inside: Mask


def sliding(spec: LayerSpec, input_shape: Shape) -> Sliding:
    """The sliding window of a convolution or pooling layer on an input `(H, W, C)`.

    "same" padding puts the odd cell below and to the right, as TensorFlow does.
    """
    config = spec.config
    if config.get("data_format") == "channels_first":
        raise UnsupportedLayer(f"{spec.name} keeps its channels first; expected channels last.")
    pooling = spec.kind in POOLINGS
    size = _pair(config["pool_size"] if pooling else config["kernel_size"])
    stride = _pair(config["strides"])
    dilation = (1, 1) if pooling else _pair(config.get("dilation_rate", 1))
    if config["padding"] == "valid":
        return Sliding(size, stride, dilation, (0, 0))
    if config["padding"] != "same":
        raise UnsupportedLayer(f"{spec.name} has padding {config['padding']!r}, not known here.")

    def before(axis: int) -> int:
        outputs = -(-input_shape[axis] // stride[axis])
        reach = (outputs - 1) * stride[axis] + (size[axis] - 1) * dilation[axis] + 1
        return max(reach - input_shape[axis], 0) // 2

    return Sliding(size, stride, dilation, (before(0), before(1)))


def _pair(setting: int | list[int] | tuple[int, ...]) -> tuple[int, int]:
    if isinstance(setting, int):
        return setting, setting
    first, second = setting
    return first, second


def channels_read(spec: LayerSpec, input_channels: int, channel: int) -> NDArray[np.intp]:
    """Input channels that output channel `channel` of a convolution or pooling layer reads."""
    if spec.kind == "Conv2D":
        groups = spec.config.get("groups", 1)
        per_group = input_channels // groups
        group = channel // (spec.output_shape[-1] // groups)
        return np.arange(group * per_group, (group + 1) * per_group)
    if spec.kind == "DepthwiseConv2D":
        return np.array([channel // spec.config["depth_multiplier"]])
    return np.array([channel])


def window(graph: Graph, layer: str, index: Index) -> Window:
    """The window of a convolution or pooling unit on the layer before.

    Raises
    ------
    NoSuchUnit : `index` lies outside the layer's output.
    UnsupportedLayer : the layer has no window.
    """
    spec = graph[layer]
    if spec.kind not in (*CONVOLUTIONS, *POOLINGS):
        raise UnsupportedLayer(f"{layer} ({spec.kind}) has no sliding window.")
    row, column, channel = check_index(spec, index)
    height, width, depth = graph.input_shapes(spec)[0]
    slide = sliding(spec, (height, width, depth))
    rows, columns = slide.rows(row), slide.columns(column)
    inside = np.outer((rows >= 0) & (rows < height), (columns >= 0) & (columns < width))
    return Window(spec.inputs[0], rows, columns, channels_read(spec, depth, channel), inside)


def check_index(spec: LayerSpec, index: Index) -> Index:
    """`index` as plain ints, if it names a unit of the layer.

    Raises
    ------
    NoSuchUnit : it does not.
    """
    shape = spec.output_shape
    try:
        unit = tuple(as_int(i) for i in index)
    except TypeError:
        unit = ()
    if len(unit) != len(shape) or not all(0 <= i < n for i, n in zip(unit, shape, strict=False)):
        first, last = tuple(0 for _ in shape), tuple(size - 1 for size in shape)
        raise NoSuchUnit(
            f"{spec.name} has no unit {_named(index)}; they run from {_named(first)} to "
            f"{_named(last)}."
        )
    return unit


def _named(index: Index) -> str:
    return f"({', '.join(map(str, index))})"


def flatten_position(shape: Shape, cell: Index) -> int:
    """Where a cell of a map of `shape` lands in the flattened vector: ``(r·W + c)·C + k``."""
    return int(np.ravel_multi_index(cell, shape))


def flatten_cell(shape: Shape, position: int) -> Index:
    """The cell of a map of `shape` that stands at `position` of the flattened vector."""
    return tuple(int(i) for i in np.unravel_index(position, shape))


def receptive_field(graph: Graph, layer: str, index: Index) -> Mask:
    """The pixels that a unit can see, through every path: bool `(H, W)`.

    Exact also where strides and dilations leave holes. What it can see is a matter of the
    wiring; a particular pixel may still not matter at a particular image.

    Raises
    ------
    UnknownLayer, NoSuchUnit : there is no such unit.
    UnsupportedLayer : a layer on the way has a wiring that is not known here.
    """
    unit = check_index(graph[layer], index)
    wanted: dict[str, Mask] = {layer: np.zeros(graph[layer].output_shape, bool)}
    wanted[layer][unit] = True
    for spec in reversed(graph.layers):
        if spec.name not in wanted or not spec.inputs:
            continue
        for source, needed in zip(
            spec.inputs, _needed(graph, spec, wanted.pop(spec.name)), strict=True
        ):
            wanted[source] = wanted[source] | needed if source in wanted else needed
    seen = wanted.get(graph.input.name, np.zeros(graph.input.output_shape, bool))
    pixels: Mask = np.any(seen, axis=-1) if seen.ndim == 3 else seen
    return pixels


def _needed(graph: Graph, spec: LayerSpec, out: Mask) -> list[Mask]:
    """For each input of the layer, the cells that the output cells in `out` read."""
    if "softmax" in (spec.config.get("activation"), spec.kind.lower()):
        out = np.broadcast_to(out.any(axis=-1, keepdims=True), out.shape)
    return _rule(spec)(graph, spec, out)


def _rule(spec: LayerSpec) -> Callable[[Graph, LayerSpec, Mask], list[Mask]]:
    if spec.kind in (*CONVOLUTIONS, *POOLINGS):
        return _needed_by_windows
    if spec.kind in CELLWISE:
        return lambda graph, spec, out: [out]
    rules = {
        "Add": _needed_by_add,
        "Dense": _needed_by_dense,
        "GlobalAveragePooling2D": _needed_by_global_average,
        "Flatten": _needed_by_reshape,
        "Reshape": _needed_by_reshape,
        "ZeroPadding2D": _needed_by_padding,
        "Concatenate": _needed_by_concatenate,
    }
    if spec.kind not in rules:
        raise UnsupportedLayer(f"What a unit of {spec.name} ({spec.kind}) reads is not known here.")
    return rules[spec.kind]


def _needed_by_windows(graph: Graph, spec: LayerSpec, out: Mask) -> list[Mask]:
    (shape,) = graph.input_shapes(spec)
    slide = sliding(spec, shape)
    per_channel = np.zeros((*out.shape[:2], shape[-1]), bool)  # (H', W', C) before the window
    for channel in np.flatnonzero(out.any(axis=(0, 1))):
        read = channels_read(spec, shape[-1], int(channel))
        per_channel[..., read] |= out[..., channel, None]
    needed = np.zeros(shape, bool)
    for row, column in zip(*np.nonzero(per_channel.any(axis=-1)), strict=True):
        rows, columns = slide.rows(row), slide.columns(column)
        rows = rows[(rows >= 0) & (rows < shape[0])]
        columns = columns[(columns >= 0) & (columns < shape[1])]
        needed[np.ix_(rows, columns)] |= per_channel[row, column]
    return [needed]


def _needed_by_add(graph: Graph, spec: LayerSpec, out: Mask) -> list[Mask]:
    if set(graph.input_shapes(spec)) != {spec.output_shape}:
        raise UnsupportedLayer(f"{spec.name} adds tensors of different shapes, not known here.")
    return [out for _ in spec.inputs]


def _needed_by_dense(graph: Graph, spec: LayerSpec, out: Mask) -> list[Mask]:
    (shape,) = graph.input_shapes(spec)
    return [np.broadcast_to(out.any(axis=-1, keepdims=True), shape)]


def _needed_by_global_average(graph: Graph, spec: LayerSpec, out: Mask) -> list[Mask]:
    (shape,) = graph.input_shapes(spec)
    return [np.broadcast_to(out.reshape(-1), shape)]  # (C,) or (1, 1, C) -> (H, W, C)


def _needed_by_reshape(graph: Graph, spec: LayerSpec, out: Mask) -> list[Mask]:
    (shape,) = graph.input_shapes(spec)
    return [out.reshape(shape)]


def _needed_by_padding(graph: Graph, spec: LayerSpec, out: Mask) -> list[Mask]:
    (height, width, _), ((top, _bottom), (left, _right)) = (
        graph.input_shapes(spec)[0],
        spec.config["padding"],
    )
    return [out[top : top + height, left : left + width]]


def _needed_by_concatenate(graph: Graph, spec: LayerSpec, out: Mask) -> list[Mask]:
    axis = concatenation_axis(spec)
    sizes = [shape[axis] for shape in graph.input_shapes(spec)]
    return np.split(out, np.cumsum(sizes)[:-1], axis=axis)


def concatenation_axis(spec: LayerSpec) -> int:
    """The axis that a Concatenate layer joins, counted without the batch axis."""
    axis: int = spec.config["axis"]
    return axis - 1 if axis > 0 else axis + len(spec.output_shape)
