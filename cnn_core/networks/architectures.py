"""Named builders of Keras models. Every layer is named for what it is.

Source of ``intro`` and ``classic``: the course's topics 1 and 9.
"""

from collections.abc import Callable

import keras
from keras import layers

from cnn_core.errors import UnknownNetwork


def intro() -> keras.Model:
    """One convolution, one pooling, one hidden dense layer: 347,146 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="input"),
            layers.Conv2D(32, (3, 3), activation="relu", name="conv_1"),
            layers.MaxPooling2D((2, 2), name="pool_1"),
            layers.Flatten(name="flatten"),
            layers.Dense(64, activation="relu", name="dense_1"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="intro",
    )


def classic() -> keras.Model:
    """Three convolutions, two poolings, one hidden dense layer: 93,322 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="input"),
            layers.Conv2D(32, (3, 3), activation="relu", name="conv_1"),
            layers.MaxPooling2D((2, 2), name="pool_1"),
            layers.Conv2D(64, (3, 3), activation="relu", name="conv_2"),
            layers.MaxPooling2D((2, 2), name="pool_2"),
            layers.Conv2D(64, (3, 3), activation="relu", name="conv_3"),
            layers.Flatten(name="flatten"),
            layers.Dense(64, activation="relu", name="dense_1"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="classic",
    )


ARCHITECTURES: dict[str, Callable[..., keras.Model]] = {"intro": intro, "classic": classic}
"""The builders by name."""


def build(name: str, **options: object) -> keras.Model:
    """A new model with random weights.

    Raises
    ------
    UnknownNetwork : no builder has that name.
    """
    if name not in ARCHITECTURES:
        raise UnknownNetwork(
            f"There is no architecture {name!r}. Known: {', '.join(ARCHITECTURES)}."
        )
    return ARCHITECTURES[name](**options)
