"""A stand-in for Fashion-MNIST, of its sizes and in its files: bars whose place is their class."""

import gzip
from pathlib import Path

import numpy as np

_NAMES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def bars(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images with one bright bar of two rows; its height says which class it is."""
    labels = np.random.default_rng(seed).integers(10, size=count, dtype=np.uint8)
    images = np.zeros((count, 28, 28), np.uint8)
    rows = 3 + 2 * labels.astype(int)
    for offset in range(2):
        images[np.arange(count), rows + offset, 4:24] = 200
    return images, labels


def idx(array: np.ndarray) -> bytes:
    """The array in the published format."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def write_fashion(folder: Path) -> dict[str, np.ndarray]:
    """The four packed files; answers the arrays that are in them."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = (*bars(60_000, 1), *bars(10_000, 2))
    for name, array in zip(_NAMES, arrays, strict=True):
        (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(idx(array), 1))
    return dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True))
