"""What networks there are: metadata, graph and film of each. Needs no Keras.

A network is a folder: ``network.json`` (what `Network` holds, and the graph) beside ``film/``.
"""

import json
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.errors import DataError, UnknownNetwork, WrongInput
from cnn_core.networks.film import Film, Weights
from cnn_core.networks.graph import Graph, Shape
from cnn_core.networks.ref import NetworkRef

SHIPPED = Path(__file__).with_name("shipped")
FORMAT = 1


@dataclass(frozen=True)
class NetworkCard:
    """What is said of a network.

    Attributes
    ----------
    id, title, about : its name in links, its name for people, one sentence.
    input_shape : ``(height, width, channels)``.
    value_range : least and greatest input value it was trained on.
    class_names : one a class, in the order of its outputs.
    dataset : what it was trained on.
    accuracy : share of the data set's test images it classifies right, by step of its film.
    recipe : how it was trained, as plain values.
    """

    id: str
    title: str
    about: str
    input_shape: Shape
    value_range: tuple[float, float]
    class_names: tuple[str, ...]
    dataset: str
    accuracy: dict[int, float]
    recipe: dict[str, Any]

    def fit(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """A digit as this network's input: `(H, W)` in [0, 1] → `(H, W, C)` in its value range.

        Raises
        ------
        WrongInput : the network reads images of another height or width.
        """
        height, width, channels = self.input_shape
        check_fits((*pixels.shape, channels), (height, width, channels))
        low, high = self.value_range
        image = np.float32(low) + pixels * np.float32(high - low)
        return np.repeat(image[..., None], channels, axis=-1)  # (H, W) -> (H, W, C)


class Network:
    """A network on disk: its card, its graph, and its film."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self.film = Film(folder / "film")

    @cached_property
    def _description(self) -> dict[str, Any]:
        try:
            description = json.loads((self.folder / "network.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"The network {self.id!r} cannot be read: {error}.") from error
        if description.get("format") != FORMAT:
            raise DataError(
                f"The network {self.id!r} has format {description.get('format')}, "
                f"this version reads format {FORMAT}."
            )
        return description

    @cached_property
    def card(self) -> NetworkCard:
        card = dict(self._description["card"])
        card["input_shape"] = tuple(card["input_shape"])
        card["value_range"] = tuple(card["value_range"])
        card["class_names"] = tuple(card["class_names"])
        card["accuracy"] = {int(step): share for step, share in card["accuracy"].items()}
        return NetworkCard(**card)

    @cached_property
    def graph(self) -> Graph:
        return Graph.from_json(self._description["graph"])

    @property
    def last(self) -> NetworkRef:
        """The network at the end of its film."""
        return NetworkRef(self.id, self.film.steps[-1])

    def describe(self, card: NetworkCard, graph: Graph) -> None:
        """Write ``network.json``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        description = {"format": FORMAT, "card": asdict(card), "graph": graph.to_json()}
        text = json.dumps(description, indent=1, ensure_ascii=False) + "\n"
        (self.folder / "network.json").write_text(text, "utf-8")


@lru_cache(maxsize=1)
def shipped_networks() -> dict[str, Network]:
    """The networks that come with ConvScope, by id, the smallest first."""
    networks = [Network(file.parent) for file in SHIPPED.glob("*/network.json")]
    networks.sort(key=lambda network: network.graph.parameter_count)
    return {network.id: network for network in networks}


def open_network(id: str) -> Network:
    """The network of that id.

    Raises
    ------
    UnknownNetwork : there is none.
    """
    networks = shipped_networks()
    if id not in networks:
        raise UnknownNetwork(f"There is no network {id!r}. Those there are: {', '.join(networks)}.")
    return networks[id]


@lru_cache(maxsize=32)
def weights_at(ref: NetworkRef) -> Weights:
    """The weights of a network at a moment, kept in memory; read-only.

    Raises
    ------
    UnknownNetwork, UnknownStep : there is no such network, or no such frame.
    """
    return open_network(ref.id).film.at(ref.step)


def check_fits(shape: Shape, network_input: Shape) -> None:
    """Raise `WrongInput` if an image of `shape` cannot enter the network."""
    if shape != network_input:
        raise WrongInput(f"This network reads images of {network_input}, received {shape}.")
