"""What networks there are: metadata, graph and film of each. Needs no Keras.

A network is a folder: ``network.json`` (what `Network` holds, and the graph) beside ``film/``.
"""

import json
import re
import threading
from dataclasses import asdict, dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from cachetools import LRUCache, cached
from numpy.typing import NDArray

from cnn_core.data.datasets import DATASETS, Dataset
from cnn_core.data.fitting import fitted
from cnn_core.disk import home, read_small, write_whole
from cnn_core.errors import DataError, NoTestImages, UnknownNetwork, UnknownStep, WrongInput
from cnn_core.networks.film import Film, Weights
from cnn_core.networks.graph import Graph, Shape
from cnn_core.networks.lesion import check_lesion, lesioned
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.soundness import check_card, check_weights, sound_graph

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
    dataset : what it was trained on, one of `data.datasets.DATASETS` if it is known.
    accuracy : share of images it classifies right, by step of its film.
    recipe : how it was trained, as plain values.
    accuracy_of : which images those are.
    architecture : the builder that made it; empty if it bears that name itself.
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
    accuracy_of: str = "10,000 test digits"
    architecture: str = ""

    def fit(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """A digit as this network's input: `(h, w)` in [0, 1] → `(H, W, C)` in its value range.

        Its size is made to fit as `data.fitting` says; every channel gets the same.
        """
        height, width, _ = self.input_shape
        return self._in_range(fitted(pixels[None], height, width)[0])

    def fit_all(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Many images, `(n, h, w)` uint8 → `(n, H, W, C)`, as `fit` does one."""
        height, width, _ = self.input_shape
        return self._in_range(fitted(np.divide(images, 255, dtype=np.float32), height, width))

    def _in_range(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        low, high = self.value_range
        images = np.float32(low) + pixels * np.float32(high - low)
        return np.repeat(images[..., None], self.input_shape[2], axis=-1)  # (..., C)


class Network:
    """A network on disk: its card, its graph, and its film."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self.film = Film(folder / "film")

    @cached_property
    def _description(self) -> dict[str, Any]:
        try:
            description = json.loads(read_small(self.folder / "network.json"))
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"The network {self.id!r} cannot be read: {error}.") from error
        if not isinstance(description, dict):
            raise DataError(f"The network {self.id!r} cannot be read: it is no description.")
        if description.get("format") != FORMAT:
            raise DataError(
                f"The network {self.id!r} has format {description.get('format')!r:.20}, "
                f"this version reads format {FORMAT}."
            )
        return description

    @cached_property
    def card(self) -> NetworkCard:
        card = dict(check_card(self._description.get("card"), self.id))
        card["input_shape"] = tuple(card["input_shape"])
        card["value_range"] = tuple(card["value_range"])
        card["class_names"] = tuple(card["class_names"])
        card["accuracy"] = {int(step): share for step, share in card["accuracy"].items()}
        known = {field.name for field in fields(NetworkCard)}
        return NetworkCard(**{name: value for name, value in card.items() if name in known})

    @cached_property
    def graph(self) -> Graph:
        graph = sound_graph(self._description.get("graph"), self.id)
        shape, classes = self.card.input_shape, len(self.card.class_names)
        if graph.input.output_shape != shape or graph.output.output_shape != (classes,):
            raise DataError(f"The network {self.id!r} is damaged: its card is of another network.")
        return graph

    def weights(self, step: int) -> Weights:
        """The frame at `step`, as the graph says it must be. Raises `UnknownStep`, `DataError`."""
        weights = self.film.at(step, 4 * self.graph.parameter_count)
        check_weights(self.graph, weights, self.id)
        return weights

    @cached_property
    def graph_text(self) -> str:
        """The graph as text, the same for all networks of the same layers."""
        return json.dumps(self.graph.to_json(), sort_keys=True)

    @cached_property
    def owner(self) -> str:
        """Whose it is; empty for everybody's."""
        try:
            description = json.loads(read_small(self.folder / "config.json"))
            return str(description.get("owner", ""))
        except (OSError, ValueError, AttributeError, RecursionError):
            return ""

    @property
    def dataset(self) -> Dataset | None:
        """The data set it was trained on; None if that is none of those known here."""
        return DATASETS.get(self.card.dataset)

    @property
    def tested_on(self) -> Dataset:
        """What it is tested with.

        Raises
        ------
        NoTestImages : nobody here has labelled images of what it was trained on.
        """
        if self.dataset is None:
            raise NoTestImages(
                f"There are no test images for {self.card.title}: it was trained on something "
                "else than the data sets here."
            )
        return self.dataset

    @property
    def last(self) -> NetworkRef:
        """The network at the end of its film. Raises `UnknownStep` if it has no frame yet."""
        if not self.film.steps:
            raise UnknownStep(f"The network {self.id!r} has no film yet. Try again in a while.")
        return NetworkRef(self.id, self.film.steps[-1])

    def describe(self, card: NetworkCard, graph: Graph) -> None:
        """Write ``network.json``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.__dict__.pop("_description", None)
        description = {"format": FORMAT, "card": asdict(card), "graph": graph.to_json()}
        text = json.dumps(description, indent=1, ensure_ascii=False) + "\n"
        write_whole(self.folder / "network.json", text.encode())


@lru_cache(maxsize=1)
def shipped_networks() -> dict[str, Network]:
    """The networks that come with ConvScope, by id, the smallest first."""
    networks = [Network(file.parent) for file in SHIPPED.glob("*/network.json")]
    networks.sort(key=lambda network: (network.graph.parameter_count, network.id))
    return {network.id: network for network in networks}


def architectures() -> dict[str, Network]:
    """The shipped networks that bear the name of the builder that made them: what can be trained
    anew, each with its graph."""
    return {
        id: network for id, network in shipped_networks().items() if not network.card.architecture
    }


def own_networks(owner: str = "") -> dict[str, Network]:
    """The networks trained on this machine, by id, the newest first; those in training too.

    Parameters
    ----------
    owner : only theirs; empty for all.
    """
    return _found("runs", owner)


def uploaded_networks(owner: str = "") -> dict[str, Network]:
    """The networks that came as files, by id, the newest first; see `own_networks`."""
    return _found("uploads", owner)


def _found(room: str, owner: str) -> dict[str, Network]:
    found = []
    for file in (home() / room).glob("[0-9a-f]*/network.json"):
        try:
            network = _own_network(file.parent.name)
            if network.film.steps and owner in ("", network.owner):
                _ = network.card, network.graph
                found.append((file.parent.joinpath("config.json").stat().st_mtime_ns, network))
        except (DataError, UnknownNetwork, OSError):
            continue  # the run's page says so
    found.sort(key=lambda pair: -pair[0])
    return {network.id: network for _, network in found}


def open_network(id: str) -> Network:
    """The network of that id, shipped, trained here or uploaded.

    Raises
    ------
    UnknownNetwork : there is none.
    """
    networks = shipped_networks()
    return networks[id] if id in networks else _own_network(id)


def network_folder(id: str) -> Path:
    """Where a network that did not come with ConvScope lies.

    Raises
    ------
    UnknownNetwork : nowhere.
    """
    if re.fullmatch(r"[0-9a-f]{16}", id):
        for room in ("runs", "uploads"):
            if (home() / room / id / "network.json").exists():
                return home() / room / id
    raise UnknownNetwork(
        f"There is no network {id[:40]!r}. Those that come with ConvScope: "
        f"{', '.join(shipped_networks())}; one trained here or uploaded may have been deleted."
    )


def _own_network(id: str) -> Network:
    folder = network_folder(id)
    try:
        return _read(folder, (folder / "network.json").stat().st_mtime_ns)
    except OSError as error:
        raise UnknownNetwork(f"The network {id!r} has just been deleted.") from error


@lru_cache(maxsize=64)
def _read(folder: Path, written: int) -> Network:
    """A network as it was when its description was `written`: one in training grows."""
    return Network(folder)


def _bytes(weights: Weights) -> int:
    return sum(array.nbytes for named in weights.values() for array in named.values())


def written(ref: NetworkRef) -> int:
    """When a moment's frame was written, in nanoseconds, 0 if there is none: a run that goes on
    from its last whole epoch makes the frames after it anew, with other weights. What is kept of a
    network's answers is of this frame."""
    try:
        return open_network(ref.id).film.file(ref.step).stat().st_mtime_ns
    except (OSError, UnknownNetwork):
        return 0


# By size, not by number: one uploaded network may be as large as all that come with ConvScope.
@cached(
    LRUCache(64_000_000, getsizeof=_bytes),
    key=lambda ref: (ref, written(ref)),
    lock=threading.Lock(),
)
def weights_at(ref: NetworkRef) -> Weights:
    """The weights of a network at a moment, without what is off; kept in memory, read-only.

    Raises
    ------
    UnknownNetwork, UnknownStep : there is no such network, or no such frame.
    BadLesion : there are no such units.
    """
    network = open_network(ref.id)
    if ref.lesion:
        lesion = check_lesion(network.graph, ref.lesion)
        return lesioned(network.graph, weights_at(ref.whole), lesion)
    return network.weights(ref.step)


def check_fits(shape: Shape, network_input: Shape) -> None:
    """Raise `WrongInput` if an image of `shape` cannot enter the network."""
    if shape != network_input:
        raise WrongInput(f"This network reads images of {network_input}, received {shape}.")
