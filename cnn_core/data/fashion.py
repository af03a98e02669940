"""Fashion-MNIST, where the machine has it: it is looked for, never fetched.

H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms", arXiv 1708.07747. MIT licence, Zalando SE.
"""

import gzip
import io
import os
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.images import SIDE, TEST_IMAGES, TRAINING_IMAGES, LabelledImages
from cnn_core.disk import home, write_whole
from cnn_core.errors import DataError

CLASSES = (
    "T-shirt", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

_IDX = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
_SHAPES: dict[str, tuple[int, ...]] = {
    "x_train": (TRAINING_IMAGES, SIDE, SIDE),
    "y_train": (TRAINING_IMAGES,),
    "x_test": (TEST_IMAGES, SIDE, SIDE),
    "y_test": (TEST_IMAGES,),
}
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")
_WANTED = (
    "Install Debian's package dataset-fashion-mnist, or name the file on this machine: an .npz of "
    "x_train, y_train, x_test and y_test, or the folder of the four published idx files."
)


class FashionMnist(LabelledImages):
    """The 70,000 pieces of clothing.

    Parameters
    ----------
    place : an ``.npz``, a folder of the four idx files, packed or not, or one of those files.
    """

    def __init__(self, place: Path) -> None:
        self.place = place

    def read(self, name: str) -> NDArray[np.uint8]:
        try:
            array = self._of_npz(name) if self.place.suffix == ".npz" else self._of_idx(name)
        except (OSError, EOFError, ValueError, KeyError, zlib.error, zipfile.BadZipFile) as error:
            raise DataError(
                f"{name} of Fashion-MNIST cannot be read from {self.place.name}: {error}. {_WANTED}"
            ) from error
        if array.shape != _SHAPES[name] or array.dtype != np.uint8:
            raise DataError(
                f"{name} of Fashion-MNIST is {_SHAPES[name]} uint8. "
                f"Received: {array.shape} {array.dtype}. {_WANTED}"
            )
        if name.startswith("y") and array.max() >= len(CLASSES):
            raise DataError(f"Fashion-MNIST has classes 0 to 9. Received: {array.max()}.")
        return array

    def _of_npz(self, name: str) -> NDArray:
        most = int(np.prod(_SHAPES[name])) + 1_000  # a header and the array
        with zipfile.ZipFile(self.place) as archive:
            if archive.getinfo(f"{name}.npy").file_size > most:
                raise ValueError("it is larger than it may be")
            content = archive.read(f"{name}.npy")
        return np.load(io.BytesIO(content), allow_pickle=False)

    def _of_idx(self, name: str) -> NDArray:
        """http://yann.lecun.com/exdb/mnist describes the format: two zero bytes, the type (8 is
        uint8), the number of axes, each axis in four bytes, the greatest first; then the array."""
        folder = self.place if self.place.is_dir() else self.place.parent
        packed, plain = folder / f"{_IDX[name]}.gz", folder / _IDX[name]
        shape = _SHAPES[name]
        size = 4 + 4 * len(shape) + int(np.prod(shape))
        with gzip.open(packed) if packed.exists() else plain.open("rb") as file:
            content = file.read(size + 1)  # no more, whatever it unpacks to
        head = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
        if len(content) != size or not content.startswith(head):
            raise ValueError(f"it is no idx file of {shape}")
        return np.frombuffer(content, np.uint8, offset=len(head)).reshape(shape)


def fashion_place() -> Path | None:
    """Where Fashion-MNIST is, if it is here: the place somebody pointed to, by
    ``CONVSCOPE_FASHION_MNIST`` or on a page; Keras's cache; Debian's package."""
    keras = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets"
    chosen = os.environ.get("CONVSCOPE_FASHION_MNIST") or _remembered()
    places = [Path(chosen)] if chosen else []
    for place in (*places, keras / "fashion-mnist", _DEBIAN):
        if place.suffix == ".npz" or not place.is_dir():
            if place.is_file():
                return place
        elif all(any(place.glob(f"{stem}*")) for stem in _IDX.values()):
            return place
    return None


def load_fashion_mnist() -> FashionMnist:
    """Fashion-MNIST from where it is on this machine. Nothing is downloaded.

    Raises
    ------
    DataError : it is not here, or damaged.
    """
    place = fashion_place()
    if place is None:
        raise DataError(f"Fashion-MNIST is not on this machine. {_WANTED}")
    return _loaded(place, place.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _loaded(place: Path, written: int) -> FashionMnist:
    return FashionMnist(place)


def point_to_fashion(text: str) -> None:
    """Remember where somebody says that Fashion-MNIST is.

    Raises
    ------
    DataError : it is not there, or damaged; what was remembered stays.
    """
    try:
        place = Path(text.strip()).expanduser()
        there = bool(text.strip()) and place.exists()
    except (OSError, ValueError, RuntimeError):  # too long, unreadable, or nobody's home
        there = False
    if not there:
        raise DataError(f"There is no file or folder {text.strip()[:80]!r} on this machine.")
    images = FashionMnist(place.resolve())
    for name in _SHAPES:
        images.read(name)
    try:
        _note().parent.mkdir(parents=True, exist_ok=True)
        write_whole(_note(), str(images.place).encode())
    except OSError as error:
        raise DataError(f"The place cannot be remembered: {error.strerror}.") from error


def _note() -> Path:
    return home() / "fashion-mnist.txt"


def _remembered() -> str:
    try:
        return _note().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
