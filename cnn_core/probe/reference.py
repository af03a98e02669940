"""The trace of a network by NumPy alone.

It answers while TensorFlow is still being imported, and it is the oracle that the tests hold
Keras's traces against. Slower than Keras, but there at once.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cnn_core.errors import UnsupportedLayer
from cnn_core.networks.film import Weights
from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.networks.zoo import check_fits
from cnn_core.probe.functions import activation_of
from cnn_core.probe.geometry import (
    CONVOLUTIONS,
    IDENTITIES,
    POOLINGS,
    Sliding,
    concatenation_axis,
    sliding,
)
from cnn_core.probe.trace import Array, LayerTrace, Trace

Named = Mapping[str, Array]


def reference_trace(graph: Graph, weights: Weights, pixels: NDArray) -> Trace:
    """What every layer makes of `pixels`, computed layer by layer in float32.

    Parameters
    ----------
    graph : the network.
    weights : its weights, by layer and name.
    pixels : the image, float `(H, W, C)` in the network's value range.

    Raises
    ------
    WrongInput : the image has another shape than the network's input.
    UnsupportedLayer : a layer whose arithmetic is not known here.
    """
    image = np.asarray(pixels, np.float32)
    check_fits(image.shape, graph.input.output_shape)
    outputs: dict[str, Array] = {}
    layers = []
    for spec in graph:
        own = weights.get(spec.owner, {})
        if spec.kind == "InputLayer":
            output, before = image, None
        else:
            output, before = _forward(spec, [outputs[name] for name in spec.inputs], own)
        outputs[spec.name] = output
        layers.append(LayerTrace(spec, output, before, own))
    return Trace(tuple(layers), engine="numpy")


def _forward(spec: LayerSpec, inputs: list[Array], weights: Named) -> tuple[Array, Array | None]:
    """Output and pre-activation of one layer."""
    linear = _RULES.get(spec.kind)
    if linear is None:
        raise UnsupportedLayer(f"{spec.name} is a {spec.kind}, whose arithmetic is not known here.")
    before = linear(spec, inputs, weights).astype(np.float32, copy=False)
    name, function = activation_of(spec.kind, spec.config)
    if name == "linear":
        return before, None
    return function(before).astype(np.float32, copy=False), before


def _pad(image: Array, slide: Sliding, outputs: tuple[int, int], fill: float) -> Array:
    """`image` with `fill` around it, so that every window lies inside."""
    margins = [
        (
            slide.before[axis],
            max(
                (outputs[axis] - 1) * slide.stride[axis]
                + (slide.size[axis] - 1) * slide.dilation[axis]
                + 1
                - slide.before[axis]
                - image.shape[axis],
                0,
            ),
        )
        for axis in (0, 1)
    ]
    return np.pad(image, [*margins, (0, 0)], constant_values=fill)


def _windows(spec: LayerSpec, image: Array, fill: float) -> Array:
    """Every window of the layer: `(H, W, C) -> (H', W', C, kernel rows, kernel columns)`."""
    slide = sliding(spec, image.shape)
    height, width = spec.output_shape[:2]
    padded = _pad(image, slide, (height, width), fill)
    reach = [(size - 1) * step + 1 for size, step in zip(slide.size, slide.dilation, strict=True)]
    everywhere = sliding_window_view(padded, reach, axis=(0, 1))
    chosen = everywhere[:: slide.stride[0], :: slide.stride[1]][:height, :width]
    return chosen[..., :: slide.dilation[0], :: slide.dilation[1]]


def _convolution(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    kernel = weights["kernel"]  # (rows, columns, channels in a group, filters)
    groups = spec.config.get("groups", 1)
    windows = np.split(_windows(spec, inputs[0], 0.0), groups, axis=2)
    kernels = np.split(kernel, groups, axis=3)
    parts = [
        np.tensordot(window, one, axes=((3, 4, 2), (0, 1, 2)))
        for window, one in zip(windows, kernels, strict=True)
    ]
    return np.concatenate(parts, axis=-1) + weights.get("bias", np.float32(0))


def _depthwise(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    kernel = weights["kernel"]  # (rows, columns, channels, multiplier)
    sums = np.einsum("hwcij,ijcm->hwcm", _windows(spec, inputs[0], 0.0), kernel)
    return sums.reshape(spec.output_shape) + weights.get("bias", np.float32(0))


def _max_pooling(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    return _windows(spec, inputs[0], -np.inf).max(axis=(3, 4))


def _average_pooling(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    # Padding does not count: the sum is shared by the cells that lie on the image.
    return np.nanmean(_windows(spec, inputs[0], np.nan), axis=(3, 4))


def _global_average(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    return inputs[0].mean(axis=(0, 1)).reshape(spec.output_shape)


def _reshape(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    return inputs[0].reshape(spec.output_shape)


def _dense(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    return inputs[0] @ weights["kernel"] + weights.get("bias", np.float32(0))


def _batch_normalization(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    scale, shift = normalization(spec, weights)
    return inputs[0] * scale + shift


def normalization(spec: LayerSpec, weights: Named) -> tuple[NDArray, NDArray]:
    """Scale and shift per channel of a trained BatchNormalization: γ/√(σ²+ε) and β − μ·scale.

    Ioffe and Szegedy, arXiv 1502.03167.
    """
    if spec.config["axis"] not in (-1, len(spec.output_shape), [len(spec.output_shape)]):
        raise UnsupportedLayer(f"{spec.name} normalises another axis than the last.")
    scale = 1 / np.sqrt(np.float64(weights["moving_variance"]) + spec.config["epsilon"])
    if "gamma" in weights:
        scale = scale * weights["gamma"]
    return scale, weights.get("beta", 0.0) - weights["moving_mean"] * scale


def _add(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    total = inputs[0]
    for more in inputs[1:]:
        total = total + more
    return total


def _concatenate(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    return np.concatenate(inputs, axis=concatenation_axis(spec))


def _zero_padding(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    rows, columns = spec.config["padding"]
    return np.pad(inputs[0], [tuple(rows), tuple(columns), (0, 0)])


def _identity(spec: LayerSpec, inputs: list[Array], weights: Named) -> Array:
    return inputs[0]


Rule = Callable[[LayerSpec, list[Array], Named], NDArray]

_RULES: dict[str, Rule] = {
    **dict.fromkeys((*IDENTITIES, "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax"), _identity),
    **dict(zip(CONVOLUTIONS, (_convolution, _depthwise), strict=True)),
    **dict(zip(POOLINGS, (_max_pooling, _average_pooling), strict=True)),
    "GlobalAveragePooling2D": _global_average,
    "Flatten": _reshape,
    "Reshape": _reshape,
    "Dense": _dense,
    "BatchNormalization": _batch_normalization,
    "Add": _add,
    "Concatenate": _concatenate,
    "ZeroPadding2D": _zero_padding,
}
