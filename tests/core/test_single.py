"""Single operations against Keras, scipy and hand arithmetic."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate2d

from cnn_core.data.digit import mnist_digit
from cnn_core.errors import BadOperation
from cnn_core.probe.arithmetic import explain_unit
from cnn_core.probe.single import (
    KERNELS,
    PADDINGS,
    Setting,
    convolution,
    l2_pooling,
    pooling,
    separated,
)

DIGIT = mnist_digit(30).pixels


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 7), st.integers(1, 3), st.sampled_from(PADDINGS), st.integers(1, 3),
    st.floats(-2, 2), st.sampled_from(["linear", "relu", "tanh", "gelu"]),
)  # fmt: skip
def test_a_convolution_is_keras_own(
    size: int, stride: int, padding: str, dilation: int, bias: float, activation: str
) -> None:
    setting = Setting(stride, padding, 1 if stride > 1 else dilation, bias, activation)
    kernel = np.random.default_rng(size).normal(size=(size, size)).astype(np.float32)
    layer = keras.layers.Conv2D(
        1, size, strides=stride, padding=padding, dilation_rate=setting.dilation,
        activation=activation,
    )  # fmt: skip
    image = keras.Input((28, 28, 1))
    model = keras.Model(image, layer(image))
    layer.set_weights([kernel[..., None, None], np.array([bias], np.float32)])
    expected = model.predict_on_batch(DIGIT[None, ..., None])[0]
    found = convolution(DIGIT, kernel, setting)["convolution"]
    np.testing.assert_allclose(found.output, expected, atol=2e-5)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_laid_on_as_it_is(name: str) -> None:
    """What networks call a convolution is a correlation: the kernel is not turned over."""
    expected = correlate2d(DIGIT, KERNELS[name], mode="valid")
    np.testing.assert_allclose(
        convolution(DIGIT, KERNELS[name]).output[..., 0], expected, atol=1e-5
    )


def test_the_identity_leaves_the_image() -> None:
    same = convolution(DIGIT, KERNELS["identity"], Setting(padding="same"))
    np.testing.assert_array_equal(same.output[..., 0], DIGIT)


def test_every_cell_can_be_taken_apart() -> None:
    trace = convolution(DIGIT, KERNELS["sharpen"], Setting(stride=2, bias=0.5, activation="relu"))
    why = explain_unit(trace, "convolution", (5, 6, 0))
    patch = DIGIT[10:13, 12:15]
    by_hand = max(0.0, float((patch * KERNELS["sharpen"]).sum()) + 0.5)
    assert why.network_value == pytest.approx(by_hand, abs=1e-6)
    assert why.error < 1e-5


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (5, 1)])
def test_pooling_is_keras_own(kind: str, padding: str, size: int, stride: int) -> None:
    layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[kind]
    expected = layer(size, strides=stride, padding=padding)(DIGIT[None, ..., None])
    found = pooling(DIGIT, kind, size, stride, padding).output
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected)[0], atol=1e-6)


def test_global_pooling_is_the_mean() -> None:
    assert pooling(DIGIT, "global average").output[0] == pytest.approx(DIGIT.mean())


def test_l2_pooling_by_hand() -> None:
    image = np.array([[3, 4, 0], [0, 0, 1], [2, 0, 0]], np.float32)
    np.testing.assert_allclose(l2_pooling(image, 2, 1), [[5, np.sqrt(17)], [2, 1]])


def test_separable_kernels_are_told_from_others() -> None:
    column, row = separated(KERNELS["Sobel, upright edges"]) or pytest.fail("it is separable")
    np.testing.assert_allclose(np.outer(column, row), KERNELS["Sobel, upright edges"], atol=1e-6)
    assert separated(KERNELS["blur"]) is not None
    assert separated(KERNELS["Laplacian"]) is None
    assert separated(KERNELS["emboss"]) is None
    assert separated(np.zeros((3, 3), np.float32)) is None
    assert separated(np.ones((1, 1), np.float32)) is None  # nothing is saved


@pytest.mark.parametrize(
    ("kernel", "setting", "why"),
    [
        (np.ones((7, 7)), Setting(dilation=5), "window of 31 rows does not fit into 28"),
        (np.ones((3, 3)), Setting(stride=2, dilation=2), "Keras does not allow"),
        (np.ones((8, 8)), Setting(), "1 to 7 rows"),
        (np.ones((2, 3)), Setting(), "square"),
        (np.ones((3, 3)), Setting(stride=0), "a stride is at least 1"),
        (np.ones((3, 3)), Setting(padding="around"), "valid or same"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    kernel: np.ndarray, setting: Setting, why: str
) -> None:
    with pytest.raises(BadOperation, match=why):
        convolution(DIGIT, kernel.astype(np.float32), setting)
