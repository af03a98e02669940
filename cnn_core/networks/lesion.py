"""Units switched off. Needs no Keras.

A lesion is a change of weights: what a unit is computed from becomes 0, so that it gives exactly
0 to everything that reads it. Keras, the NumPy reference and the browser's arithmetic all take
the same weights, and so agree about a lesioned network as they do about a whole one.
"""

import re
from collections.abc import Iterable

import numpy as np

from cnn_core.errors import BadLesion, UnknownLayer
from cnn_core.networks.film import Weights
from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.networks.ref import Lesion

_LONGEST_TEXT = 2_000
_MOST_UNITS = 100_000
_SWITCHABLE = ("Conv2D", "DepthwiseConv2D", "Dense")
# f(0) = 0, so that a pre-activation of 0 stays 0.
_KEEP_ZERO = (
    "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "tanh",
    "softsign",
)  # fmt: skip
# Layers that give 0 where they read 0, channel by channel.
_CHANNELWISE = (
    "Dropout", "SpatialDropout2D", "GaussianNoise", "MaxPooling2D", "AveragePooling2D",
    "GlobalAveragePooling2D", "ZeroPadding2D", "ReLU", "LeakyReLU", "ELU", "Activation", "Softmax",
)  # fmt: skip


def switchable(graph: Graph) -> dict[str, int]:
    """The layers whose units can be switched off, with how many each has."""
    return {
        spec.name: spec.output_shape[-1]
        for spec in graph
        if spec.name == spec.owner and _why_not(graph, spec) is None
    }


def check_lesion(graph: Graph, lesion: Iterable[tuple[str, int]]) -> Lesion:
    """The lesion in order, each unit once.

    Raises
    ------
    BadLesion : a layer or unit that the network lacks, or that cannot be switched off.
    """
    for layer, unit in lesion:
        try:
            spec = graph[layer]
        except UnknownLayer as error:
            raise BadLesion(str(error)) from error
        reason = _why_not(graph, spec)
        if reason is not None:
            raise BadLesion(f"Units of {layer} cannot be switched off: {reason}.")
        if not 0 <= unit < spec.output_shape[-1]:
            raise BadLesion(
                f"{layer} has units 0 to {spec.output_shape[-1] - 1}. Received: {unit}."
            )
    order = {spec.name: position for position, spec in enumerate(graph)}
    return tuple(sorted(set(lesion), key=lambda at: (order[at[0]], at[1])))


def silenced_with(graph: Graph, layer: str) -> tuple[str, ...]:
    """The layer itself, and the normalisations that would make something else of its zeros."""
    return (layer, *(spec.name for spec in _followers(graph, layer) if _normalises(spec)))


def lesioned(graph: Graph, weights: Weights, lesion: Lesion) -> Weights:
    """The weights of the network without those units: shared with `weights` where unchanged."""
    changed = dict(weights)
    by_layer: dict[str, list[int]] = {}
    for layer, unit in lesion:
        by_layer.setdefault(layer, []).append(unit)
    for layer, units in by_layer.items():
        for name in silenced_with(graph, layer):
            spec = graph[name]
            # Variance stays: it only scales what is 0 now.
            changed[spec.owner] = {
                weight: array if weight == "moving_variance" else _without(spec, array, units)
                for weight, array in changed[spec.owner].items()
            }
    return changed


def lesion_text(lesion: Lesion) -> str:
    """For a link: ``conv_1:3,5-7;dense_1:0``."""
    parts: dict[str, list[str]] = {}
    runs: list[tuple[str, int, int]] = []
    for layer, unit in lesion:
        if runs and runs[-1][0] == layer and runs[-1][2] == unit - 1:
            runs[-1] = (layer, runs[-1][1], unit)
        else:
            runs.append((layer, unit, unit))
    for layer, first, last in runs:
        parts.setdefault(layer, []).append(f"{first}" if first == last else f"{first}-{last}")
    return ";".join(f"{layer}:{','.join(units)}" for layer, units in parts.items())


def lesion_from_text(graph: Graph, text: str) -> Lesion:
    """The lesion that `lesion_text` wrote.

    Raises
    ------
    BadLesion : the text is no such thing, or the network lacks what it names.
    """
    if not text:
        return ()
    units: list[tuple[str, int]] = []
    for part in text[: _LONGEST_TEXT + 1].split(";"):
        layer, colon, numbers = part.rpartition(":")
        ranges = re.findall(r"(\d{1,5})(?:-(\d{1,5}))?(?:,|$)", numbers, re.ASCII)
        written = ",".join(f"{first}-{last}" if last else first for first, last in ranges)
        if not colon or not numbers or written != numbers or len(text) > _LONGEST_TEXT:
            raise BadLesion(f"The units that are off cannot be read: {text[:40]!r}.")
        for first, last in ranges:
            if len(units) + int(last or first) - int(first) >= _MOST_UNITS:
                raise BadLesion(f"More units are named than any network has: {text[:40]!r}.")
            units += [(layer, unit) for unit in range(int(first), int(last or first) + 1)]
    return check_lesion(graph, units)


def _without(spec: LayerSpec, array: np.ndarray, units: list[int]) -> np.ndarray:
    """One weight with what belongs to those units at 0."""
    changed = array.copy()
    if spec.kind == "DepthwiseConv2D" and array.ndim == 4:
        multiplier = array.shape[3]  # unit = channel · multiplier + copy
        for unit in units:
            changed[:, :, unit // multiplier, unit % multiplier] = 0
    else:
        changed[..., units] = 0
    changed.setflags(write=False)
    return changed


def _why_not(graph: Graph, spec: LayerSpec) -> str | None:
    """Why units of a layer cannot be switched off; None if they can."""
    if spec.kind not in _SWITCHABLE:
        return "it is no convolution and no dense layer"
    if spec.name == graph.output.name:
        return "it is the answer"
    followers = _followers(graph, spec.name)
    if any(follower.name == graph.output.name for follower in followers):
        return "it is the answer"
    for one in (spec, *followers):
        name = one.config.get("activation", "linear")
        if name not in _KEEP_ZERO:
            return f"the activation {name} of {one.name} makes something else of 0"
    return None


def _normalises(spec: LayerSpec) -> bool:
    return spec.kind == "BatchNormalization"


def _followers(graph: Graph, layer: str) -> list[LayerSpec]:
    """The layers after it in which its channels still stand apart."""
    names = {spec.name for spec in graph if spec.owner == layer}
    found = []
    for spec in graph:
        apart = spec.kind in _CHANNELWISE or _normalises(spec)
        if apart and any(source in names for source in spec.inputs):
            names.add(spec.name)
            found.append(spec)
    return found
