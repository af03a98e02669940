"""Evaluations kept on disk: a network at a moment is evaluated once. NumPy only."""

import hashlib
import io
import os
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from cnn_core.disk import home, write_whole
from cnn_core.insight.scores import Evaluation
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at

FORMAT = 1
_MOST = 200  # files, 0.4 MB each; the least recently used go first
_ARRAYS = ("probabilities", "labels", "precision", "recall", "f1")


def kept_evaluation(ref: NetworkRef) -> Evaluation | None:
    """The evaluation on the test digits, if it has been made; a damaged file counts as none."""
    file = _file(ref)
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
            found = Evaluation(**{name: arrays[name] for name in _ARRAYS})
        os.utime(file)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    classes = len(open_network(ref.id).card.class_names)
    fits = found.probabilities.shape == (len(found.labels), classes)
    return found if fits else None


def keep_evaluation(ref: NetworkRef, evaluation: Evaluation) -> None:
    """Keep it; without room on the disk it is made again next time."""
    content = io.BytesIO()
    np.savez(content, **{name: getattr(evaluation, name) for name in _ARRAYS})
    file = _file(ref)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content.getvalue())
        files = sorted(file.parent.glob("*.npz"), key=lambda one: -one.stat().st_mtime)
        for old in files[_MOST:]:
            old.unlink(missing_ok=True)
    except OSError:
        pass


def _file(ref: NetworkRef) -> Path:
    return home() / "evaluations" / f"{_digest(ref)}.npz"


@lru_cache(maxsize=64)
def _digest(ref: NetworkRef) -> str:
    """Of all that an evaluation depends on: graph, weights and data; not of names."""
    network = open_network(ref.id)
    found = hashlib.sha256(f"{FORMAT} {network.card.dataset} {network.card.value_range}".encode())
    found.update(network.graph_text.encode())
    for layer, named in sorted(weights_at(ref).items()):
        for name, array in sorted(named.items()):
            found.update(f"{layer}/{name}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:32]
