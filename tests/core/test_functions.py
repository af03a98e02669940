"""Activation functions and their slopes against Keras and its gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnn_core.probe.functions import FUNCTIONS, slope

ONE_BY_ONE = sorted(set(FUNCTIONS) - {"softmax"})
X = np.array([-7, -3.2, -2, -1, -0.5, -1e-3, 0, 1e-3, 0.5, 1, 2, 2.9, 7])


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_values_and_slopes_are_those_of_keras_also_at_the_kink(name: str) -> None:
    x = tf.Variable(X)
    with tf.GradientTape() as tape:
        y = keras.activations.get(name)(x.value())
    np.testing.assert_allclose(FUNCTIONS[name](X), y.numpy(), atol=1e-6)
    np.testing.assert_allclose(slope(name, X), tape.gradient(y, x).numpy(), atol=1e-5, rtol=1e-5)
