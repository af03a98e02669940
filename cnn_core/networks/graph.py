"""A network as plain data: its layers in order, their settings and shapes. Needs no Keras."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from math import prod
from typing import Any

from cnn_core.errors import UnknownLayer

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LayerSpec:
    """One layer of a network.

    Attributes
    ----------
    name : unique in its network; the second use of a layer is called ``name:2``.
    kind : the Keras class, e.g. ``"Conv2D"``.
    inputs : names of the layers it reads, in order; empty for an input layer.
    config : the Keras configuration (numbers, strings, lists).
    output_shape : without the batch axis, e.g. ``(26, 26, 32)``.
    weights : shape of each weight by name, e.g. ``{"kernel": (3, 3, 1, 32), "bias": (32,)}``.
    trainable : names of the weights that training changes.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    config: Mapping[str, Any]
    output_shape: Shape
    weights: Mapping[str, Shape]
    trainable: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """The layer that holds the weights: `name`, without what marks a second use."""
        return self.name.partition(":")[0]

    @property
    def parameter_count(self) -> int:
        """How many numbers the layer holds, learned or not."""
        return sum(prod(shape) for shape in self.weights.values())


@dataclass(frozen=True)
class Graph:
    """Layers such that each stands after those it reads. The last one is the output."""

    layers: tuple[LayerSpec, ...]

    def __iter__(self) -> Iterator[LayerSpec]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> LayerSpec:
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownLayer(
                f"There is no layer {name!r} in this network. Its layers: "
                f"{', '.join(layer.name for layer in self.layers)}."
            ) from None

    @cached_property
    def _by_name(self) -> dict[str, LayerSpec]:
        return {layer.name: layer for layer in self.layers}

    @property
    def input(self) -> LayerSpec:
        return self.layers[0]

    @property
    def output(self) -> LayerSpec:
        return self.layers[-1]

    @property
    def parameter_count(self) -> int:
        """How many numbers the network holds; a layer used twice counts once."""
        return sum({layer.owner: layer.parameter_count for layer in self.layers}.values())

    def input_shapes(self, layer: LayerSpec) -> tuple[Shape, ...]:
        """Output shapes of the layers that `layer` reads, in order."""
        return tuple(self[name].output_shape for name in layer.inputs)

    def to_json(self) -> list[dict[str, Any]]:
        """A list of plain dictionaries, one a layer."""
        return [asdict(layer) for layer in self.layers]

    @classmethod
    def from_json(cls, layers: list[dict[str, Any]]) -> "Graph":
        """The inverse of `to_json`."""
        return cls(
            tuple(
                LayerSpec(
                    name=layer["name"],
                    kind=layer["kind"],
                    inputs=tuple(layer["inputs"]),
                    config=layer["config"],
                    output_shape=tuple(layer["output_shape"]),
                    weights={name: tuple(shape) for name, shape in layer["weights"].items()},
                    trainable=tuple(layer["trainable"]),
                )
                for layer in layers
            )
        )
