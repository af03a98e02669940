"""One step taken apart: forward, loss, gradient. The update is the fit's own."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cnn_core.networks.film import Weights
from cnn_core.networks.keras_model import weights_of
from cnn_core.training.events import Dissection

Losses = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class Dissector:
    """Computes what a fit keeps to itself, on any batch, with the model's present weights.

    Parameters
    ----------
    model : stays as it is.
    losses : each digit's loss, from labels and answers.
    """

    def __init__(self, model: keras.Model, losses: Losses) -> None:
        self._model, self._losses = model, losses
        self._rectified = [
            layer
            for layer in model.layers
            if getattr(layer, "activation", None) is keras.activations.relu
            or isinstance(layer, keras.layers.ReLU)
        ]
        rectified = [layer.output for layer in self._rectified]
        # A dictionary: of a list of one output Keras makes a tensor.
        self._outputs = keras.Model(
            model.inputs, {"answers": model.outputs[0], "rectified": rectified}
        )
        self._run = tf.function(self._compute, reduce_retracing=True)

    def _compute(self, images: tf.Tensor, labels: tf.Tensor) -> tuple:
        # A forward pass in training moves the means of normalisations and the state of dropouts.
        state = [variable.value for variable in self._model.non_trainable_variables]
        kept = [tf.identity(value) for value in state]
        with tf.GradientTape() as tape:
            outputs = self._outputs(images, training=True)
            answers, rectified = outputs["answers"], outputs["rectified"]
            losses = self._losses(labels, answers)
            loss = tf.reduce_mean(losses)
        variables = [variable.value for variable in self._model.trainable_variables]
        gradients = tape.gradient(loss, variables)
        for variable, value in zip(state, kept, strict=True):
            variable.assign(value)
        return answers, losses, gradients, rectified

    def dissect(
        self, step: int, images: NDArray[np.float32], labels: NDArray[np.uint8]
    ) -> Dissection:
        """The batch's forward pass, its losses and its gradients; nothing is changed."""
        answers, losses, gradients, _ = self._run(tf.constant(images), tf.constant(labels))
        return Dissection(
            step,
            images,
            labels,
            answers.numpy(),
            losses.numpy(),
            weights_of(self._model),
            self._named(gradients),
        )

    def sample(
        self, images: NDArray[np.float32], labels: NDArray[np.uint8]
    ) -> tuple[dict[str, float], dict[str, float]]:
        """By layer: the norm of the loss's gradient; the share of ReLU units (of a convolution:
        maps) that are 0 for all of the images."""
        _, _, gradients, rectified = self._run(tf.constant(images), tf.constant(labels))
        norms = {
            layer: float(np.sqrt(sum(np.sum(np.square(array)) for array in named.values())))
            for layer, named in self._named(gradients).items()
        }
        dead = {
            layer.name: float(np.mean(~output.numpy().reshape(-1, output.shape[-1]).any(axis=0)))
            for layer, output in zip(self._rectified, rectified, strict=True)
        }
        return norms, dead

    def _named(self, gradients: list[tf.Tensor]) -> Weights:
        """Gradients by layer and weight."""
        by_variable = dict(zip(map(id, self._model.trainable_variables), gradients, strict=True))
        return {
            layer.name: {
                weight.name: by_variable[id(weight)].numpy() for weight in layer.trainable_weights
            }
            for layer in self._model.layers
            if layer.trainable_weights
        }
