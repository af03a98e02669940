"""The digit under the lens, and how it travels inside a link."""

import base64
import binascii
import re
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.datasets import DATASETS, MNIST, Dataset
from cnn_core.data.images import SIDE, TEST_IMAGES
from cnn_core.errors import InkError

_LETTERS = {"drawn": "d", "uploaded": "u", "made": "m"}
_LONGEST_TOKEN = 1_200  # 784 incompressible bytes in base64, with room


@dataclass(frozen=True, eq=False)
class Digit:
    """A 28×28 image the way MNIST's are: bright ink on 0, a 20×20 digit centred by mass.

    Attributes
    ----------
    pixels : (28, 28) float32 in [0, 1], each k/255 for a whole k, so that it survives a link bit
        by bit. Read-only.
    source : ``"drawn"``, ``"uploaded"``, ``"made"`` (painted or computed), or which test image:
        ``"test-1234"`` of MNIST, ``"fashion-1234"`` of Fashion-MNIST.
    label : the true class, None where nobody knows it.
    """

    pixels: NDArray[np.float32]
    source: str
    label: int | None = None

    @classmethod
    def of_bytes(cls, image: NDArray[np.uint8], source: str, label: int | None = None) -> "Digit":
        """The digit whose pixels are `image` / 255, `(28, 28)` uint8.

        Raises
        ------
        InkError : another shape or dtype.
        """
        if image.shape != (SIDE, SIDE) or image.dtype != np.uint8:
            raise InkError(
                f"A digit is a (28, 28) uint8 image. Received: {image.shape} {image.dtype}."
            )
        pixels = np.divide(image, 255, dtype=np.float32)
        pixels.setflags(write=False)
        return cls(pixels, source, label)

    @property
    def bytes(self) -> NDArray[np.uint8]:
        """The pixels as whole numbers, (28, 28) uint8 in [0, 255]."""
        return np.rint(self.pixels * 255).astype(np.uint8)

    @property
    def dataset(self) -> Dataset | None:
        """Whose test image it is; None if it is none's."""
        token = self.source.partition("-")[0]
        return next((one for one in DATASETS.values() if one.token == token), None)

    @property
    def token(self) -> str:
        """The digit as text for a link: ``test-1234``, or its deflated pixels (250–400 letters)."""
        if self.source not in _LETTERS:
            return self.source
        packed = base64.urlsafe_b64encode(zlib.compress(self.bytes.tobytes(), 9))
        return f"{_LETTERS[self.source]}.{packed.decode().rstrip('=')}"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Digit)
            and self.source == other.source
            and np.array_equal(self.pixels, other.pixels)
        )

    def __hash__(self) -> int:
        return hash((self.source, self.pixels.tobytes()))


def image_of(dataset: Dataset, number: int) -> Digit:
    """A test image of a data set, from 0 to 9,999.

    Raises
    ------
    InkError : there is no such image.
    DataError : the data set is missing or damaged.
    """
    if not 0 <= number < TEST_IMAGES:
        raise InkError(
            f"There are test {dataset.noun}s 0 to {TEST_IMAGES - 1:,}. Received: {number}."
        )
    images = dataset.load()
    source, label = f"{dataset.token}-{number}", int(images.y_test[number])
    return Digit.of_bytes(images.x_test[number], source, label)


def mnist_digit(number: int) -> Digit:
    """MNIST test digit `number`, from 0 to 9,999. Raises as `image_of` does."""
    return image_of(MNIST, number)


def digit_from_token(token: str) -> Digit:
    """The digit that `Digit.token` wrote.

    Raises
    ------
    InkError : the text is not such a token.
    DataError : it names a test digit and the data set is missing or damaged.
    """
    for dataset in DATASETS.values():
        test = re.fullmatch(rf"{dataset.token}-([0-9]{{1,5}})", token)
        if test:
            return image_of(dataset, int(test[1]))
    letter, _, packed = token.partition(".")
    sources = {letter: source for source, letter in _LETTERS.items()}
    if letter not in sources or len(packed) > _LONGEST_TOKEN:
        raise InkError("The digit in this link cannot be read: it is of no known kind.")
    try:
        deflated = base64.b64decode(
            packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True
        )
        unpacked = zlib.decompressobj().decompress(deflated, SIDE * SIDE + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise InkError("The digit in this link is damaged.") from error
    if len(unpacked) != SIDE * SIDE:
        raise InkError(f"The digit in this link is damaged: {len(unpacked)} of 784 pixels.")
    image = np.frombuffer(unpacked, np.uint8).reshape(SIDE, SIDE)
    return Digit.of_bytes(image, sources[letter])
