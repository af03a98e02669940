from pathlib import Path

import numpy as np
import pytest

from cnn_core.data.mnist import MNIST_FILE, load_mnist, read_mnist
from cnn_core.errors import DataError


def test_mnist_has_the_published_sizes_and_class_counts() -> None:
    mnist = load_mnist()
    assert mnist.x_train.shape == (60000, 28, 28)
    assert mnist.x_test.shape == (10000, 28, 28)
    assert mnist.x_train.dtype == mnist.y_test.dtype == np.uint8
    # Class counts as published with the data set.
    assert np.bincount(mnist.y_train).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    assert np.bincount(mnist.y_test).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip


def test_nobody_can_change_the_shared_digits() -> None:
    with pytest.raises(ValueError, match="read-only"):
        load_mnist().x_test[0, 0, 0] = 1


def test_a_missing_file_says_how_to_restore_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="git checkout"):
        read_mnist(tmp_path / "mnist.npz")


def test_a_damaged_file_says_so_and_how_to_restore_it(tmp_path: Path) -> None:
    damaged = bytearray(MNIST_FILE.read_bytes())
    damaged[1_000_000] ^= 1
    (tmp_path / "mnist.npz").write_bytes(damaged)
    with pytest.raises(DataError, match=r"damaged.*git checkout"):
        read_mnist(tmp_path / "mnist.npz")
