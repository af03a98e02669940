"""The famous networks: Keras and NumPy agree on every layer, and any unit can be taken apart."""

import keras
import numpy as np
import pytest

from cnn_core.data.mnist import load_mnist
from cnn_core.networks.architectures import build
from cnn_core.networks.families import FAMILIES
from cnn_core.networks.keras_model import load_model, weights_of
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.activations import ActivationProbe
from cnn_core.probe.arithmetic import explain_unit
from cnn_core.probe.reference import reference_trace
from cnn_core.training.config import TrainingConfig
from cnn_core.training.dissection import Dissector
from cnn_core.training.skips import train_deep
from cnn_core.training.trainer import losses_of
from tests.core.close import assert_same_output

IMAGE = np.divide(load_mnist().x_test[30, ..., None], 255, dtype=np.float32)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_unit_is_explained_as_keras_computed_it(name: str) -> None:
    network = open_network(name)
    trace = ActivationProbe(load_model(network.last)).trace(IMAGE)
    reference = reference_trace(network.graph, weights_at(network.last), IMAGE)
    rng = np.random.default_rng(7)
    for layer, expected in zip(trace, reference, strict=True):
        assert_same_output(layer.output, expected.output)
        for _ in range(3):
            index = tuple(int(rng.integers(size)) for size in layer.output.shape)
            why = explain_unit(trace, layer.name, index)
            assert why.network_value == layer.output[index]
            size = float(np.abs(why.terms).sum())
            assert why.error <= 1e-5 * size + 1e-6, (layer.name, index)


def test_taking_a_step_apart_leaves_a_normalised_network_as_it_was() -> None:
    model = build("resnet_mini")
    before = weights_of(model)
    dissector = Dissector(model, losses_of(TrainingConfig()))
    images, labels = np.repeat(IMAGE[None], 8, axis=0), np.full(8, 3, np.uint8)
    norms, dead = dissector.sample(images, labels)
    for layer, named in weights_of(model).items():
        for weight, array in named.items():
            np.testing.assert_array_equal(array, before[layer][weight], err_msg=f"{layer}/{weight}")
    assert norms["stem_conv"] > 0
    assert "stem_relu" in dead


def test_with_and_without_skips_the_same_batches_are_seen() -> None:
    shares: list[float] = []
    with_skips, without = (train_deep(1, skip, 24, shares.append) for skip in (True, False))
    assert len(with_skips.losses) == len(without.losses) == 24
    assert with_skips.losses[-6:].mean() < 0.9 * with_skips.losses[0]
    assert shares[23] == shares[-1] == 1
    # One convolution more a stage that changes its size: those of the skips.
    assert len(with_skips.before) == len(without.before) + 2
    again = train_deep(1, True, 4, shares.append)
    np.testing.assert_array_equal(again.losses, with_skips.losses[:4])


def test_a_gradient_norm_is_kerass_own() -> None:
    """The first of `train_deep`'s norms, against a plain tape."""
    import tensorflow as tf

    found = train_deep(1, True, 1, lambda share: None).before
    keras.utils.set_random_seed(1)
    model = build("resnet_mini", width=8)
    mnist = load_mnist()
    images = np.divide(mnist.x_train[-64:, ..., None], 255, dtype=np.float32)
    with tf.GradientTape() as tape:
        answers = model(images, training=True)
        loss = tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(mnist.y_train[-64:], answers)
        )
    kernel = model.get_layer("stem_conv").kernel
    assert found["stem_conv"] == pytest.approx(
        float(tf.norm(tape.gradient(loss, kernel.value))), rel=1e-4
    )
