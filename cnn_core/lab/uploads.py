"""The server's side of a network from outside: checked, opened by a throwaway process, kept."""

import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from cnn_core.errors import BadUpload, LabError
from cnn_core.lab.process import ROOT
from cnn_core.networks.film import Weights
from cnn_core.networks.graph import Graph
from cnn_core.networks.upload import Upload, read_upload
from cnn_core.networks.upload.kept import Told, check_told, keep_upload
from cnn_core.networks.zoo import Network

SECONDS = 120.0
"""How long the throwaway process may take; most of it is TensorFlow's start."""

_MOST_WAITING = 6
_MOST_ANSWER = 50_000  # letters on its standard output
_HEADER = 200_000  # bytes of a safetensors file that are no numbers
_one_at_a_time = threading.Lock()
_waiting = threading.BoundedSemaphore(_MOST_WAITING)


def receive(content: bytes, told: Told, owner: str = "", seconds: float = SECONDS) -> Network:
    """A ``.keras`` file → a network that every page can look through.

    Nothing in it is run, and nothing is deserialised: the archive and its configuration are
    checked first, a throwaway process then reads the weights, and what is kept is our own graph
    with plain arrays of exactly the expected shapes.

    Parameters
    ----------
    content : the file's bytes.
    told : what only the person knows of it.
    owner : whose it is; empty for everybody's.
    seconds : the throwaway process's time limit.

    Raises
    ------
    BadUpload : why it is not accepted.
    LabError : too many others are waiting.
    """
    upload = read_upload(content)
    check_told(told, upload.described.graph)
    if not _waiting.acquire(blocking=False):
        raise LabError("Several networks are being opened already. Try again in a minute.")
    try:
        with _one_at_a_time:
            graph, weights = _opened(upload, seconds)
    finally:
        _waiting.release()
    return keep_upload(replace(upload.described, graph=graph), weights, told, owner)


def _opened(upload: Upload, seconds: float) -> tuple[Graph, Weights]:
    graph = upload.described.graph
    request = {"graph": graph.to_json(), "places": dict(upload.described.places)}
    with tempfile.TemporaryDirectory(prefix="convscope-upload-") as name:
        folder = Path(name)
        (folder / "request.json").write_text(json.dumps(request), "utf-8")
        (folder / "weights.h5").write_bytes(upload.weights)
        answer = _asked(folder, seconds)
        if "refused" in answer:
            raise BadUpload(str(answer["refused"])[:500])
        return _in_order(graph, answer.get("order")), _checked_frame(folder, graph)


def _asked(folder: Path, seconds: float) -> dict[str, object]:
    """What the throwaway process says. It may have been taken over: anything may come."""
    with (folder / "answer.json").open("w+b") as answer:
        process = subprocess.Popen(
            [sys.executable, "-m", "cnn_core.lab.quarantine", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            start_new_session=True,
            env=_environment(folder),
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BadUpload(
                f"Opening it took longer than {seconds:.0f} seconds and was stopped."
            ) from None
        finally:
            process.kill()
            process.wait()
        answer.seek(0)
        text = answer.read(_MOST_ANSWER)
    if process.returncode != 0:
        raise BadUpload(
            "The process that opened its weights ended before it was done "
            f"({process.returncode}): the file is damaged, or needs more memory or time than "
            "allowed."
        )
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadUpload("The process that opened its weights gave no readable answer.")
    return found


def _environment(folder: Path) -> dict[str, str]:
    """The least a Python with TensorFlow needs: no secrets, no home, no HDF5 plug-ins."""
    passed = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL")
    return {
        **{name: os.environ[name] for name in passed if name in os.environ},
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        **dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(folder)),
        "HDF5_PLUGIN_PRELOAD": "::",
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": str(folder / "keras"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # Fewer threads, less memory: the limit holds on large machines too.
        **dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS",
             "TF_NUM_INTEROP_THREADS"),
            "2",
        ),
    }  # fmt: skip


def _in_order(graph: Graph, names: object) -> Graph:
    """The graph in Keras's order, if that is one in which each layer stands after what it reads."""
    known = [spec.name for spec in graph]
    if not isinstance(names, list) or sorted(map(str, names)) != sorted(known):
        raise BadUpload("The process that opened its weights named other layers.")
    at = {name: k for k, name in enumerate(names)}
    ordered = tuple(graph[name] for name in names)
    for spec in ordered:
        if any(at[source] >= at[spec.name] for source in spec.inputs):
            raise BadUpload("The process that opened its weights put the layers out of order.")
    if ordered[0] != graph.input or ordered[-1] != graph.output:
        raise BadUpload("The process that opened its weights named another input or output.")
    return Graph(ordered)


def _checked_frame(folder: Path, graph: Graph) -> Weights:
    """The weights it left: exactly those of the graph, as finite numbers."""
    expected = {
        f"{spec.name}/{name}": shape
        for spec in graph
        if spec.name == spec.owner
        for name, shape in spec.weights.items()
    }
    content = _left(folder / "frame.safetensors", 4 * graph.parameter_count + _HEADER)
    try:
        arrays = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise BadUpload(
            "The process that opened its weights left none that can be read."
        ) from error
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected or not all(map(_plain, arrays.values())):
        raise BadUpload("The process that opened its weights left other arrays than expected.")
    weights: Weights = {}
    for key, array in arrays.items():
        layer, name = key.rsplit("/", 1)
        weights.setdefault(layer, {})[name] = array
    return weights


def _left(file: Path, most: int) -> bytes:
    """A plain file's bytes: no link, no pipe, not larger than it can be."""
    try:
        found = os.lstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            raise BadUpload("The process that opened its weights left something else than them.")
        return file.read_bytes()
    except OSError as error:
        raise BadUpload("The process that opened its weights left none.") from error


def _plain(array: NDArray) -> bool:
    return array.dtype == np.float32 and bool(np.isfinite(array).all())
