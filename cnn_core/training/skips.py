"""Why skips work: one deep network with them and without, trained on the same batches."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from cnn_core.data.mnist import load_mnist
from cnn_core.networks.architectures import resnet_mini
from cnn_core.training.batches import Batches, as_input
from cnn_core.training.config import TrainingConfig
from cnn_core.training.dissection import Dissector
from cnn_core.training.events import DeepTraining
from cnn_core.training.trainer import losses_of

WIDTH = 8  # filters of the first stage: many layers, and still quick
_PROBE = 64  # images on which gradients are taken
_TESTED = 1_000


def train_deep(
    blocks: int, skip: bool, steps: int, progress: Callable[[float], None], seed: int = 1
) -> DeepTraining:
    """Train a network of ``6 · blocks + 2`` layers for some steps of the course's recipe.

    Parameters
    ----------
    skip : with skips; without them the layers, the seed and the batches are the same.
    """
    keras.utils.set_random_seed(seed)
    config = TrainingConfig(seed=seed)
    model = resnet_mini(blocks, WIDTH, skip)
    mnist = load_mnist()
    batches = Batches(mnist.x_train, mnist.y_train, config)
    probe = as_input(mnist.x_train[-_PROBE:]), mnist.y_train[-_PROBE:]
    losses_by_image = losses_of(config)
    optimizer = keras.optimizers.Adam(config.learning_rate)
    optimizer.build(model.trainable_variables)
    dissector = Dissector(model, losses_by_image)

    @tf.function
    def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(losses_by_image(labels, model(images, training=True)))
        variables = [variable.value for variable in model.trainable_variables]
        optimizer.apply(tape.gradient(loss, variables), model.trainable_variables)
        return loss

    def norms() -> dict[str, float]:
        return {name: norm for name, norm in dissector.sample(*probe)[0].items() if "conv" in name}

    before, losses = norms(), []
    for k in range(steps):
        images, labels = batches.batch(0, k)
        losses.append(float(step(tf.constant(images), tf.constant(labels))))
        progress((k + 1) / steps)
    tested = as_input(mnist.x_test[:_TESTED])
    # By their own mean and variance: after so few steps the running ones lag far behind.
    answers = keras.ops.convert_to_numpy(model(tested, training=True)).argmax(axis=1)
    right = float(np.mean(answers == mnist.y_test[:_TESTED]))
    return DeepTraining(before, norms(), np.array(losses), right, _TESTED)
