"""What a person is looking at: the digit, the network, and what it made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cnn_core.course.text import fixed, number, shape_text, share
from cnn_core.data.digit import Digit
from cnn_core.errors import NothingToExplain
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import Network, open_network, weights_at
from cnn_core.probe.geometry import Index
from cnn_core.probe.reference import reference_trace
from cnn_core.probe.trace import Trace


@dataclass(frozen=True)
class Seen:
    """The present picture.

    Attributes
    ----------
    digit : under the lens.
    ref : the network at a moment.
    trace : what it made of the digit, with its weights.
    """

    digit: Digit
    ref: NetworkRef
    trace: Trace

    @property
    def network(self) -> Network:
        return open_network(self.ref.id)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.network.card.class_names

    @property
    def answer(self) -> int:
        """The class that the network names."""
        return int(self.trace.output.argmax())

    @property
    def label(self) -> int:
        """The true class; what the network names where nobody knows it, or where its classes are
        others than the digit's."""
        known = self.digit.label is not None and self.digit.dataset is self.network.dataset
        return self.digit.label if known and self.digit.label is not None else self.answer

    def after(self, ref: NetworkRef) -> NDArray[np.float32]:
        """What another network, or another moment of this one, answers to the digit."""
        return traced(ref, self.digit).output

    def sums(self, ref: NetworkRef) -> NDArray[np.float64]:
        """What another network answers before its softmax, by class."""
        before = traced(ref, self.digit).layers[-1].pre_activation
        if before is None:
            raise NothingToExplain(f"{ref.id} does not end in a softmax.")
        return before.astype(np.float64)

    def without(self, layer: str, unit: int) -> NetworkRef:
        """The present network with one more unit off."""
        return replace(self.ref, lesion=(*self.ref.lesion, (layer, unit)))


@lru_cache(maxsize=32)
def traced(ref: NetworkRef, digit: Digit) -> Trace:
    """A network's trace of a digit, by NumPy."""
    network = open_network(ref.id)
    return reference_trace(network.graph, weights_at(ref), network.card.fit(digit.pixels))


def look(ref: NetworkRef, digit: Digit) -> Seen:
    """What is seen of a digit, by NumPy."""
    return Seen(digit, ref, traced(ref, digit))


def facts(seen: Seen, layer: str, unit: Index | None) -> Mapping[str, str]:
    """What the words of a card may name in braces, all of the present picture.

    Parameters
    ----------
    layer, unit : looked at; None for the layer's strongest.
    """
    trace, graph = seen.trace, seen.trace.graph
    here = trace[layer]
    at = unit or strongest(here.output)
    before = here.output if here.pre_activation is None else here.pre_activation
    ink = seen.digit.pixels > 0
    return {
        "network": seen.network.card.title,
        "parameters": f"{graph.parameter_count:,}",
        "step": f"{seen.ref.step:,}",
        "right_share": share(seen.network.card.accuracy.get(seen.ref.step, 0.0)),
        "answer": seen.classes[seen.answer],
        "answer_share": share(float(trace.output[seen.answer])),
        "label": seen.classes[seen.label],
        "ink": f"{int(ink.sum()):,}",
        "ink_share": f"{ink.mean():.0%}",
        "layer": here.name,
        "shape": shape_text(here.spec.output_shape),
        "maps": str(here.spec.output_shape[-1]),
        "numbers": f"{here.output.size:,}",
        "layer_parameters": f"{here.spec.parameter_count:,}",
        "zeros": f"{np.mean(here.output == 0):.0%}",
        "unit": f"{here.name}[{', '.join(map(str, at))}]",
        "value": fixed(float(here.output[at]), 3),
        "before": fixed(float(before[at]), 3),
        "greatest": number(float(here.output.max())),
    }


def strongest(output: NDArray, channel: int | None = None) -> Index:
    """The unit of a layer that answers most; of one map, if one is named."""
    if channel is None or output.ndim < 3:
        return tuple(int(i) for i in np.unravel_index(int(output.argmax()), output.shape))
    values = output[..., channel]
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    return int(row), int(column), channel
