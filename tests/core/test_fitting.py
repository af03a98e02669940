"""A digit at the size that a network reads."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_core.data.fitting import fitted
from cnn_core.data.mnist import load_mnist
from cnn_core.networks.zoo import open_network

CARD = open_network("classic").card
DIGIT = np.divide(load_mnist().x_test[30], 255, dtype=np.float32)


def test_one_of_the_right_size_stays_bit_by_bit() -> None:
    assert CARD.fit(DIGIT)[..., 0].tobytes() == DIGIT.tobytes()


def test_half_the_size_is_the_triangle_filters_mean() -> None:
    """Shrunk by 2 the triangle is 4 pixels wide: weights 1, 3, 3, 1 over 8 along each axis."""
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 10, 10] = 1.0
    small = fitted(image, 14, 14)[0]
    along = np.zeros(14)
    along[4], along[5] = 1 / 8, 3 / 8  # cells 4 and 5 stand over pixels 7 … 10 and 9 … 12
    np.testing.assert_allclose(small, np.outer(along, along), atol=1e-6)


def test_another_shape_gets_empty_paper_and_keeps_the_proportions() -> None:
    image = np.ones((1, 28, 28), np.float32)
    wide = fitted(image, 28, 40)[0]
    np.testing.assert_array_equal(wide.any(axis=0), [0] * 6 + [1] * 28 + [0] * 6)
    tall = fitted(image, 64, 32)[0]
    np.testing.assert_array_equal(tall.any(axis=1), [0] * 16 + [1] * 32 + [0] * 16)


@given(st.integers(1, 64), st.integers(1, 64))
def test_every_size_gives_values_from_0_to_1(height: int, width: int) -> None:
    image = fitted(DIGIT[None], height, width)
    assert image.shape == (1, height, width)
    assert image.dtype == np.float32
    assert 0 <= image.min() <= image.max() <= 1


def test_every_channel_gets_the_same_in_the_networks_range() -> None:
    card = replace(CARD, input_shape=(32, 32, 3), value_range=(0.0, 255.0))
    image = card.fit(DIGIT)
    assert image.shape == (32, 32, 3)
    np.testing.assert_array_equal(image[..., 0], image[..., 2])
    assert 250 < image.max() <= 255


@pytest.mark.parametrize("shape", [(28, 28, 1), (64, 48, 3)])
def test_many_are_fitted_as_one_is(shape: tuple[int, int, int]) -> None:
    card = replace(CARD, input_shape=shape)
    images = load_mnist().x_test[:3]
    each = [card.fit(np.divide(image, 255, dtype=np.float32)) for image in images]
    np.testing.assert_array_equal(card.fit_all(images), np.stack(each))
