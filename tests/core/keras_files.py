"""``.keras`` files made for the tests: as people save them, and as nobody should."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
from keras import layers

MEMBERS = ("metadata.json", "config.json", "model.weights.h5")


def saved(model: keras.Model, folder: Path) -> bytes:
    """The file that ``model.save`` writes."""
    model.save(folder / "model.keras")
    return (folder / "model.keras").read_bytes()


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_config(content: bytes, change: Callable[[Any], Any]) -> bytes:
    """The file with another config.json: what `change` makes of it in place, or gives back."""
    members = members_of(content)
    config = json.loads(members["config.json"])
    changed = change(config)
    members["config.json"] = json.dumps(config if changed is None else changed).encode()
    return packed(members)


def with_weights(content: bytes, weights: bytes) -> bytes:
    return packed(members_of(content) | {"model.weights.h5": weights})


def small() -> keras.Model:
    """A convolution, a pooling, a dense layer: 10 classes of 28×28 images."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(4),
            layers.Flatten(),
            layers.Dense(10, activation="softmax", name="answer"),
        ]
    )


def colour() -> keras.Model:
    """As a course on CIFAR writes it: three channels, normalised, with dropout, ending in logits,
    Rescaling first."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(8, 3, padding="same", use_bias=False, kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.2, seed=1),
            layers.DepthwiseConv2D(3, padding="same", activation="silu"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(100, kernel_constraint="max_norm"),
        ]
    )


def residual() -> keras.Model:
    """Functional: skips written as a layer and as ``x + y``, branches joined, a layer used twice,
    layers that are not in the order of their names."""
    image = keras.Input((64, 48, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(image)
    y = layers.BatchNormalization(center=False)(x)
    y = layers.Conv2D(8, 3, padding="same", dilation_rate=2)(y)
    x = layers.Add()([x, y])
    x = layers.ReLU(max_value=6)(x)
    x = x + layers.Conv2D(8, 1, groups=4)(x)
    x = layers.Concatenate()([x, layers.LeakyReLU()(y)])
    x = layers.ZeroPadding2D(((1, 0), (2, 1)))(x)
    x = layers.SpatialDropout2D(0.1)(x)
    x = layers.GlobalAveragePooling2D()(x)
    twice = layers.Dense(16, activation="gelu")
    x = twice(twice(x))
    return keras.Model(image, layers.Softmax()(layers.Dense(7)(x)))
