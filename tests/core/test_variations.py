"""A digit changed a little: what the changes are, at sizes that can be checked by hand."""

from itertools import pairwise

import numpy as np
import pytest

from cnn_core.data.digit import mnist_digit
from cnn_core.data.variations import (
    VARIATIONS,
    blurred,
    contrasted,
    scaled,
    shifted,
    thickened,
    turned,
)

SEVEN = mnist_digit(0).pixels


@pytest.mark.parametrize("name", VARIATIONS)
def test_no_change_is_the_digit_bit_by_bit(name: str) -> None:
    variation = VARIATIONS[name]
    images = variation.all_of(SEVEN)
    np.testing.assert_array_equal(images[variation.amounts.index(variation.none)], SEVEN)
    assert images.dtype == np.float32
    np.testing.assert_array_equal(
        images, np.rint(images * 255).astype(np.float32) / np.float32(255)
    )


def test_a_whole_shift_moves_every_column() -> None:
    moved = shifted(SEVEN, 3)
    np.testing.assert_allclose(moved[:, 3:], SEVEN[:, :-3], atol=1e-6)
    assert not moved[:, :3].any()
    half = shifted(SEVEN, 0.5)
    np.testing.assert_allclose(half[:, 1:27], (SEVEN[:, :26] + SEVEN[:, 1:27]) / 2, atol=1e-6)


def test_a_quarter_turn_is_numpys() -> None:
    np.testing.assert_allclose(turned(SEVEN, 90), np.rot90(SEVEN, -1), atol=1e-4)
    np.testing.assert_allclose(turned(SEVEN, -90), np.rot90(SEVEN, 1), atol=1e-4)


def test_thicker_strokes_have_more_ink() -> None:
    ink = [thickened(SEVEN, amount).sum() for amount in VARIATIONS["thickness"].amounts]
    assert all(a < b for a, b in pairwise(ink))


def test_twice_as_large_is_every_pixel_doubled() -> None:
    middle = scaled(SEVEN, 2)[1:27, 1:27]
    # About the centre between pixels 13 and 14: place 13.5 + d comes from 13.5 + d / 2.
    at = np.arange(1, 27)
    source = 13.5 + (at - 13.5) / 2
    low = np.floor(source).astype(int)
    share = (source - low).astype(np.float32)
    rows = SEVEN[low] * (1 - share)[:, None] + SEVEN[low + 1] * share[:, None]
    both = rows[:, low] * (1 - share) + rows[:, low + 1] * share
    np.testing.assert_allclose(middle, both, atol=1e-5)


def test_blur_keeps_the_ink_and_lowers_the_peak() -> None:
    soft = blurred(SEVEN, 1.5)
    assert soft.sum() == pytest.approx(SEVEN.sum(), rel=0.03)
    assert soft.max() < SEVEN.max()


def test_no_contrast_is_middle_grey() -> None:
    np.testing.assert_array_equal(contrasted(SEVEN, 0), np.full((28, 28), 0.5, np.float32))


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_few_amounts_hold_the_one_that_changes_nothing(name: str) -> None:
    variation = VARIATIONS[name]
    assert variation.none in variation.few
    assert 5 <= len(variation.few) <= 13
    images = np.stack([SEVEN, mnist_digit(1).pixels])
    some = variation.of_all(images, variation.few[-1])
    np.testing.assert_array_equal(
        some[0], variation.all_of(SEVEN)[variation.amounts.index(variation.few[-1])]
    )
