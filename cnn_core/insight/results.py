"""What the lab finds out about a network. Plain data: importing this file brings no Keras in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each pixel counts for a class's logit, by one method.

    Attributes
    ----------
    method : one of `METHODS`.
    values : `(H, W)` float32; channels are added up.
    logit, baseline_logit : of the class on the image, and on an image of no ink.
    """

    method: str
    values: NDArray[np.float32]
    logit: float
    baseline_logit: float


METHODS = (
    "gradient", "smoothgrad", "integrated", "gradcam", "gradcam++", "occlusion",
)  # fmt: skip
"""The names of the attribution methods, in the order in which pages show them."""


@dataclass(frozen=True, eq=False)
class Deletion:
    """What becomes of a class's probability while pixels are removed, the marked ones first.

    Attributes
    ----------
    removed : `(n,)`, how many pixels are gone at each point.
    probability : `(n,)`, of the class.
    at_random : `(orders, n)`, with inked pixels removed in random orders.
    """

    removed: NDArray[np.intp]
    probability: NDArray[np.float32]
    at_random: NDArray[np.float32]

    @property
    def area(self) -> float:
        """Mean probability over the curve, 0 to 1: less is a better choice of pixels."""
        return _mean_height(self.removed, self.probability)

    @property
    def random_area(self) -> float:
        """The same for random orders, on average."""
        return _mean_height(self.removed, self.at_random.mean(axis=0))


def _mean_height(at: NDArray, height: NDArray) -> float:
    return (
        float(np.trapezoid(height, at) / (at[-1] - at[0])) if at[-1] > at[0] else float(height[0])
    )


@dataclass(frozen=True, eq=False)
class Fooling:
    """An image, step by step along the sign of the gradient away from its answer.

    Attributes
    ----------
    direction : `(H, W, C)` float32, each −1, 0 or 1: the sign of the loss's gradient.
    steps : `(n,)` float32, how far each step goes, as a share of the value range.
    probabilities : `(n, classes)`.
    smallest : the position of the first step at which the answer changes; None if none does.
    """

    direction: NDArray[np.float32]
    steps: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    smallest: int | None


@dataclass(frozen=True, eq=False)
class LayerExciters:
    """What excites each filter of a layer most, among the test digits.

    Attributes
    ----------
    values : `(filters, top)`, the greatest pre-activations, falling.
    digits : `(filters, top)`, the test digits that have them.
    cells : `(filters, top, 2)`, row and column of the cell in the filter's map.
    by_class : `(filters, classes)`, the greatest activation of a map, on average over a class.
    active : `(filters,)`, share of the digits on which the map is not all 0.
    """

    values: NDArray[np.float32]
    digits: NDArray[np.intp]
    cells: NDArray[np.intp]
    by_class: NDArray[np.float32]
    active: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Synthesis:
    """An image made to excite one unit.

    Attributes
    ----------
    image : `(H, W, C)` float32 in the network's value range.
    value : the unit's pre-activation on it.
    path : `(steps,)`, the best value so far after each step.
    """

    image: NDArray[np.float32]
    value: float
    path: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ranking:
    """What each unit of a layer is worth: the accuracy lost without it.

    Attributes
    ----------
    digits : how many were looked at.
    accuracy : with all units on.
    lost, gained : `(units,)`, digits that are right only with, or only without, the unit.
    """

    digits: int
    accuracy: float
    lost: NDArray[np.intp]
    gained: NDArray[np.intp]

    @property
    def loss(self) -> NDArray[np.float64]:
        """`(units,)`, accuracy lost; negative where the network is better without."""
        return (self.lost - self.gained) / self.digits

    @property
    def margin(self) -> NDArray[np.float64]:
        """`(units,)`, half the width of the 95% interval of `loss`, of a paired difference.

        Agresti and Min, "Simple improved confidence intervals for comparing matched proportions",
        Statistics in Medicine 24 (2005): half a digit is added to each kind of difference.
        """
        lost, gained, count = self.lost + 0.5, self.gained + 0.5, self.digits + 2
        variance = (lost + gained - (lost - gained) ** 2 / count) / count**2
        return 1.959964 * np.sqrt(variance)


@dataclass(frozen=True, eq=False)
class Robustness:
    """How many digits are right while they are changed more and more.

    Attributes
    ----------
    amounts, right : `(n,)`.
    digits : how many were looked at, at each amount.
    """

    amounts: NDArray[np.float64]
    right: NDArray[np.intp]
    digits: int


EMBEDDINGS = ("PCA", "t-SNE")
"""The ways to lay images out in the plane."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Images as points in the plane at one moment, and how another image gets its place.

    Attributes
    ----------
    points : `(n, 2)` in [−1, 1].
    answers : `(n,)` uint8, what the network says of each image.
    explained : the share of the variance that two axes hold (PCA); None for t-SNE.
    mean, axes : `(features,)` and `(features, k)`: where an image lies is
        ``(features - mean) @ axes``, its place if k is 2 and there are no `neighbours`.
    neighbours : `(n, k)`, where the images lie so (t-SNE); None for PCA.
    """

    points: NDArray[np.floating]
    answers: NDArray[np.uint8]
    explained: float | None
    mean: NDArray[np.floating]
    axes: NDArray[np.floating]
    neighbours: NDArray[np.floating] | None = None

    def place(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        """Where another image stands, `(2,)`.

        By PCA its own place. t-SNE has none for images it was not given: they stand among their
        five nearest, the nearer the closer.
        """
        here = (features.reshape(-1) - self.mean) @ self.axes
        if self.neighbours is None:
            return here
        distance = np.linalg.norm(self.neighbours - here, axis=1)
        nearest = np.argsort(distance, kind="stable")[:5]
        weight = 1 / np.maximum(distance[nearest], 1e-9)
        return weight @ self.points[nearest] / weight.sum()


@dataclass(frozen=True, eq=False)
class Embedding:
    """The same images laid out at one or several moments.

    Attributes
    ----------
    images : `(n,)`, which test images.
    labels : `(n,)` uint8.
    layouts : by moment; each fills the plane by itself, turned to be like the one before.
    """

    images: NDArray[np.intp]
    labels: NDArray[np.uint8]
    layouts: tuple[Layout, ...]
