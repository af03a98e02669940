"""The branched network of the core's tests, run by Keras in a worker of the lab."""

from typing import ClassVar

import numpy as np

from cnn_core.lab.requests import Progress, Request
from cnn_core.probe.trace import Trace


class BranchedTrace(Request):
    """A trace of the branched network on a random image, with random weights, by Keras."""

    handler: ClassVar[str] = "tests.browser.branched_network:branched_trace"


def branched_trace(request: BranchedTrace, progress: Progress) -> Trace:
    import keras

    from cnn_core.probe.activations import ActivationProbe
    from tests.core.branched import branched

    keras.utils.set_random_seed(7)
    model = branched()
    rng = np.random.default_rng(7)
    for weight in model.weights:  # also those that start at 0 or 1
        weight.assign(rng.uniform(0.2, 1.0, weight.shape) * rng.choice([-1, 1], weight.shape))
    for layer in model.layers:
        if hasattr(layer, "moving_variance"):
            layer.moving_variance.assign(rng.uniform(0.5, 2.0, layer.moving_variance.shape))
    return ActivationProbe(model).trace(rng.uniform(0, 1, (12, 12, 2)))
