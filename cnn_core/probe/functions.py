"""Activation functions by their Keras names, in NumPy, in the precision of what they are given.

Formulas as in the Keras 3 documentation of ``keras.activations``.
"""

from collections.abc import Callable, Mapping
from math import erf, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.errors import UnsupportedLayer

Function = Callable[[NDArray], NDArray]

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805

_erf = np.vectorize(erf, otypes=[np.float64])


def sigmoid(x: NDArray) -> NDArray:
    """1 / (1 + e⁻ˣ), by the half that cannot overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def elu(x: NDArray, alpha: float = 1.0) -> NDArray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def leaky_relu(x: NDArray, negative_slope: float = 0.2) -> NDArray:
    return np.where(x >= 0, x, negative_slope * x)


def relu(
    x: NDArray,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> NDArray:
    """`x` above the threshold, `negative_slope · (x − threshold)` below, cut at `max_value`."""
    y = np.where(x >= threshold, x, negative_slope * (x - threshold))
    return y if max_value is None else np.minimum(y, max_value)


def gelu(x: NDArray, approximate: bool = False) -> NDArray:
    """x · Φ(x), or its tanh approximation. Hendrycks and Gimpel, arXiv 1606.08415."""
    if approximate:
        return 0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + _erf(x / sqrt(2)))


def softmax(x: NDArray) -> NDArray:
    """Each exponential's share of their sum along the last axis; the shift cancels."""
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


FUNCTIONS: dict[str, Function] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": leaky_relu,
    "elu": elu,
    "selu": lambda x: SELU_SCALE * elu(x, SELU_ALPHA),
    "gelu": gelu,
    "silu": lambda x: x * sigmoid(x),
    "swish": lambda x: x * sigmoid(x),
    "sigmoid": sigmoid,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "tanh": np.tanh,
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "exponential": np.exp,
    "softmax": softmax,
}
"""Every activation whose arithmetic is known, by its Keras name."""


_FLAT_SIDE = ("relu", "relu6", "leaky_relu")  # at their kink their gradient is that of the left


def slope(name: str, x: NDArray) -> NDArray[np.float64]:
    """The derivative of a function of `FUNCTIONS` that works on each number by itself.

    By differences in 64 bits, to about 1e-5; at a kink the side that TensorFlow's gradient takes.
    """
    x, function, step = np.asarray(x, np.float64), FUNCTIONS[name], 1e-6
    middle = (function(x + step) - function(x - step)) / (2 * step)
    side = -step if name in _FLAT_SIDE else step
    return np.where(x == 0, (function(x + side) - function(x)) / side, middle)


def function_named(name: object) -> Function:
    """The function of a layer's ``activation`` setting.

    Raises
    ------
    UnsupportedLayer : it is not one of `FUNCTIONS`.
    """
    if not isinstance(name, str) or name not in FUNCTIONS:
        raise UnsupportedLayer(
            f"The arithmetic of the activation {name!r} is not known here. "
            f"Known: {', '.join(FUNCTIONS)}."
        )
    return FUNCTIONS[name]


def activation_of(kind: str, config: Mapping[str, Any]) -> tuple[str, Function]:
    """Name and function of the activation that a layer applies; ``"linear"`` if it applies none.

    Fused ones (``Dense(activation="relu")``) and layers of their own (``ReLU()``) alike.
    """
    if kind == "ReLU":
        slope, threshold = config.get("negative_slope") or 0.0, config.get("threshold") or 0.0
        return "relu", lambda x: relu(x, slope, config.get("max_value"), threshold)
    if kind == "LeakyReLU":
        slope = config["negative_slope"]
        return "leaky_relu", lambda x: leaky_relu(x, slope)
    if kind == "ELU":
        alpha = config["alpha"]
        return "elu", lambda x: elu(x, alpha)
    if kind == "Softmax":
        if config.get("axis", -1) not in (-1, [-1]):
            raise UnsupportedLayer(
                f"Softmax is explained along the last axis only, received axis={config['axis']}."
            )
        return "softmax", softmax
    name = config.get("activation", "linear")
    return name, function_named(name)
