"""Named builders of Keras models. Every layer is named for what it is.

Source of ``intro`` and ``classic``: the course's topics 1 and 9.
"""

from collections.abc import Callable

import keras
from keras import layers

from cnn_core.errors import UnknownNetwork
from cnn_core.networks.blocks import (
    dense_block,
    inception_module,
    residual_block,
    transition,
    vgg_block,
)


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


def lenet5() -> keras.Model:
    """Convolutions and averages in turn, then a row of units: 61,706 parameters.

    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
    recognition", Proc. IEEE 86 (1998). Theirs has trainable averages, leaves out some of C3's
    connections and measures distances at the end; here these are plain averages, all connections
    and a softmax.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="input"),
            layers.Conv2D(6, 5, padding="same", activation="tanh", name="c1"),
            layers.AveragePooling2D(2, name="s2"),
            layers.Conv2D(16, 5, activation="tanh", name="c3"),
            layers.AveragePooling2D(2, name="s4"),
            layers.Conv2D(120, 5, activation="tanh", name="c5"),
            layers.Flatten(name="flatten"),
            layers.Dense(84, activation="tanh", name="f6"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="lenet5",
    )


def vgg_mini() -> keras.Model:
    """Three blocks of two small filters each, then two dense layers: 90,586 parameters."""
    image = x = keras.Input((28, 28, 1), name="input")
    for k, filters in enumerate((16, 32, 64), start=1):
        x = vgg_block(x, f"block_{k}", filters)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(32, activation="relu", name="dense_1")(x)
    return keras.Model(image, _answer(x), name="vgg_mini")


def resnet_mini(blocks: int = 1, width: int = 16, skip: bool = True) -> keras.Model:
    """Three stages of residual blocks, each of half the size and twice the filters: 78,426
    parameters.

    As He et al. (arXiv 1512.03385, section 4.2) build theirs for small images.

    Parameters
    ----------
    blocks : a stage; there are ``6 · blocks + 2`` layers with weights from input to output.
    width : filters of the first stage.
    skip : without them it is `plain_mini`.
    """
    image = x = keras.Input((28, 28, 1), name="input")
    x = layers.Conv2D(
        width, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name="stem_conv"
    )(x)
    x = layers.BatchNormalization(name="stem_bn")(x)
    x = layers.ReLU(name="stem_relu")(x)
    for stage in range(3):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            name = f"stage_{stage + 1}_block_{block + 1}"
            x = residual_block(x, name, width * 2**stage, stride, skip)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(image, _answer(x), name="resnet_mini" if skip else "plain_mini")


def plain_mini(blocks: int = 1, width: int = 16) -> keras.Model:
    """`resnet_mini` without its skips: 75,482 parameters."""
    return resnet_mini(blocks, width, skip=False)


def inception_mini() -> keras.Model:
    """Two modules that look through four widths at once: 23,982 parameters."""
    image = x = keras.Input((28, 28, 1), name="input")
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="stem_conv")(x)
    x = layers.MaxPooling2D(2, name="stem_pool")(x)
    x = inception_module(x, "module_1", 16, (16, 24), (4, 8), 8)
    x = layers.MaxPooling2D(2, name="pool_1")(x)
    x = inception_module(x, "module_2", 24, (24, 48), (8, 16), 16)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(image, _answer(x), name="inception_mini")


def densenet_mini(growth: int = 12) -> keras.Model:
    """Three dense blocks of four layers, each reading all before it: 70,826 parameters.

    Parameters
    ----------
    growth : filters that each layer adds.
    """
    image = x = keras.Input((28, 28, 1), name="input")
    x = layers.Conv2D(
        16, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name="stem_conv"
    )(x)
    x = dense_block(x, "block_1", 4, growth)
    x = transition(x, "transition_1", x.shape[-1] // 2)
    x = dense_block(x, "block_2", 4, growth)
    x = transition(x, "transition_2", x.shape[-1] // 2)
    x = dense_block(x, "block_3", 4, growth)
    x = layers.BatchNormalization(name="last_bn")(x)
    x = layers.ReLU(name="last_relu")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(image, _answer(x), name="densenet_mini")


def _answer(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Dense(10, activation="softmax", name="output")(x)


ARCHITECTURES: dict[str, Callable[..., keras.Model]] = {
    builder.__name__: builder
    for builder in (
        intro, classic, lenet5, vgg_mini, resnet_mini, plain_mini, inception_mini, densenet_mini,
    )
}  # fmt: skip
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
