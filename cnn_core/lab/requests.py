"""What the lab can be asked. Plain data: importing this file brings no Keras in.

A request names the function that answers it, ``"module:function"``. The worker imports that
module, calls the function with the request and a `Progress`, and sends back what it returns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.networks.ref import NetworkRef

Progress = Callable[[float], None]
"""Called with the share done, from 0 to 1."""


@dataclass(frozen=True)
class Request:
    """Something to be worked out.

    Attributes
    ----------
    handler : ``"module:function"``, the same for all requests of a class.
    """

    handler: ClassVar[str]


@dataclass(frozen=True)
class WarmUp(Request):
    """Import what the lane's work needs and compile the probes of networks. Answers None.

    Attributes
    ----------
    networks : their ids; empty for all that are shipped.
    """

    handler = "cnn_core.lab.handlers:warm_up"
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TraceRequest(Request):
    """Every layer's tensors for one image. Answers a `Trace` without its weights.

    Attributes
    ----------
    ref : the network at a moment.
    pixels : float32 `(H, W, C)` in the network's value range.
    """

    handler = "cnn_core.lab.handlers:trace"
    ref: NetworkRef
    pixels: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AttributionRequest(Request):
    """Why the network answers so. Answers `Attribution` by method.

    Attributes
    ----------
    pixels : float32 `(H, W, C)` in the network's value range.
    target : the class to explain.
    layer : the convolution of Grad-CAM; None leaves it out.
    """

    handler = "cnn_core.lab.insight:attribute"
    ref: NetworkRef
    pixels: NDArray[np.float32]
    target: int
    layer: str | None


@dataclass(frozen=True, eq=False)
class DeletionRequest(Request):
    """What becomes of a class while the pixels of most `values` `(H, W)` go. Answers `Deletion`."""

    handler = "cnn_core.lab.insight:delete"
    ref: NetworkRef
    pixels: NDArray[np.float32]
    values: NDArray[np.float32]
    target: int


@dataclass(frozen=True, eq=False)
class FoolRequest(Request):
    """The way along the sign of the gradient, in steps of 1/255. Answers a `Fooling`."""

    handler = "cnn_core.lab.insight:fool"
    ref: NetworkRef
    pixels: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AnswersRequest(Request):
    """Probabilities `(n, classes)` of images `(n, H, W, C)`."""

    handler = "cnn_core.lab.insight:answers"
    ref: NetworkRef
    images: NDArray[np.float32]


@dataclass(frozen=True)
class ExcitersRequest(Request):
    """Which test digits excite each filter of a layer. Answers `LayerExciters`."""

    handler = "cnn_core.lab.insight:find_exciters"
    ref: NetworkRef
    layer: str


@dataclass(frozen=True)
class SynthesisRequest(Request):
    """An image made to excite a filter's middle cell. Answers a `Synthesis`."""

    handler = "cnn_core.lab.insight:synthesis"
    ref: NetworkRef
    layer: str
    channel: int


@dataclass(frozen=True)
class EvaluationRequest(Request):
    """What it says of the 10,000 test images, kept on disk. Answers an `Evaluation`."""

    handler = "cnn_core.lab.insight:evaluate"
    ref: NetworkRef


@dataclass(frozen=True)
class RobustnessRequest(Request):
    """How many digits are right, by amount of a variation. Answers a `Robustness`.

    Attributes
    ----------
    variation : one of `data.variations.VARIATIONS`.
    digits : evenly taken from the 10,000 test digits.
    """

    handler = "cnn_core.lab.insight:robustness"
    ref: NetworkRef
    variation: str
    digits: int = 1_000


@dataclass(frozen=True)
class RankingRequest(Request):
    """What each unit of a layer is worth. Answers a `Ranking`.

    Attributes
    ----------
    digits : evenly taken from the 10,000 test digits.
    """

    handler = "cnn_core.lab.insight:ranking"
    ref: NetworkRef
    layer: str
    digits: int = 1_000


@dataclass(frozen=True)
class EmbeddingRequest(Request):
    """Test images laid out by what a layer makes of them. Answers an `Embedding`.

    Attributes
    ----------
    refs : a network at one or several moments, in their order.
    method : one of `insight.results.EMBEDDINGS`.
    images : evenly taken from the 10,000 test images.
    """

    handler = "cnn_core.lab.insight:embed"
    refs: tuple[NetworkRef, ...]
    layer: str
    method: str
    images: int = 1_000


@dataclass(frozen=True)
class DeepTrainingRequest(Request):
    """A deep network trained for some steps, with skips or without. Answers a `DeepTraining`.

    Attributes
    ----------
    blocks : of each of three stages; there are ``6 · blocks + 2`` layers with weights.
    """

    handler = "cnn_core.lab.insight:train_deeply"
    blocks: int
    skip: bool
    steps: int


@dataclass(frozen=True)
class PrepareTraining(Request):
    """Import what a training needs. Answers None."""

    handler = "cnn_core.lab.train:prepare"


@dataclass(frozen=True)
class TrainRequest(Request):
    """Train a run that stands on disk; everything is written there. Answers None.

    Attributes
    ----------
    run : its id.
    resume : go on from its last whole epoch.
    """

    handler = "cnn_core.lab.train:train_run"
    run: str
    resume: bool = False
