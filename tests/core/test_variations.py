"""A digit changed a little: what the changes are, at sizes that can be checked by hand."""

from itertools import pairwise

import numpy as np
import pytest

from cnn_core.data.digit import mnist_digit
from cnn_core.data.variations import VARIATIONS, shifted, thickened, turned

SEVEN = mnist_digit(0).pixels


@pytest.mark.parametrize("name", VARIATIONS)
def test_no_change_is_the_digit_bit_by_bit(name: str) -> None:
    variation = VARIATIONS[name]
    images = variation.all_of(SEVEN)
    np.testing.assert_array_equal(images[variation.amounts.index(0)], SEVEN)
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
