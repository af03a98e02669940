"""`classic` once more, as one writes it in PyTorch, with the weights of the Keras model."""

from collections import OrderedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.peers.torch_side.client import KerasWeights

OUTPUTS = {
    "conv_1": "relu_1", "pool_1": "pool_1", "conv_2": "relu_2", "pool_2": "pool_2",
    "conv_3": "relu_3", "flatten": "flatten", "dense_1": "relu_4",
}  # fmt: skip
"""Which module gives what the Keras layer of that name gives."""

_LAST_MAPS = (3, 3, 64)  # rows, columns, channels of conv_3


def twin_of(weights: KerasWeights) -> nn.Sequential:
    """The same network, answering with logits `(n, 10)` to images `(n, 1, 28, 28)`."""
    twin = nn.Sequential(
        OrderedDict(
            conv_1=nn.Conv2d(1, 32, 3), relu_1=nn.ReLU(), pool_1=nn.MaxPool2d(2),
            conv_2=nn.Conv2d(32, 64, 3), relu_2=nn.ReLU(), pool_2=nn.MaxPool2d(2),
            conv_3=nn.Conv2d(64, 64, 3), relu_3=nn.ReLU(), flatten=nn.Flatten(),
            dense_1=nn.Linear(576, 64), relu_4=nn.ReLU(), output=nn.Linear(64, 10),
        )
    )  # fmt: skip
    for name, (kernel, bias) in weights.items():
        own = twin.get_submodule(name)
        with torch.no_grad():
            own.weight.copy_(torch.from_numpy(_as_torch_has_it(name, kernel)))
            own.bias.copy_(torch.from_numpy(bias))
    return twin


def _as_torch_has_it(name: str, kernel: NDArray) -> NDArray:
    if kernel.ndim == 4:
        kernel = kernel.transpose(3, 2, 0, 1)  # (h, w, in, out) -> (out, in, h, w)
    elif name == "dense_1":
        # Keras flattens (h, w, c), PyTorch (c, h, w).
        kernel = kernel.reshape(*_LAST_MAPS, -1).transpose(3, 2, 0, 1).reshape(64, -1)
    else:
        kernel = kernel.T  # (in, out) -> (out, in)
    return np.ascontiguousarray(kernel)


def as_keras_has_it(name: str, output: NDArray) -> NDArray:
    """One image's output of a layer, without batch axis."""
    if name == "flatten":
        rows, columns, channels = _LAST_MAPS
        return output.reshape(channels, rows, columns).transpose(1, 2, 0).reshape(-1)
    return output.transpose(1, 2, 0) if output.ndim == 3 else output


def as_torch(images: NDArray) -> torch.Tensor:
    """`(n, H, W, C)` -> `(n, C, H, W)`."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
