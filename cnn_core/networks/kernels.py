"""The filters of convolutions as arrays. Needs no Keras."""

import numpy as np
from numpy.typing import NDArray

from cnn_core.networks.film import Weights
from cnn_core.networks.graph import Graph, LayerSpec

FILTERED = ("Conv2D", "DepthwiseConv2D")


def convolutions(graph: Graph) -> list[LayerSpec]:
    """The layers that have filters to look at, each once."""
    return [spec for spec in graph if spec.kind in FILTERED and spec.name == spec.owner]


def filters_of(spec: LayerSpec, weights: Weights) -> NDArray[np.float32]:
    """A convolution's filters, `(rows, columns, channels read, filters)`.

    A depthwise convolution's filters read one channel each.
    """
    kernel = weights[spec.owner]["kernel"]
    if spec.kind == "DepthwiseConv2D":
        rows, columns, channels, copies = kernel.shape
        return kernel.reshape(rows, columns, 1, channels * copies)
    return kernel


def by_norm(slices: NDArray) -> NDArray[np.intp]:
    """The channels of one filter `(rows, columns, channels)`, the greatest weight norm first."""
    return np.argsort(-np.sqrt((slices**2).sum(axis=(0, 1))), kind="stable")


def greatest_response(slices: NDArray, bias: float, value_range: tuple[float, float]) -> float:
    """The greatest pre-activation that an image in the value range can give a filter that reads it.

    Each pixel is at the end of the range that its weight prefers: with a range from 0 to 1, the sum
    of the positive weights plus the bias.
    """
    low, high = value_range
    return float(np.maximum(slices * low, slices * high).sum() + bias)
