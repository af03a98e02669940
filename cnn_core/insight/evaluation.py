"""How good a network is."""

from collections.abc import Callable, Iterable

import keras
import numpy as np
from numpy.typing import NDArray

from cnn_core.insight.scores import Evaluation

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


def evaluation_of(
    model: keras.Model,
    batches: Iterable[NDArray[np.float32]],
    labels: NDArray[np.uint8],
    progress: Callable[[float], None] = lambda share: None,
) -> Evaluation:
    """What `model` answers on labelled images, batch after batch.

    Parameters
    ----------
    batches : `(n, H, W, C)` each, as the model reads them, in the order of `labels`.
    """
    # Here, not above: it takes seconds to import, and not every worker evaluates.
    from sklearn.metrics import precision_recall_fscore_support

    answers: list[NDArray[np.float32]] = []
    done = 0
    for images in batches:
        answers.append(np.asarray(model.predict_on_batch(images), np.float32))
        done += len(images)
        progress(done / len(labels))
    probabilities = np.concatenate(answers)
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels,
        probabilities.argmax(axis=1),
        labels=range(probabilities.shape[1]),
        zero_division=0,
    )
    return Evaluation(probabilities, labels, precision, recall, f1)
