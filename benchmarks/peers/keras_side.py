"""What the others need to know of a Keras model, as plain arrays."""

import keras

from benchmarks.peers.torch_side.client import KerasWeights


def kernels_and_biases(model: keras.Model) -> KerasWeights:
    return {layer.name: tuple(layer.get_weights()) for layer in model.layers if layer.get_weights()}
