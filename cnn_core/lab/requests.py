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


@dataclass(frozen=True)
class AccuracyRequest(Request):
    """The share of MNIST's 10,000 test digits that a network classifies right. Answers a float."""

    handler = "cnn_core.lab.handlers:accuracy"
    ref: NetworkRef


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
