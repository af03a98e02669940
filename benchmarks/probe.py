"""One probe call against a hand-written `tf.function`, and against `predict` layer by layer.

All three give NumPy arrays of every layer's output; the first two of every pre-activation too.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from benchmarks.measure import interleaved, report
from cnn_core.data.digit import mnist_digit
from cnn_core.networks.keras_model import load_model
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.activations import ActivationProbe
from cnn_core.probe.reference import reference_trace


def hand_written(model: keras.Model):
    """What one would write for `classic` and nothing else."""
    layer = model.get_layer
    k1, b1 = layer("conv_1").weights
    k2, b2 = layer("conv_2").weights
    k3, b3 = layer("conv_3").weights
    k4, b4 = layer("dense_1").weights
    k5, b5 = layer("output").weights

    @tf.function(input_signature=[tf.TensorSpec((1, 28, 28, 1), tf.float32)], autograph=False)
    def run(image: tf.Tensor):
        z1 = tf.nn.bias_add(tf.nn.conv2d(image, k1.value, 1, "VALID"), b1.value)
        a1 = tf.nn.relu(z1)
        p1 = tf.nn.max_pool2d(a1, 2, 2, "VALID")
        z2 = tf.nn.bias_add(tf.nn.conv2d(p1, k2.value, 1, "VALID"), b2.value)
        a2 = tf.nn.relu(z2)
        p2 = tf.nn.max_pool2d(a2, 2, 2, "VALID")
        z3 = tf.nn.bias_add(tf.nn.conv2d(p2, k3.value, 1, "VALID"), b3.value)
        a3 = tf.nn.relu(z3)
        flat = tf.reshape(a3, (1, -1))
        z4 = flat @ k4.value + b4.value
        a4 = tf.nn.relu(z4)
        z5 = a4 @ k5.value + b5.value
        return image, z1, a1, p1, z2, a2, p2, z3, a3, flat, z4, a4, z5, tf.nn.softmax(z5)

    return run


def main() -> None:
    network = open_network("classic")
    model = load_model(network.last)
    pixels = network.card.fit(mnist_digit(30).pixels)
    probe, by_hand = ActivationProbe(model), hand_written(model)
    np.testing.assert_allclose(
        by_hand(tf.constant(pixels[None]))[-1][0], probe.trace(pixels).output, atol=1e-6
    )
    ways = {
        "hand-written tf.function": lambda: [
            tensor.numpy()[0] for tensor in by_hand(tf.constant(pixels[None]))
        ],
        "ActivationProbe.trace (weights included)": lambda: probe.trace(pixels),
        "reference_trace (NumPy)": lambda: reference_trace(
            network.graph, weights_at(network.last), pixels
        ),
    }
    report("All layers of one digit, classic", interleaved(ways, 400), next(iter(ways)))
    layers = [keras.Model(model.inputs, layer.output) for layer in model.layers]
    slow = {
        "ActivationProbe.trace (weights included)": lambda: probe.trace(pixels),
        "Model(...).predict, a model a layer": lambda: [
            each.predict(pixels[None], verbose=0) for each in layers
        ],
    }
    report("Against predict", interleaved(slow, 5), next(iter(slow)))


if __name__ == "__main__":
    main()
