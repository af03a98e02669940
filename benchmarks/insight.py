"""Reasons and lesions: six attributions beside one gradient, a count beside predict."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from benchmarks.measure import interleaved, report
from cnn_core.data.mnist import load_mnist
from cnn_core.insight.attribution import Attributor
from cnn_core.insight.evaluation import evaluation_of
from cnn_core.lab.insight import batches_of_digits
from cnn_core.networks.keras_model import load_model
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network

ROUNDS = 15


def attributions() -> None:
    network = open_network("classic")
    model = load_model(network.last)
    attributor = Attributor(model)
    image = network.card.fit_all(load_mnist().x_test[30:31])[0]

    def eager() -> tf.Tensor:
        x = tf.constant(image[None])
        with tf.GradientTape() as tape:
            tape.watch(x)
            share = model(x)[0, 3]
        return tape.gradient(share, x)

    report(
        "One digit, warm",
        interleaved(
            {
                "one eager gradient": eager,
                "all six attributions": lambda: attributor.explain(image, 3, "conv_3"),
            },
            ROUNDS,
        ),
        "one eager gradient",
    )


def evaluations() -> None:
    network = open_network("classic")
    ref = NetworkRef("classic", network.last.step, (("conv_1", 3), ("conv_2", 10)))
    plain, lesioned = load_model(network.last), load_model(ref)
    mnist = load_mnist()
    images = np.divide(mnist.x_test[..., None], 255, dtype=np.float32)
    report(
        "The 10,000 test digits",
        interleaved(
            {
                "plain model.predict": lambda: plain.predict(images, verbose=0),
                "evaluated, scores by class": lambda: evaluation_of(
                    plain, batches_of_digits(network.last), mnist.y_test
                ),
                "evaluated without two units": lambda: evaluation_of(
                    lesioned, batches_of_digits(ref), mnist.y_test
                ),
            },
            5,
        ),
        "plain model.predict",
    )


def main() -> None:
    attributions()
    evaluations()


if __name__ == "__main__":
    main()
