"""What a training tells while it goes on. Plain data, needs no Keras."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cnn_core.networks.film import Weights


@dataclass(frozen=True)
class TrainingEvent:
    """Something that happened after `step` steps."""

    step: int


@dataclass(frozen=True)
class BatchDone(TrainingEvent):
    """One step: the batch's own loss and accuracy, not a running mean."""

    epoch: int
    loss: float
    accuracy: float
    learning_rate: float
    images: int


@dataclass(frozen=True)
class EpochDone(TrainingEvent):
    """One epoch: means over it, and over the held-out digits (NaN if there are none)."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float


@dataclass(frozen=True)
class FrameTaken(TrainingEvent):
    """The weights now, and the share of held-out digits classified right."""

    weights: Weights
    accuracy: float


@dataclass(frozen=True)
class Sampled(TrainingEvent):
    """On a fixed batch of digits, by layer: the gradient's norm; the share of ReLU units that are
    0 for every one of them."""

    gradient_norms: Mapping[str, float]
    dead_shares: Mapping[str, float]


@dataclass(frozen=True)
class CheckpointReached(TrainingEvent):
    """All that is needed to go on from the end of an epoch.

    Attributes
    ----------
    epoch : epochs done.
    weights : by layer and name.
    optimizer : the optimizer's variables, in its own order.
    """

    epoch: int
    weights: Weights
    optimizer: tuple[NDArray, ...]


@dataclass(frozen=True)
class Paused(TrainingEvent):
    """Nothing is computed until somebody says so. Told again and again while it lasts."""


@dataclass(frozen=True)
class Dissection:
    """One step taken apart.

    Attributes
    ----------
    step : steps done before it.
    images : `(n, 28, 28, 1)` float32, the batch.
    labels : `(n,)`.
    probabilities : `(n, classes)`, what the network answers.
    losses : `(n,)`, each digit's loss; the batch's loss is their mean.
    before, gradients : by layer and weight.
    after : the weights once the optimizer has moved them; None until it has.
    """

    step: int
    images: NDArray[np.float32]
    labels: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    losses: NDArray[np.float32]
    before: Weights
    gradients: Weights
    after: Weights | None = None

    def with_after(self, after: Weights) -> "Dissection":
        """The same step, with what the optimizer made of the weights."""
        return replace(self, after=after)


@dataclass(frozen=True)
class Dissected(TrainingEvent):
    """A step was taken apart: first without `after`, then, once it is done, with it."""

    dissection: Dissection


@dataclass(frozen=True)
class Ended(TrainingEvent):
    """The last event. `stopped` if somebody, or a loss that is not finite, ended it early."""

    stopped: bool
    message: str = ""


@dataclass(frozen=True, eq=False)
class DeepTraining:
    """What became of a deep network in some steps.

    Attributes
    ----------
    before, after : norm of the loss's gradient by convolution, from the image onwards, at the
        random start and after the last step.
    losses : `(steps,)`, of each batch.
    accuracy : share right of the first `tested` test digits, after the last step; normalised by
        their own mean and variance, since the running ones lag behind in so few steps.
    """

    before: Mapping[str, float]
    after: Mapping[str, float]
    losses: NDArray[np.float64]
    accuracy: float
    tested: int
