"""A throwaway process for one stranger's weights: ``python -m cnn_core.lab.quarantine FOLDER``.

The folder holds ``request.json``, the network as `networks.upload` described it, and
``weights.h5``, which nobody has opened. If all is well the process leaves ``frame.safetensors``
there and says in which order Keras has the layers; else it says why not. It speaks JSON on its
standard output and nothing that could be unpickled. `lab.uploads` starts it, waits and checks
what it left.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from cnn_core.errors import BadUpload
from cnn_core.lab.bare_keras import bare_keras
from cnn_core.networks.film import Weights
from cnn_core.networks.graph import Graph

CPU_SECONDS = 90
_MEMORY = 2_000 * 1024**2  # TensorFlow starts and looks through a network with 1,000 MB of data
_LARGEST_FILE = 80 * 1024**2
_MOST_LINKS = 5_000


def main() -> None:
    _limit()
    folder = Path(sys.argv[1])
    try:
        answer: dict[str, Any] = {"order": _worked_through(folder)}
    except BadUpload as error:
        answer = {"refused": str(error)}
    except MemoryError:
        answer = {"refused": f"It needs more than {_MEMORY // 1024**2:,} MB of memory."}
    print(json.dumps(answer), flush=True)
    os._exit(0)  # nothing of what was read is to have a last word


def _limit() -> None:
    """No more memory, time and disk than a network of the accepted size needs; no core dump."""
    try:
        import resource
    except ImportError:  # Windows: the wall clock and the checks of size remain
        return
    for what, most in (
        (resource.RLIMIT_DATA, _MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):
            continue  # the administrator's own limit is lower, or the system has none of the kind


def _worked_through(folder: Path) -> list[str]:
    request = json.loads((folder / "request.json").read_text("utf-8"))
    graph = Graph.from_json(request["graph"])
    weights = read_weights(folder / "weights.h5", graph, request["places"])
    order = _rehearsed(graph, weights)
    arrays = {
        f"{layer}/{name}": array
        for layer, named in weights.items()
        for name, array in named.items()
    }
    save_file(arrays, folder / "frame.safetensors")
    return order


def read_weights(file: Path, graph: Graph, places: dict[str, str]) -> Weights:
    """The weights of a checked network out of a stranger's HDF5 file.

    Parameters
    ----------
    file : the HDF5 file.
    graph : which weights there must be, and of which shapes.
    places : the group of each layer that has weights.

    Raises
    ------
    BadUpload : the file is damaged, leads outside itself, keeps numbers in another way than Keras
        does, or has other weights than the network.
    """
    import h5py

    try:
        with h5py.File(file, "r") as root:
            _check_links(root)
            return {
                spec.name: _of_layer(root, places[spec.name], spec.name, dict(spec.weights))
                for spec in graph
                if spec.weights and spec.name == spec.owner
            }
    except BadUpload:
        raise
    except Exception as error:  # HDF5 reports damage as any kind of error
        raise BadUpload(
            f"The weights cannot be read: {str(error)[:120] or type(error).__name__}."
        ) from error


def _check_links(root: Any) -> None:
    """Every name in the file must stand for something in the file, once."""
    import h5py

    seen = 0
    waiting = [(root, "")]
    visited: set[Any] = set()
    while waiting:
        group, path = waiting.pop()
        for name in group:
            seen += 1
            where = f"{path}/{name}"[:80]
            if seen > _MOST_LINKS:
                raise BadUpload(f"The weights hold more than {_MOST_LINKS:,} entries.")
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise BadUpload(f"The weights lead into another file: {where} is an external link.")
            if not isinstance(link, h5py.HardLink):
                raise BadUpload(f"The weights hold a link, {where}, where numbers should stand.")
            item = group[name]
            if isinstance(item, h5py.Group):
                address = h5py.h5o.get_info(item.id).addr
                if address in visited:
                    raise BadUpload(f"The weights hold the group {where} inside itself or twice.")
                visited.add(address)
                waiting.append((item, where))
            elif isinstance(item, h5py.Dataset):
                _check_stored(item, where)
            else:
                raise BadUpload(f"The weights hold {where}, which is no array.")


def _check_stored(item: Any, where: str) -> None:
    """An array must stand in the file itself, as it is."""
    if item.external is not None:
        raise BadUpload(f"The weights lead into another file: {where} is stored outside.")
    if item.is_virtual:
        raise BadUpload(f"The weights lead into another file: {where} is a virtual array.")
    if item.id.get_create_plist().get_nfilters():
        raise BadUpload(f"The weights are packed by a filter at {where}; Keras uses none.")


def _of_layer(
    root: Any, place: str, layer: str, shapes: dict[str, tuple[int, ...]]
) -> dict[str, NDArray[np.float32]]:
    import h5py

    stored = root.get(f"{place}/vars")
    if not isinstance(stored, h5py.Group):
        raise BadUpload(f"The weights of the layer {layer} are missing.")
    if set(stored) != {str(k) for k in range(len(shapes))}:
        raise BadUpload(
            f"The layer {layer} has {len(stored)} weights in the file; expected {len(shapes)}: "
            f"{', '.join(shapes)}."
        )
    found = {}
    for k, (name, shape) in enumerate(shapes.items()):
        item = stored[str(k)]
        if not isinstance(item, h5py.Dataset) or item.shape != tuple(shape):
            received = getattr(item, "shape", "a group")
            raise BadUpload(
                f"The {name} of the layer {layer} has the shape {received}; the configuration "
                f"says {tuple(shape)}."
            )
        if item.dtype.str not in ("<f4", ">f4") or item.dtype.metadata:
            raise BadUpload(f"The {name} of {layer} is of the type {item.dtype}, not float32.")
        array = np.ascontiguousarray(item[()], np.float32)
        if not np.isfinite(array).all():
            raise BadUpload(f"The {name} of the layer {layer} holds values that are no numbers.")
        if name == "moving_variance" and array.min() < 0:
            raise BadUpload(f"The moving_variance of the layer {layer} is negative.")
        found[name] = array
    return found


def _rehearsed(graph: Graph, weights: Weights) -> list[str]:
    """Keras builds the network from our description and looks through it once.

    Returns
    -------
    The names of the layers in the order in which Keras computes them.
    """
    with bare_keras():
        from cnn_core.networks.keras_model import assign_weights, model_of
        from cnn_core.probe.activations import ActivationProbe

    model = model_of(graph, "quarantine")
    assign_weights(model, weights)
    probe = ActivationProbe(model)
    for spec in probe.graph:
        ours = graph[spec.name]
        if (spec.output_shape, dict(spec.weights)) != (ours.output_shape, dict(ours.weights)):
            raise BadUpload(
                f"Keras gives the layer {spec.name} the shape {spec.output_shape} and the weights "
                f"{dict(spec.weights)}; the file says {ours.output_shape}, {dict(ours.weights)}."
            )
    trace = probe.trace(np.full(graph.input.output_shape, 0.5, np.float32))
    for layer in trace:
        if not np.isfinite(layer.output).all():
            raise BadUpload(f"The layer {layer.name} computes values that are no numbers.")
    return [spec.name for spec in probe.graph]


if __name__ == "__main__":
    main()
