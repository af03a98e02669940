"""What every data set gives: labelled images to train on and to test with."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

TRAINING_IMAGES = 60_000
TEST_IMAGES = 10_000
SIDE = 28


class LabelledImages:
    """60,000 images to train on and 10,000 to test with, each array read when it is first asked
    for, then kept.

    Attributes
    ----------
    x_train : (60000, 28, 28) uint8 in [0, 255], bright on 0.
    y_train : (60000,) uint8 in [0, 9].
    x_test : (10000, 28, 28) uint8.
    y_test : (10000,) uint8.

    The arrays are read-only: they are shared by everybody who asks.
    """

    def read(self, name: str) -> NDArray[np.uint8]:
        """One of the four arrays. Raises `DataError`."""
        raise NotImplementedError

    def _shared(self, name: str) -> NDArray[np.uint8]:
        array = self.read(name)
        array.setflags(write=False)
        return array

    @cached_property
    def x_train(self) -> NDArray[np.uint8]:
        return self._shared("x_train")

    @cached_property
    def y_train(self) -> NDArray[np.uint8]:
        return self._shared("y_train")

    @cached_property
    def x_test(self) -> NDArray[np.uint8]:
        return self._shared("x_test")

    @cached_property
    def y_test(self) -> NDArray[np.uint8]:
        return self._shared("y_test")
