"""Random layers on random shapes, for property tests."""

from typing import Any

import keras
from hypothesis import strategies as st
from keras import layers

_ACTIVATIONS = st.sampled_from(
    ["linear", "relu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "softplus", "softsign",
     "leaky_relu", "relu6", "hard_sigmoid", "exponential", "softmax"]
)  # fmt: skip
_PADDING = st.sampled_from(["valid", "same"])


@st.composite
def _sliding(draw: st.DrawFn) -> dict[str, Any]:
    """Stride or dilation, never both above 1, as TensorFlow wants it."""
    side = st.integers(1, 3)
    options: dict[str, Any] = {
        "kernel_size": (draw(st.integers(1, 4)), draw(st.integers(1, 4))),
        "padding": draw(_PADDING),
        "activation": draw(_ACTIVATIONS),
        "use_bias": draw(st.booleans()),
    }
    if draw(st.booleans()):
        return {**options, "strides": (draw(side), draw(side))}
    return {**options, "dilation_rate": (draw(side), draw(side))}


@st.composite
def _conv(draw: st.DrawFn, channels: int) -> layers.Layer:
    groups = draw(st.sampled_from([g for g in (1, 2, 3) if channels % g == 0]))
    filters = groups * draw(st.integers(1, 3))
    return layers.Conv2D(filters, groups=groups, **draw(_sliding()))


@st.composite
def _depthwise(draw: st.DrawFn) -> layers.Layer:
    options = draw(_sliding())
    stride = draw(st.integers(1, 3)) if "strides" in options else 1
    if "strides" in options:
        options["strides"] = (stride, stride)
    return layers.DepthwiseConv2D(depth_multiplier=draw(st.integers(1, 3)), **options)


@st.composite
def _pooling(draw: st.DrawFn) -> layers.Layer:
    kind = draw(st.sampled_from([layers.MaxPooling2D, layers.AveragePooling2D]))
    size = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    strides = draw(st.none() | st.tuples(st.integers(1, 3), st.integers(1, 3)))
    return kind(size, strides=strides, padding=draw(_PADDING))


@st.composite
def one_layer_models(draw: st.DrawFn, only_sliding: bool = False) -> keras.Model:
    """A random image input with one random layer upon it (Add and Concatenate: with three)."""
    height, width = draw(st.integers(10, 12)), draw(st.integers(10, 12))
    channels = draw(st.integers(1, 4))
    image = keras.Input((height, width, channels), name="input")
    sliding = [_conv(channels), _depthwise(), _pooling()]
    if only_sliding:
        return keras.Model(image, _named(draw(st.one_of(sliding)))(image))
    if draw(st.integers(0, 4)) == 0:
        merge = draw(st.sampled_from(["add", "rows", "columns", "channels"]))
        inputs = [image, layers.ReLU()(image), layers.Activation("tanh")(image)]
        axes = {"rows": 1, "columns": 2, "channels": draw(st.sampled_from([3, -1]))}
        layer = layers.Add() if merge == "add" else layers.Concatenate(axis=axes[merge])
        return keras.Model(image, _named(layer)(inputs))
    layer = draw(
        st.one_of(
            *sliding,
            st.builds(
                layers.Dense, st.integers(1, 5), activation=_ACTIVATIONS, use_bias=st.booleans()
            ),
            st.builds(
                layers.BatchNormalization, center=st.booleans(), scale=st.booleans(),
                epsilon=st.floats(1e-5, 0.1),
            ),
            st.builds(layers.Activation, _ACTIVATIONS),
            st.builds(
                layers.ReLU,
                max_value=st.none() | st.floats(0.5, 2),
                negative_slope=st.floats(0, 0.5),
                threshold=st.floats(0, 0.5),
            ),
            st.builds(layers.LeakyReLU, negative_slope=st.floats(0, 0.5)),
            st.builds(layers.ELU, alpha=st.floats(0.1, 2)),
            st.builds(layers.Dropout, st.floats(0, 0.9)),
            st.builds(
                layers.ZeroPadding2D,
                st.tuples(
                    st.tuples(st.integers(0, 2), st.integers(0, 2)),
                    st.tuples(st.integers(0, 2), st.integers(0, 2)),
                ),
            ),
            st.builds(layers.GlobalAveragePooling2D, keepdims=st.booleans()),
            st.just("flatten"),
            st.just("reshape"),
            st.just("softmax"),
        )
    )  # fmt: skip
    if layer == "flatten":
        layer = layers.Flatten()
    elif layer == "reshape":
        layer = layers.Reshape((width * channels, height))
    elif layer == "softmax":
        layer = layers.Softmax()
    return keras.Model(image, _named(layer)(image))


def _named(layer: layers.Layer) -> layers.Layer:
    """A fresh copy of the layer called ``layer``: hypothesis may draw one object twice."""
    return layer.__class__.from_config({**layer.get_config(), "name": "layer"})
