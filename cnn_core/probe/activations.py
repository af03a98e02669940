"""Every layer's output and pre-activation from one compiled call."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cnn_core.networks.graph import Graph
from cnn_core.networks.keras_model import LayerCall, calls_of, graph_of
from cnn_core.networks.zoo import check_fits
from cnn_core.probe.trace import LayerTrace, Trace

# Keras layers that end by applying their `activation`.
_FUSED = (
    keras.layers.Dense,
    keras.layers.EinsumDense,
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)
# Keras layers that are nothing but an activation.
_ACTIVATIONS = (
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.ELU,
    keras.layers.Softmax,
)


class ActivationProbe:
    """Reads all layers of a Keras image classifier at once.

    Works for Sequential and Functional models of one input and one output, branches and merges
    included. Built once, it follows the model: weights assigned later count from the next trace
    on, and nothing is compiled again.

    Parameters
    ----------
    model : a built Sequential or Functional model.

    Raises
    ------
    WrongInput : the model has no graph, or several inputs or outputs.

    Examples
    --------
    >>> from cnn_core import ActivationProbe, build, load_mnist
    >>> digit = load_mnist().x_test[0] / 255
    >>> trace = ActivationProbe(build("classic")).trace(digit)
    >>> trace["conv_1"].output.shape
    (26, 26, 32)
    """

    def __init__(self, model: keras.Model) -> None:
        self._calls = tuple(calls_of(model))
        self.graph: Graph = graph_of(model)
        signature = tf.TensorSpec((1, *self.graph.input.output_shape), tf.float32)
        self._run = tf.function(self._forward, input_signature=[signature], autograph=False)
        self.compilations = 0

    def trace(self, pixels: NDArray) -> Trace:
        """What every layer makes of one image.

        Parameters
        ----------
        pixels : `(H, W, C)`, or `(H, W)` for one channel, in the network's value range.

        Raises
        ------
        WrongInput : the image has another shape than the model's input.
        """
        image = np.asarray(pixels, np.float32)
        if image.ndim == 2:
            image = image[..., None]  # (H, W) -> (H, W, 1)
        check_fits(image.shape, self.graph.input.output_shape)
        outputs, before, weights = self._run(tf.constant(image[None]))
        return Trace(
            tuple(
                LayerTrace(
                    spec,
                    outputs[spec.name].numpy()[0],
                    before[spec.name].numpy()[0] if spec.name in before else None,
                    {name: weight.numpy() for name, weight in weights[spec.name].items()},
                )
                for spec in self.graph
            ),
            engine="keras",
        )

    def _forward(self, image: tf.Tensor) -> tuple[dict, dict, dict]:
        """Outputs, pre-activations and weights by layer; traced by TensorFlow once."""
        self.compilations += 1
        outputs: dict[str, tf.Tensor] = {}
        before: dict[str, tf.Tensor] = {}
        weights: dict[str, dict[str, tf.Tensor]] = {}
        symbols: dict[int, tf.Tensor] = {}  # id of a symbolic tensor -> its value
        for call in self._calls:
            value, given = (image, None) if call.node.is_input else run_call(call, symbols)
            outputs[call.name] = value
            symbols[id(call.node.outputs[0])] = value
            if given is not None:
                before[call.name] = given
            weights[call.name] = {
                weight.name: tf.convert_to_tensor(weight.value)
                for weight in getattr(call.operation, "weights", ())
            }
        return outputs, before, weights


def run_call(call: LayerCall, symbols: dict[int, tf.Tensor]) -> tuple[tf.Tensor, Any]:
    """Output of one call, and what its activation was given (None if it applies none)."""
    layer = call.operation
    args, kwargs = call.node.arguments.fill_in(symbols)
    if isinstance(layer, _ACTIVATIONS):
        return layer(*args, **kwargs), args[0]
    activation = getattr(layer, "activation", None)
    if not isinstance(layer, _FUSED) or activation in (None, keras.activations.linear):
        return layer(*args, **kwargs), None
    # A twin that shares the layer's variables and stops before the activation.
    twin = object.__new__(type(layer))  # copy.copy would save and load the layer
    twin.__dict__.update(layer.__dict__, activation=None)
    given = twin.call(*args, **kwargs)
    return activation(given), given
