"""One operation alone: a network of one layer, made by hand and computed by NumPy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.errors import BadOperation
from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.probe.functions import function_named
from cnn_core.probe.geometry import sliding
from cnn_core.probe.reference import reference_trace
from cnn_core.probe.trace import LayerTrace, Trace

LARGEST_KERNEL = 7
PADDINGS = ("valid", "same")
POOLINGS = ("max", "average", "L2", "global average")

KERNELS: Mapping[str, NDArray[np.float32]] = {
    name: np.array(rows, np.float32) / np.float32(divisor)
    for name, (rows, divisor) in {
        "identity": ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], 1),
        "blur": ([[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16),
        "sharpen": ([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], 1),
        "Sobel, upright edges": ([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], 1),
        "Sobel, level edges": ([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], 1),
        "Laplacian": ([[0, 1, 0], [1, -4, 1], [0, 1, 0]], 1),
        "emboss": ([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], 1),
    }.items()
}
"""Well-known kernels of 3 × 3. Sobel's: I. Sobel, G. Feldman, 1968, as cited in Duda and Hart,
"Pattern classification and scene analysis" (1973)."""


@dataclass(frozen=True)
class Setting:
    """How a kernel moves, and what becomes of its sums.

    Attributes
    ----------
    stride, dilation : from 1; not both above 1.
    padding : one of `PADDINGS`.
    bias : added to each sum.
    activation : a name of `functions.FUNCTIONS`.
    """

    stride: int = 1
    padding: str = "valid"
    dilation: int = 1
    bias: float = 0.0
    activation: str = "linear"


def convolution(
    image: NDArray[np.float32], kernel: NDArray[np.float32], setting: Setting = Setting()
) -> Trace:
    """What a convolution of one filter makes of an image.

    Parameters
    ----------
    image : `(H, W)`.
    kernel : `(k, k)`, k from 1 to 7; laid on as it is, as networks do, not turned over.

    Raises
    ------
    BadOperation : no window fits, or a setting is none.
    """
    size = kernel.shape[0]
    if kernel.shape != (size, size) or not 1 <= size <= LARGEST_KERNEL:
        raise BadOperation(f"A kernel is square, of 1 to 7 rows. Received: {kernel.shape}.")
    if setting.stride > 1 and setting.dilation > 1:
        raise BadOperation(
            "Stride and dilation are both above 1, which Keras does not allow. Set one to 1."
        )
    config = {
        "kernel_size": [size, size],
        "strides": [setting.stride, setting.stride],
        "padding": setting.padding,
        "dilation_rate": [setting.dilation, setting.dilation],
        "groups": 1,
        "activation": setting.activation,
    }
    function_named(setting.activation)
    weights = {
        "kernel": kernel.astype(np.float32)[:, :, None, None],
        "bias": np.array([setting.bias], np.float32),
    }
    return _alone(image, "convolution", "Conv2D", config, weights)


def pooling(
    image: NDArray[np.float32], kind: str, size: int = 2, stride: int = 2, padding: str = "valid"
) -> Trace:
    """What a pooling makes of an image.

    Parameters
    ----------
    image : `(H, W)`.
    kind : one of `POOLINGS` but L2, which is no layer of Keras: see `l2_pooling`.

    Raises
    ------
    BadOperation : no window fits, or a setting is none.
    """
    if kind == "global average":
        return _alone(image, "pooling", "GlobalAveragePooling2D", {}, {})
    keras_kind = {"max": "MaxPooling2D", "average": "AveragePooling2D"}.get(kind)
    if keras_kind is None:
        raise BadOperation(f"There is no pooling {kind!r:.30} here.")
    config = {"pool_size": [size, size], "strides": [stride, stride], "padding": padding}
    return _alone(image, "pooling", keras_kind, config, {})


def l2_pooling(
    image: NDArray[np.float32], size: int = 2, stride: int = 2, padding: str = "valid"
) -> NDArray[np.float32]:
    """The root of the sum of squares of each window, `(H', W')`; padding counts as 0."""
    kernel = np.ones((size, size), np.float32)
    if size > LARGEST_KERNEL:
        raise BadOperation(f"A window has 1 to 7 rows here. Received: {size}.")
    squares = convolution(image.astype(np.float32) ** 2, kernel, Setting(stride, padding))
    return np.sqrt(squares.output[..., 0])


def _alone(
    image: NDArray[np.float32],
    name: str,
    kind: str,
    config: Mapping[str, Any],
    weights: dict[str, NDArray[np.float32]],
) -> Trace:
    height, width = image.shape
    source = LayerSpec("input", "InputLayer", (), {}, (height, width, 1), {})
    shapes = {key: value.shape for key, value in weights.items()}
    spec = LayerSpec(name, kind, ("input",), config, (1,), shapes, tuple(shapes))
    if "padding" in config:
        spec = LayerSpec(
            name, kind, ("input",), config, (*_outputs(spec, (height, width, 1)), 1), shapes
        )
    graph = Graph((source, spec))
    return reference_trace(graph, {name: weights}, image[..., None])


def _outputs(spec: LayerSpec, shape: tuple[int, int, int]) -> tuple[int, int]:
    """Rows and columns that come out. Raises `BadOperation` if none do."""
    if spec.config["padding"] not in PADDINGS or min(spec.config["strides"]) < 1:
        raise BadOperation("Padding is valid or same, and a stride is at least 1.")
    slide = sliding(spec, shape)
    found = []
    for axis in range(2):
        reach = (slide.size[axis] - 1) * slide.dilation[axis] + 1
        if spec.config["padding"] == "same":
            found.append(-(-shape[axis] // slide.stride[axis]))
        elif reach > shape[axis]:
            raise BadOperation(
                f"A window of {reach} rows does not fit into {shape[axis]}. Take a smaller one, "
                "less dilation, or padding."
            )
        else:
            found.append((shape[axis] - reach) // slide.stride[axis] + 1)
    return found[0], found[1]


def separated(kernel: NDArray[np.float32]) -> tuple[NDArray, NDArray] | None:
    """Column and row whose outer product is the kernel; None if there are none.

    A kernel of rank 1: two passes of k products a cell instead of one of k².
    """
    left, sizes, right = np.linalg.svd(kernel.astype(np.float64))
    if kernel.shape[0] < 2 or sizes[0] < 1e-9 or sizes[1] > 1e-6 * sizes[0]:
        return None
    column, row = left[:, 0] * sizes[0], right[0]
    # As people write them: the row's greatest is ±1 and comes with the sign of the kernel.
    scale = row[np.abs(row).argmax()]
    return column * scale + 0.0, np.where(np.abs(row / scale) < 1e-6, 0.0, row / scale)


def alone(trace: Trace, layer: str) -> Trace:
    """A layer that reads one other, by itself: what it reads is the input."""
    own = trace[layer]
    read = trace[own.spec.inputs[0]]
    given = LayerSpec(read.name, "InputLayer", (), {}, read.spec.output_shape, {})
    return Trace((LayerTrace(given, read.output, None, {}), own), engine=trace.engine)
