"""Between Keras models and ConvScope's plain graphs and weights."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from cnn_core.errors import WrongInput
from cnn_core.networks.film import Weights
from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at


@dataclass(frozen=True)
class LayerCall:
    """One use of a layer in a model. A layer used twice has two calls, ``name`` and ``name:2``."""

    name: str
    operation: Any  # a keras.layers.Layer, or a keras.Operation such as ``x + y``
    node: Any  # the Keras node: its `arguments`, `input_tensors` and `outputs`
    inputs: tuple[str, ...]


def calls_of(model: keras.Model) -> Iterator[LayerCall]:
    """The calls of a Sequential or Functional model, each after those it reads.

    Raises
    ------
    WrongInput : the model has no graph (subclassed, or not built), or several inputs or outputs.
    """
    functional = getattr(model, "_functional", None) or model
    nodes_by_depth = getattr(functional, "_nodes_by_depth", None)
    if nodes_by_depth is None:
        raise WrongInput(
            f"{model.name!r} has no layer graph: expected a built Sequential or Functional model, "
            f"received {type(model).__name__}."
        )
    if len(functional.inputs) != 1 or len(functional.outputs) != 1:
        raise WrongInput(
            f"Expected a model of one input and one output, received {len(functional.inputs)} "
            f"inputs and {len(functional.outputs)} outputs ({model.name!r})."
        )
    made_by: dict[int, str] = {}  # id of a symbolic tensor -> name of the call that made it
    used: dict[str, int] = {}
    # The output's own chain stands last: depths fall towards it.
    for depth in sorted(nodes_by_depth, reverse=True):
        for node in nodes_by_depth[depth]:
            layer = node.operation
            used[layer.name] = used.get(layer.name, 0) + 1
            name = layer.name if used[layer.name] == 1 else f"{layer.name}:{used[layer.name]}"
            inputs = tuple(made_by[id(tensor)] for tensor in node.input_tensors)
            for tensor in node.outputs:
                made_by[id(tensor)] = name
            yield LayerCall(name, layer, node, inputs)


def graph_of(model: keras.Model) -> Graph:
    """The graph of a built Sequential or Functional model with one input and one output."""
    return Graph(tuple(_spec(call) for call in calls_of(model)))


def _spec(call: LayerCall) -> LayerSpec:
    layer = call.operation
    is_layer = isinstance(layer, keras.layers.Layer)
    weights = layer.weights if is_layer else []
    return LayerSpec(
        name=call.name,
        kind=type(layer).__name__,
        inputs=call.inputs,
        config=keras.saving.serialize_keras_object(layer)["config"] if is_layer else {},
        output_shape=tuple(call.node.outputs[0].shape[1:]),
        weights={weight.name: tuple(weight.shape) for weight in weights},
        trainable=tuple(weight.name for weight in weights if weight.trainable),
    )


def model_of(graph: Graph, name: str = "network") -> keras.Model:
    """A new Keras model of that graph, with random weights."""
    tensors: dict[str, keras.KerasTensor] = {}
    layers: dict[str, keras.layers.Layer] = {}
    for spec in graph:
        if spec.kind == "InputLayer":
            tensors[spec.name] = keras.Input(spec.output_shape, name=spec.name)
            continue
        if spec.owner not in layers:
            layers[spec.owner] = keras.layers.deserialize(
                {"module": "keras.layers", "class_name": spec.kind, "config": dict(spec.config)}
            )
        inputs = [tensors[source] for source in spec.inputs]
        tensors[spec.name] = layers[spec.owner](inputs[0] if len(inputs) == 1 else inputs)
    return keras.Model(tensors[graph.input.name], tensors[graph.output.name], name=name)


def weights_of(model: keras.Model) -> Weights:
    """A copy of the model's weights, by layer and name."""
    return {
        layer.name: {
            weight.name: np.array(keras.ops.convert_to_numpy(weight)) for weight in layer.weights
        }
        for layer in model.layers
        if layer.weights
    }


def assign_weights(model: keras.Model, weights: Weights) -> None:
    """Put `weights` into a model of the same graph."""
    for layer in model.layers:
        for weight in layer.weights:
            weight.assign(weights[layer.name][weight.name])


def load_model(ref: NetworkRef) -> keras.Model:
    """The Keras model of a network at a moment.

    Raises
    ------
    UnknownNetwork, UnknownStep : there is no such network, or no such frame.
    BadLesion : there are no such units to be switched off.
    """
    network = open_network(ref.id)
    model = model_of(network.graph, network.id)
    assign_weights(model, weights_at(ref))
    return model
