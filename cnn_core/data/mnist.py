"""MNIST, read from the file that ships with ConvScope.

Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", CC BY-SA 3.0.
Y. LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 86 (1998).
"""

import hashlib
import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.images import LabelledImages
from cnn_core.errors import DataError

MNIST_FILE = Path(__file__).with_name("mnist.npz")
MNIST_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"

_RESTORE = (
    "Restore it with `git checkout -- cnn_core/data/mnist.npz`, or copy it from a fresh clone."
)


class Mnist(LabelledImages):
    """The 70,000 digits of MNIST."""

    def __init__(self, archive: bytes) -> None:
        self._archive = archive

    def read(self, name: str) -> NDArray[np.uint8]:
        with np.load(io.BytesIO(self._archive), allow_pickle=False) as arrays:
            array: NDArray[np.uint8] = arrays[name]
        return array


@lru_cache(maxsize=1)
def load_mnist() -> Mnist:
    """MNIST as it was published, from the copy in this folder. Nothing is downloaded.

    Raises
    ------
    DataError : the file is missing, or its SHA-256 is not that of the shipped file.
    """
    return read_mnist(MNIST_FILE)


def read_mnist(file: Path) -> Mnist:
    """MNIST from `file`, whose SHA-256 must be `MNIST_SHA256`.

    Raises
    ------
    DataError : the file is missing or damaged.
    """
    try:
        archive = file.read_bytes()
    except OSError as error:
        raise DataError(
            f"The MNIST digits cannot be read: {file.name}: {error.strerror}. {_RESTORE}"
        ) from error
    found = hashlib.sha256(archive).hexdigest()
    if found != MNIST_SHA256:
        raise DataError(
            f"The MNIST file {file.name} is damaged: expected SHA-256 {MNIST_SHA256[:12]}…, "
            f"received {found[:12]}… ({len(archive):,} bytes). {_RESTORE}"
        )
    return Mnist(archive)
