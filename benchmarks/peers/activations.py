"""All layers of one digit as NumPy arrays: the probe, Keras's other ways, PyTorch's hooks.

    python -m benchmarks.peers.activations

The probe gives every pre-activation and weight as well; the others give outputs only.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.peers.command import check_same, is_here, left_out, run, versions_of, within
from benchmarks.peers.figures import Findings, compared
from benchmarks.peers.in_turn import in_turn, timed
from benchmarks.peers.keras_side import kernels_and_biases
from benchmarks.peers.torch_side.client import TorchSide, by_threads, quicker
from cnn_core.data.digit import mnist_digit
from cnn_core.networks.keras_model import load_model
from cnn_core.networks.zoo import open_network
from cnn_core.probe.activations import ActivationProbe

ROUNDS, CALLS = 20, 10  # of the quick ways
SLOW = 5  # rounds of the others
OURS = "`ActivationProbe.trace`"
HOOKS = "PyTorch eager, forward hooks"

Outputs = dict[str, NDArray]
"""By layer, without batch axis."""


def keras_ways(model: keras.Model, image: NDArray) -> dict[str, Callable[[], Outputs]]:
    """Everything that Keras itself offers, the usual recipe last."""
    names = [layer.name for layer in model.layers]
    every = keras.Model(model.inputs[0], [layer.output for layer in model.layers])
    each = {layer.name: keras.Model(model.inputs[0], layer.output) for layer in model.layers}

    def first(outputs: list) -> Outputs:
        return {name: np.asarray(out)[0] for name, out in zip(names, outputs, strict=True)}

    def loop() -> Outputs:
        x = tf.constant(image)
        outputs = [x]
        for layer in model.layers[1:]:  # the first is the input
            x = layer(x)
            outputs.append(x)
        return first(outputs)

    return {
        "one `Model` of all outputs, `predict_on_batch`": lambda: first(
            every.predict_on_batch(image)
        ),
        "the same, called eagerly": lambda: first(every(image)),
        "a loop over `model.layers`, eager": loop,
        "one `Model` of all outputs, `predict`": lambda: first(every.predict(image, verbose=0)),
        "a `Model` a layer, `predict` each": lambda: {
            name: one.predict(image, verbose=0)[0] for name, one in each.items()
        },
    }


def compare() -> Findings:
    network = open_network("classic")
    model = load_model(network.last)
    image = network.card.fit(mnist_digit(30).pixels)[None]
    probe = ActivationProbe(model)
    ours = {layer.name: layer.output for layer in probe.trace(image[0])}
    ways = keras_ways(model, image)
    worst = max(
        check_same(f"{name}, {way}", output, ours[name])
        for way, look in ways.items()
        for name, output in look().items()
    )
    *quick, with_predict, usual = ways
    first = {OURS: timed(lambda: probe.trace(image[0]))}
    others = {name: timed(look) for name, look in ways.items()}
    slow = {**first, with_predict: others[with_predict], usual: others[usual]}
    in_little = {**first, **{name: others[name] for name in quick}}
    with ExitStack() as stack:
        if is_here("PyTorch"):
            torch = stack.enter_context(TorchSide())
            torch.ask("look_at", kernels_and_biases(model), image[0])
            torch.ask("hook")
            for name, output in torch.ask("activations").items():
                worst = max(worst, check_same(f"{name}, PyTorch", output, ours[name]))
            for name, threads in by_threads(HOOKS).items():
                in_little[name] = partial(torch.ask_with, threads, "time_activations")
        quickly = quicker(HOOKS, in_turn(in_little, ROUNDS, CALLS))
    return Findings(
        (
            compared("all layers of one digit", quickly, ROUNDS * CALLS),
            compared("the same, by `predict`", in_turn(slow, SLOW), SLOW),
        ),
        f"Activations: all ways agree {within(worst)}. "
        "The probe’s time includes pre-activations and weights, which the others leave out.",
        left_out("PyTorch"),
        versions_of("TensorFlow", "Keras", "PyTorch"),
    )


if __name__ == "__main__":
    run(compare)
