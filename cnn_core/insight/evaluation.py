"""How good a network is."""

from collections.abc import Callable

import keras
import numpy as np
from numpy.typing import NDArray

_BATCH = 500


def accuracy_of(
    model: keras.Model,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    progress: Callable[[float], None] = lambda share: None,
) -> float:
    """The share of `images` that `model` classifies as labelled.

    Parameters
    ----------
    images : `(n, H, W)` uint8; the model gets them as `(n, H, W, 1)` float32 in [0, 1].
    labels : `(n,)`.
    progress : called with the share done.
    """
    right = 0
    for start in range(0, len(images), _BATCH):
        batch = np.divide(images[start : start + _BATCH, ..., None], 255, dtype=np.float32)
        answers = model.predict_on_batch(batch).argmax(axis=1)
        right += int(np.sum(answers == labels[start : start + _BATCH]))
        progress(min(start + _BATCH, len(images)) / len(images))
    return right / len(images)
