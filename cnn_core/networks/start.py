"""A network's weights before any training. Needs no Keras."""

from math import prod

import numpy as np
from numpy.typing import NDArray

from cnn_core.networks.film import Weights
from cnn_core.networks.graph import Graph, Shape

_ONES = ("gamma", "moving_variance")
_CUT_DEVIATION = 0.8796257  # of a standard normal without what lies beyond ±2


def random_weights(graph: Graph, seed: int) -> Weights:
    """Weights as Keras starts them: kernels uniform as Glorot and Bengio have it, or normal without
    its tails as He et al. do; biases 0; normalisations that change nothing.

    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation 16. K. He, X. Zhang, S. Ren, J. Sun, "Delving
    deep into rectifiers", arXiv 1502.01852.

    Parameters
    ----------
    seed : the same seed, the same weights.
    """
    rng = np.random.default_rng(seed)
    weights: Weights = {}
    for spec in graph:
        if spec.owner in weights or not spec.weights:
            continue
        named = {}
        for name, shape in spec.weights.items():
            if "kernel" in name:
                initializer = spec.config.get("kernel_initializer") or {}
                named[name] = _kernel(rng, shape, initializer.get("class_name") == "HeNormal")
            else:
                named[name] = np.full(shape, 1.0 if name in _ONES else 0.0, np.float32)
        weights[spec.owner] = named
    return weights


def _kernel(rng: np.random.Generator, shape: Shape, he: bool) -> NDArray[np.float32]:
    window = prod(shape[:-2])
    reads, feeds = window * shape[-2], window * shape[-1]
    if he:
        values = rng.standard_normal(shape)
        while (tails := np.abs(values) > 2).any():
            values[tails] = rng.standard_normal(int(tails.sum()))
        return (values / _CUT_DEVIATION * np.sqrt(2 / reads)).astype(np.float32)
    bound = np.sqrt(6 / (reads + feeds))
    return rng.uniform(-bound, bound, shape).astype(np.float32)
