"""cnn_core: convolutional networks, looked through.

The library behind ConvScope. It knows no Streamlit and prints nothing.

The names below are imported at first use, so that ``import cnn_core`` stays light: reading
digits, networks and traces needs NumPy only; building and probing models brings Keras in.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "ActivationProbe": "cnn_core.probe.activations",
    "Attributor": "cnn_core.insight.attribution",
    "ARCHITECTURES": "cnn_core.networks.architectures",
    "Calculation": "cnn_core.probe.arithmetic",
    "Digit": "cnn_core.data.digit",
    "Film": "cnn_core.networks.film",
    "LayerTrace": "cnn_core.probe.trace",
    "Mnist": "cnn_core.data.mnist",
    "NetworkRef": "cnn_core.networks.ref",
    "Trace": "cnn_core.probe.trace",
    "build": "cnn_core.networks.architectures",
    "digit_from_token": "cnn_core.data.digit",
    "explain_unit": "cnn_core.probe.arithmetic",
    "ink_to_digit": "cnn_core.data.ink",
    "load_fashion_mnist": "cnn_core.data.fashion",
    "load_mnist": "cnn_core.data.mnist",
    "mnist_digit": "cnn_core.data.digit",
    "load_model": "cnn_core.networks.keras_model",
    "open_network": "cnn_core.networks.zoo",
    "receptive_field": "cnn_core.probe.geometry",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
