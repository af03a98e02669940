"""Uploaded networks on disk: a folder each under ``uploads``, the oldest going first."""

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cnn_core.data.datasets import DATASETS
from cnn_core.disk import folder_size, home, read_small, write_whole
from cnn_core.errors import BadUpload, UnknownNetwork
from cnn_core.networks.film import Weights
from cnn_core.networks.graph import Graph
from cnn_core.networks.upload.configuration import Configured
from cnn_core.networks.zoo import Network, NetworkCard, network_folder, uploaded_networks
from cnn_core.settings import whole_number

MOST_OF_AN_OWNER = 20
VALUE_RANGES = ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0))
_LONGEST_NAME = 40
_LONGEST_TITLE = 60
_DEFAULT_MB = 500
_MARKS = "[]<>`*$:|~\\"


@dataclass(frozen=True)
class Told:
    """What a file does not say of its network.

    Attributes
    ----------
    title : for people.
    value_range : least and greatest input value it was trained on, one of `VALUE_RANGES`.
    dataset : one of `data.datasets.DATASETS`, or empty for something else.
    class_names : one an output; empty for the data set's, or "class 0", "class 1" ….
    """

    title: str
    value_range: tuple[float, float] = (0.0, 1.0)
    dataset: str = ""
    class_names: tuple[str, ...] = ()


def names_from_text(text: str) -> tuple[str, ...]:
    """``"cat, dog"`` → ``("cat", "dog")``."""
    return tuple(name.strip() for name in text.split(",")) if text.strip() else ()


def check_told(told: Told, graph: Graph) -> None:
    """Raise `BadUpload` unless what the person said fits the network."""
    classes = graph.output.output_shape[0]
    if told.value_range not in VALUE_RANGES:
        raise BadUpload(f"No range of values to choose from: {told.value_range}.")
    if told.dataset and told.dataset not in DATASETS:
        raise BadUpload(f"There is no data set {told.dataset[:40]!r}.")
    if told.dataset and classes != len(DATASETS[told.dataset].class_names):
        raise BadUpload(
            f"{DATASETS[told.dataset].title} has {len(DATASETS[told.dataset].class_names)} classes,"
            f" this network tells {classes} apart. Choose “something else”."
        )
    names = told.class_names
    if names and len(names) != classes:
        raise BadUpload(f"The network has {classes} classes; {len(names)} names were given.")
    if any(not name or len(name) > _LONGEST_NAME or name != _plain(name) for name in names):
        raise BadUpload(
            f"A class name has 1 to {_LONGEST_NAME} letters, digits and spaces, and none of "
            f"{_MARKS}"
        )
    if len(set(names)) < len(names):
        raise BadUpload("Two classes have the same name.")


def _plain(text: str) -> str:
    """Without what a page might take for a link, a picture or markup."""
    return "".join(c if c.isprintable() and c not in _MARKS else " " for c in text)


def keep_upload(described: Configured, weights: Weights, told: Told, owner: str) -> Network:
    """Write an uploaded network into a folder of its own, and make room for it.

    Raises
    ------
    BadUpload : it cannot be written.
    """
    uploads = home() / "uploads"
    id = secrets.token_hex(8)
    unfinished = uploads / f".{id}"
    try:
        uploads.mkdir(parents=True, exist_ok=True)
        network = Network(unfinished)
        network.film.write(0, weights)
        network.describe(_card(id, described, told), described.graph)
        config = {"owner": owner, "remarks": described.remarks}
        write_whole(unfinished / "config.json", json.dumps(config).encode())
        os.replace(unfinished, uploads / id)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise BadUpload(f"It cannot be kept: {error.strerror or error}.") from error
    kept = Network(uploads / id)
    _make_room(kept, owner)
    return kept


def _card(id: str, described: Configured, told: Told) -> NetworkCard:
    graph = described.graph
    classes = graph.output.output_shape[0]
    names = told.class_names
    if not names and told.dataset:
        names = DATASETS[told.dataset].class_names
    low, high = (described.scale * end + described.offset for end in told.value_range)
    height, width, channels = graph.input.output_shape
    title = re.sub(r"\s+", " ", _plain(told.title)).strip()
    return NetworkCard(
        id=id,
        title=title[:_LONGEST_TITLE] or "Uploaded",
        about=f"Uploaded: reads {height}×{width}×{channels}, tells {classes} classes apart.",
        input_shape=(height, width, channels),
        value_range=(low, high),
        class_names=names or tuple(f"class {k}" for k in range(classes)),
        dataset=told.dataset,
        accuracy={},
        recipe={},
        accuracy_of="",
    )


def remarks_on(network: Network) -> Sequence[str]:
    """What was changed when it was taken in, as sentences."""
    try:
        config = json.loads(read_small(network.folder / "config.json"))
        return [str(one) for one in config["remarks"]]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return []


def delete_upload(id: str, owner: str = "") -> None:
    """Delete an uploaded network.

    Raises
    ------
    UnknownNetwork : the owner has none of that name.
    """
    if id not in uploaded_networks(owner):
        raise UnknownNetwork(f"There is no uploaded network {id[:40]!r} of yours.")
    shutil.rmtree(network_folder(id), ignore_errors=True)


def _make_room(newest: Network, owner: str) -> None:
    """The oldest go: of an owner beyond twenty, of all beyond the quota. Whoever has most loses
    first: one visitor cannot push out all others' networks."""
    own = [network for network in uploaded_networks(owner).values() if network.owner == owner]
    for network in own[MOST_OF_AN_OWNER:]:
        shutil.rmtree(network.folder, ignore_errors=True)
    by_owner: dict[str, list[tuple[Network, int]]] = {}
    for network in uploaded_networks().values():  # the newest first
        by_owner.setdefault(network.owner, []).append((network, folder_size(network.folder)))
    used = {owner: sum(size for _, size in theirs) for owner, theirs in by_owner.items()}
    while sum(used.values()) > _quota():
        most = max(used, key=used.__getitem__)
        network, size = by_owner[most].pop()
        if network.id != newest.id:
            shutil.rmtree(network.folder, ignore_errors=True)
        used[most] -= size
        if not by_owner[most]:
            del used[most]
    for left in (home() / "uploads").glob(".*"):  # by a server that was killed while it wrote
        if time.time() - left.stat().st_mtime > 3600:
            shutil.rmtree(left, ignore_errors=True)


def _quota() -> int:
    """Bytes that all uploads together may take: ``CONVSCOPE_UPLOADS_MB``."""
    return whole_number("CONVSCOPE_UPLOADS_MB", _DEFAULT_MB, 0, 10**7) * 1024**2
