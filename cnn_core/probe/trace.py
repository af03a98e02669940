"""What every layer of a network made of one image: plain arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.errors import UnknownLayer
from cnn_core.networks.film import Weights
from cnn_core.networks.graph import Graph, LayerSpec

Array = NDArray[np.float32]


@dataclass(frozen=True)
class LayerTrace:
    """One layer's part in a trace.

    Attributes
    ----------
    spec : the layer's place in the graph.
    output : float32, without the batch axis; feature maps are ``(height, width, channels)``.
    pre_activation : what the layer's activation was given, same shape as `output`; None for a
        layer that applies none.
    weights : the layer's weights by name, at the moment of the trace.
    """

    spec: LayerSpec
    output: Array
    pre_activation: Array | None = None
    weights: Mapping[str, Array] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def kind(self) -> str:
        """The Keras class, e.g. ``"Conv2D"``."""
        return self.spec.kind

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the layers that this one reads."""
        return self.spec.inputs

    @property
    def config(self) -> Mapping[str, Any]:
        """The layer's Keras configuration."""
        return self.spec.config


@dataclass(frozen=True)
class Trace:
    """Every layer's tensors for one image, in the order of the graph.

    Attributes
    ----------
    layers : from the input to the output.
    engine : who computed it: ``"keras"`` or ``"numpy"``.
    """

    layers: tuple[LayerTrace, ...]
    engine: str

    def __iter__(self) -> Iterator[LayerTrace]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> LayerTrace:
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownLayer(
                f"There is no layer {name!r} in this trace. Its layers: "
                f"{', '.join(layer.name for layer in self.layers)}."
            ) from None

    @cached_property
    def _by_name(self) -> dict[str, LayerTrace]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def graph(self) -> Graph:
        return Graph(tuple(layer.spec for layer in self.layers))

    @property
    def output(self) -> Array:
        """The network's answer, e.g. ten probabilities ``(10,)``."""
        return self.layers[-1].output

    def inputs_of(self, layer: LayerTrace) -> tuple[Array, ...]:
        """Outputs of the layers that `layer` reads, in order."""
        return tuple(self[name].output for name in layer.inputs)

    def with_weights(self, weights: Weights) -> "Trace":
        """The same trace, each layer holding its own of `weights`."""
        return replace(
            self,
            layers=tuple(
                replace(layer, weights=weights.get(layer.spec.owner, {})) for layer in self.layers
            ),
        )
