"""The arithmetic behind one number: a unit taken apart into the terms that make it. NumPy only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cnn_core.errors import UnsupportedLayer
from cnn_core.networks.graph import Shape
from cnn_core.probe.functions import activation_of, softmax
from cnn_core.probe.geometry import (
    CELLWISE,
    Index,
    channels_read,
    check_index,
    concatenation_axis,
    flatten_cell,
    flatten_position,
    sliding,
)
from cnn_core.probe.reference import normalization
from cnn_core.probe.trace import LayerTrace, Trace


@dataclass(frozen=True)
class Calculation:
    """How a unit got its value.

    `terms` are what is added up (or, for ``"maximum"``, compared). `total` is their result with
    the bias, the pre-activation; `value` is what the activation makes of it. Both are worked out
    here in float64 from the network's own tensors; `network_value` is what the network computed.

    Attributes
    ----------
    layer, kind, index : the unit.
    rule : ``"given"`` (an input pixel), ``"weighted sum"``, ``"maximum"``, ``"mean"``,
        ``"scale and shift"``, ``"sum"``, ``"copy"`` or ``"zero"`` (padding).
    sources : the layers that are read.
    source_of : `(n,)`, for each term the source it reads, as an index into `sources`.
    cells : `(n, rank)`, for each term the cell it reads; outside the source where it is padding.
    inside : `(n,)` bool, False where the term reads padding.
    values : `(n,)` float64, what stands in those cells; 0 for padding.
    weights : `(n,)` float64, what each is multiplied by.
    terms : `(n,)` float64, the products; the values themselves for ``"maximum"``.
    bias : what is added to the terms.
    total : the pre-activation.
    window : shape of the window in rows, columns, channels, in the order of the terms; None where
        there is none.
    winner : for ``"maximum"``, the first greatest term.
    constants : named numbers that the weights and the bias were made of.
    activation : name of the function; ``"linear"`` for none.
    logits : for softmax, the network's pre-activations along the unit's row; else None.
    value : the unit's value by this arithmetic.
    network_value : the unit's value in the network's own tensor.
    network_total : the unit's pre-activation in the network's own tensor; None if it keeps none.
    """

    layer: str
    kind: str
    index: Index
    rule: str
    sources: tuple[str, ...]
    source_of: NDArray[np.intp]
    cells: NDArray[np.intp]
    inside: NDArray[np.bool_]
    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    terms: NDArray[np.float64]
    bias: float
    total: float
    network_value: float
    network_total: float | None = None
    window: Shape | None = None
    winner: int | None = None
    constants: Mapping[str, float] = field(default_factory=dict)
    activation: str = "linear"
    logits: NDArray[np.float64] | None = None
    value: float = 0.0

    @property
    def error(self) -> float:
        """The arithmetic's value minus the network's."""
        return self.value - self.network_value

    @property
    def tolerance(self) -> float:
        """How far two float32 sums of these terms may differ and still be called equal.

        1e-5 · (Σ|terms| + |bias|) + 1e-6.
        """
        return 1e-5 * (float(np.abs(self.terms).sum()) + abs(self.bias)) + 1e-6

    @property
    def agrees(self) -> bool:
        """Whether the arithmetic and the network are equal, before and after the activation."""
        before = 0.0 if self.network_total is None else self.total - self.network_total
        return abs(before) <= self.tolerance and abs(self.error) <= self.tolerance

    @property
    def partial_sums(self) -> NDArray[np.float64]:
        """The terms of a window summed per input channel, `(channels,)`.

        Raises
        ------
        UnsupportedLayer : the unit has no window.
        """
        if self.window is None:
            raise UnsupportedLayer(f"{self.layer} ({self.kind}) has no window.")
        return self.terms.reshape(self.window).sum(axis=(0, 1))

    @property
    def exponentials(self) -> NDArray[np.float64] | None:
        """For softmax: e to the power of each logit less the greatest one. Their shares are the
        outputs."""
        return None if self.logits is None else np.exp(self.logits - self.logits.max())


def explain_unit(trace: Trace, layer: str, index: Index) -> Calculation:
    """The terms, the sum, the activation of one unit, beside the network's own number.

    Parameters
    ----------
    trace : with the weights of the moment.
    layer : a layer's name.
    index : the unit, without the batch axis: ``(row, column, channel)``, or ``(unit,)``.

    Raises
    ------
    UnknownLayer, NoSuchUnit : there is no such unit.
    UnsupportedLayer : the layer's arithmetic is not known here.

    Examples
    --------
    >>> import numpy as np
    >>> from cnn_core.networks.zoo import open_network, weights_at
    >>> from cnn_core.probe.reference import reference_trace
    >>> network = open_network("classic")
    >>> trace = reference_trace(network.graph, weights_at(network.last), np.zeros((28, 28, 1)))
    >>> explain_unit(trace, "conv_1", (0, 0, 5)).agrees
    True
    """
    traced = trace[layer]
    unit = check_index(traced.spec, index)
    rule = "cellwise" if traced.kind in CELLWISE else traced.kind
    if rule not in _RULES:
        raise UnsupportedLayer(
            f"{layer} is a {traced.kind}: its arithmetic is not known here. "
            f"Known: {', '.join(sorted([*_RULES.keys() - {'cellwise'}, *CELLWISE]))}."
        )
    return _activated(_RULES[rule](trace, traced, unit), traced)


def _activated(linear: Calculation, traced: LayerTrace) -> Calculation:
    """The calculation carried through the layer's activation."""
    name, function = activation_of(traced.kind, traced.config)
    if name != "softmax":
        value = float(function(np.array(linear.total)))
        return replace(linear, activation=name, value=value)
    assert traced.pre_activation is not None
    logits = traced.pre_activation[linear.index[:-1]].astype(np.float64)
    value = float(softmax(logits)[linear.index[-1]])
    return replace(linear, activation=name, logits=logits, value=value)


def _calculation(
    traced: LayerTrace,
    unit: Index,
    rule: str,
    *,
    sources: tuple[str, ...],
    cells: NDArray[np.intp],
    values: NDArray,
    weights: NDArray | None = None,
    source_of: NDArray[np.intp] | None = None,
    inside: NDArray[np.bool_] | None = None,
    bias: float = 0.0,
    total: float | None = None,
    window: Shape | None = None,
    winner: int | None = None,
    constants: Mapping[str, float] | None = None,
) -> Calculation:
    """A calculation up to the activation; by default `total` is Σ values · weights + bias."""
    count = len(values)
    values = np.asarray(values, np.float64)
    weights = np.ones(count) if weights is None else np.asarray(weights, np.float64)
    terms = values * weights
    before = traced.pre_activation
    return Calculation(
        layer=traced.name,
        kind=traced.kind,
        index=unit,
        rule=rule,
        sources=sources,
        source_of=np.zeros(count, np.intp) if source_of is None else source_of,
        cells=cells,
        inside=np.ones(count, bool) if inside is None else inside,
        values=values,
        weights=weights,
        terms=terms,
        bias=bias,
        total=float(terms.sum()) + bias if total is None else total,
        network_value=float(traced.output[unit]),
        network_total=None if before is None else float(before[unit]),
        window=window,
        winner=winner,
        constants=constants or {},
    )


def _input(trace: Trace, traced: LayerTrace, unit: Index) -> Calculation:
    value = traced.output[unit]
    cells = np.array([unit])
    return _calculation(traced, unit, "given", sources=(), cells=cells, values=value[None])


def _windowed(
    trace: Trace, traced: LayerTrace, unit: Index
) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray, Shape]:
    """The cells of a unit's window, which of them lie inside, their values, the window's shape."""
    (image,) = trace.inputs_of(traced)
    row, column, channel = unit
    slide = sliding(traced.spec, image.shape)
    channels = channels_read(traced.spec, image.shape[-1], channel)
    grid = np.meshgrid(slide.rows(row), slide.columns(column), channels, indexing="ij")
    cells = np.stack(grid, axis=-1).reshape(-1, 3)
    inside: NDArray[np.bool_] = np.all((cells >= 0) & (cells < image.shape), axis=1)
    values = np.where(inside, image[tuple(np.where(inside[:, None], cells, 0).T)], 0)
    return cells, inside, values, grid[0].shape


def _convolution(trace: Trace, traced: LayerTrace, unit: Index) -> Calculation:
    cells, inside, values, window = _windowed(trace, traced, unit)
    kernel = traced.weights["kernel"]
    channel = unit[-1]
    if traced.kind == "DepthwiseConv2D":
        source, multiple = divmod(channel, traced.config["depth_multiplier"])
        weights = kernel[:, :, source, multiple]
    else:
        weights = kernel[..., channel]
    return _calculation(
        traced,
        unit,
        "weighted sum",
        sources=traced.inputs,
        cells=cells,
        inside=inside,
        values=values,
        weights=weights.reshape(-1),
        bias=_bias(traced, channel),
        window=window,
    )


def _bias(traced: LayerTrace, unit: int) -> float:
    return float(traced.weights["bias"][unit]) if "bias" in traced.weights else 0.0


def _max_pooling(trace: Trace, traced: LayerTrace, unit: Index) -> Calculation:
    cells, inside, values, window = _windowed(trace, traced, unit)
    winner = int(np.where(inside, values, -np.inf).argmax())
    return _calculation(
        traced,
        unit,
        "maximum",
        sources=traced.inputs,
        cells=cells,
        inside=inside,
        values=values,
        total=float(values[winner]),
        window=window,
        winner=winner,
    )


def _average_pooling(trace: Trace, traced: LayerTrace, unit: Index) -> Calculation:
    cells, inside, values, window = _windowed(trace, traced, unit)
    return _calculation(
        traced,
        unit,
        "mean",
        sources=traced.inputs,
        cells=cells,
        inside=inside,
        values=values,
        weights=inside / inside.sum(),  # padding does not count
        window=window,
    )


def _global_average(trace: Trace, traced: LayerTrace, unit: Index) -> Calculation:
    (image,) = trace.inputs_of(traced)
    height, width, _ = image.shape
    channel = unit[-1]
    grid = np.meshgrid(np.arange(height), np.arange(width), [channel], indexing="ij")
    return _calculation(
        traced,
        unit,
        "mean",
        sources=traced.inputs,
        cells=np.stack(grid, axis=-1).reshape(-1, 3),
        values=image[..., channel].reshape(-1),
        weights=np.full(height * width, 1 / (height * width)),
        window=(height, width, 1),
    )


def _dense(trace: Trace, traced: LayerTrace, unit: Index) -> Calculation:
    (vector,) = trace.inputs_of(traced)
    row = unit[:-1]  # a Dense layer on (..., C) acts along the last axis
    count = vector.shape[-1]
    cells = np.column_stack([np.full((count, len(row)), row, np.intp), np.arange(count)])
    return _calculation(
        traced,
        unit,
        "weighted sum",
        sources=traced.inputs,
        cells=cells,
        values=vector[row],
        weights=traced.weights["kernel"][:, unit[-1]],
        bias=_bias(traced, unit[-1]),
    )


def _copy(trace: Trace, traced: LayerTrace, unit: Index, source: int, cell: Index) -> Calculation:
    value = trace.inputs_of(traced)[source][cell]
    return _calculation(
        traced,
        unit,
        "copy",
        sources=traced.inputs,
        source_of=np.array([source]),
        cells=np.array([cell]),
        values=value[None],
    )


def _cellwise(trace: Trace, traced: LayerTrace, unit: Index) -> Calculation:
    copied = _copy(trace, traced, unit, 0, unit)
    if traced.kind != "BatchNormalization":
        return copied
    channel = unit[-1]
    scale, shift = normalization(traced.spec, traced.weights)
    constants = {name: float(values[channel]) for name, values in traced.weights.items()}
    return _calculation(
        traced,
        unit,
        "scale and shift",
        sources=traced.inputs,
        cells=copied.cells,
        values=copied.values,
        weights=scale[[channel]],
        bias=float(shift[channel]),
        constants={**constants, "epsilon": traced.config["epsilon"]},
    )


def _reshape(trace: Trace, traced: LayerTrace, unit: Index) -> Calculation:
    (source,) = trace.inputs_of(traced)
    cell = flatten_cell(source.shape, flatten_position(traced.output.shape, unit))
    return _copy(trace, traced, unit, 0, cell)


def _add(trace: Trace, traced: LayerTrace, unit: Index) -> Calculation:
    inputs = trace.inputs_of(traced)
    if {image.shape for image in inputs} != {traced.output.shape}:
        raise UnsupportedLayer(f"{traced.name} adds tensors of different shapes, not known here.")
    return _calculation(
        traced,
        unit,
        "sum",
        sources=traced.inputs,
        source_of=np.arange(len(inputs)),
        cells=np.array([unit] * len(inputs)),
        values=np.array([image[unit] for image in inputs]),
    )


def _concatenate(trace: Trace, traced: LayerTrace, unit: Index) -> Calculation:
    axis = concatenation_axis(traced.spec)
    ends = np.cumsum([image.shape[axis] for image in trace.inputs_of(traced)])
    source = int(np.searchsorted(ends, unit[axis], side="right"))
    start = int(ends[source - 1]) if source else 0
    cell = (*unit[:axis], unit[axis] - start, *unit[axis + 1 :])
    return _copy(trace, traced, unit, source, cell)


def _zero_padding(trace: Trace, traced: LayerTrace, unit: Index) -> Calculation:
    (image,) = trace.inputs_of(traced)
    (top, _), (left, _) = traced.config["padding"]
    cell = (unit[0] - top, unit[1] - left, unit[2])
    if all(0 <= i < n for i, n in zip(cell, image.shape, strict=True)):
        return _copy(trace, traced, unit, 0, cell)
    nothing = np.empty((0, 3), np.intp)
    return _calculation(
        traced, unit, "zero", sources=traced.inputs, cells=nothing, values=np.empty(0)
    )


Rule = Callable[[Trace, LayerTrace, Index], Calculation]

_RULES: dict[str, Rule] = {
    "InputLayer": _input,
    "Conv2D": _convolution,
    "DepthwiseConv2D": _convolution,
    "MaxPooling2D": _max_pooling,
    "AveragePooling2D": _average_pooling,
    "GlobalAveragePooling2D": _global_average,
    "Dense": _dense,
    "Flatten": _reshape,
    "Reshape": _reshape,
    "Add": _add,
    "Concatenate": _concatenate,
    "ZeroPadding2D": _zero_padding,
    "cellwise": _cellwise,
}
