"""How good answers are: counts, intervals, calibration, comparisons. NumPy only."""

from dataclasses import dataclass
from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
_Z = 1.959964  # of a 95% interval
_LEAST = 1e-12  # below it a probability counts as this: its logarithm is finite


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network answers on labelled images.

    Attributes
    ----------
    probabilities : `(n, classes)` float32.
    labels : `(n,)` uint8.
    precision, recall, f1 : `(classes,)`, by scikit-learn; 0 where nothing can be counted.
    """

    probabilities: NDArray[np.float32]
    labels: NDArray[np.uint8]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]

    @property
    def answers(self) -> NDArray[np.intp]:
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """`(n,)`, the probability of the answer."""
        return self.probabilities.max(axis=1)

    @property
    def right(self) -> NDArray[np.bool_]:
        return self.answers == self.labels

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    @property
    def loss(self) -> float:
        """Mean cross entropy."""
        return cross_entropy(self.probabilities, self.labels)

    @property
    def confusion(self) -> NDArray[np.intp]:
        """`(classes, classes)`: how many of each true class (rows) got each answer (columns)."""
        return confusion_matrix(self.labels, self.answers, self.probabilities.shape[1])

    def mistakes(self, true: int, answer: int) -> NDArray[np.intp]:
        """The images of a class that got an answer, the most confident first."""
        found = np.flatnonzero((self.labels == true) & (self.answers == answer))
        return found[np.argsort(-self.confidence[found], kind="stable")]


def confusion_matrix(labels: NDArray, answers: NDArray, classes: int) -> NDArray[np.intp]:
    """Counts by true class (rows) and answer (columns)."""
    together = labels.astype(np.intp) * classes + answers
    return np.bincount(together, minlength=classes * classes).reshape(classes, classes)


def cross_entropy(probabilities: Floats, labels: NDArray) -> float:
    """Mean of −ln of what the true class got."""
    of_true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(of_true, _LEAST)).mean())


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95% interval of a share.

    Wilson, Journal of the American Statistical Association 22 (1927).
    """
    share, squared = right / count, _Z * _Z / count
    middle = (share + squared / 2) / (1 + squared)
    half = _Z * sqrt(share * (1 - share) / count + squared / (4 * count)) / (1 + squared)
    return middle - half, middle + half


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence against truth, in bins of equal width over [0, 1].

    Attributes
    ----------
    edges : `(bins + 1,)`.
    confidence, accuracy : `(bins,)`, mean of each bin; not a number where it is empty.
    count : `(bins,)`.
    """

    edges: NDArray[np.float64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.intp]

    @property
    def error(self) -> float:
        """Expected calibration error: the bins' gaps, weighted by how many are in each."""
        filled = self.count > 0
        gaps = np.abs(self.confidence[filled] - self.accuracy[filled])
        return float((gaps * self.count[filled]).sum() / self.count.sum())


def reliability(probabilities: Floats, labels: NDArray, bins: int = 15) -> Reliability:
    """Guo and others, "On calibration of modern neural networks", arXiv 1706.04599.

    A confidence on an edge belongs to the bin below it, as there.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, confidence, bins) / count
        share = np.bincount(place, right, bins) / count
    return Reliability(edges, mean, share, count)


def tempered(probabilities: Floats, temperature: float) -> NDArray[np.float64]:
    """The same answers at another temperature: softmax of ln p / T.

    ln p is the logits less what they share, which the softmax takes off anyway.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), _LEAST)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def best_temperature(probabilities: Floats, labels: NDArray) -> float:
    """The temperature between 0.05 and 20 of the least cross entropy.

    That entropy has one valley in ln T.
    """
    # Here, not above: pages that fit nothing need not wait for it.
    from scipy.optimize import minimize_scalar

    def loss(at: float) -> float:
        return cross_entropy(tempered(probabilities, float(np.exp(at))), labels)

    bounds = np.log(0.05), np.log(20.0)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, options={"xatol": 1e-4}).x))


def answered(probabilities: Floats, labels: NDArray, threshold: float) -> tuple[float, float]:
    """If the network may say "I don't know" below a confidence: the share that it answers, and how
    much of that is right (not a number if it answers nothing)."""
    sure = probabilities.max(axis=1) >= threshold
    right = probabilities.argmax(axis=1) == labels
    return float(sure.mean()), float(right[sure].mean()) if sure.any() else float("nan")


def mcnemar(one_right: NDArray[np.bool_], other_right: NDArray[np.bool_]) -> tuple[int, int, float]:
    """Images that only the one, and only the other, has right; and how likely so uneven a split
    would be if both were equally good: the exact two-sided test.

    McNemar, Psychometrika 12 (1947); Dietterich, Neural Computation 10 (1998).
    """
    only_one = int(np.sum(one_right & ~other_right))
    only_other = int(np.sum(other_right & ~one_right))
    total, fewer = only_one + only_other, min(only_one, only_other)
    if total == 0:
        return 0, 0, 1.0
    tail = sum(comb(total, k) for k in range(fewer + 1))
    return only_one, only_other, min(1.0, 2 * tail / 2**total)
