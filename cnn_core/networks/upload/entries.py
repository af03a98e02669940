"""The layers that config.json lists, each checked by itself: class, name, settings."""

import re
from dataclasses import dataclass
from typing import Any

from cnn_core.errors import BadUpload
from cnn_core.networks.upload.settings import SETTINGS, checked_settings

LARGEST_SIDE = 64
_MODELS = [
    ("keras", "Sequential"), ("keras.src.models.sequential", "Sequential"),
    ("keras", "Functional"), ("keras.src.models.functional", "Functional"),
]  # fmt: skip
_OF_A_MODEL = {
    "module", "class_name", "config", "registered_name", "build_config", "compile_config",
}  # fmt: skip
_OF_A_LAYER = {
    "module", "class_name", "config", "registered_name", "build_config", "name", "inbound_nodes",
    "shared_object_id",
}  # fmt: skip
_ADDITION = "keras.src.ops.numpy"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")
_SAY_WHICH = (
    "ConvScope reads Sequential and Functional models of these layers: "
    + ", ".join(sorted(SETTINGS))
    + "."
)
_AUGMENTATIONS = ("Random", "CenterCrop", "Resizing", "Normalization", "Rescaling")


@dataclass(frozen=True)
class Layer:
    """A layer as the file names it, checked.

    Attributes
    ----------
    place : where its weights stand in the HDF5 file.
    nodes : what it reads, once for each use, unchecked.
    """

    name: str
    kind: str
    config: dict[str, Any]
    place: str
    nodes: Any


def check_class(model: dict[str, Any]) -> None:
    module, name = model.get("module"), model.get("class_name")
    if name not in ("Sequential", "Functional"):
        raise BadUpload(
            f"The model is of the class {short(name)}, which is not accepted: its own code would "
            f"be needed. {_SAY_WHICH}"
        )
    if (module, name) not in _MODELS or model.get("registered_name") not in (None, name):
        raise BadUpload(
            f"The model says that its class {name} comes from {short(module)}; Keras's own comes "
            "from keras."
        )
    unknown = [key for key in model if key not in _OF_A_MODEL]
    if unknown:
        raise BadUpload(f"config.json has an entry {short(unknown[0])} that is not known here.")


def read_layers(entries: list[Any]) -> dict[str, Layer]:
    """The layers by name, in the file's order; operations such as ``x + y`` among them."""
    found: dict[str, Layer] = {}
    used: dict[str, int] = {}
    for entry in entries:
        layer = mapping(entry, "a layer")
        config = mapping(layer.get("config"), "a layer's configuration")
        kind = _kind(layer, config)
        name = _checked_name(config.get("name"))
        if layer.get("name", name) != name:
            raise BadUpload(f"The layer {name} bears a second name, {short(layer['name'])}.")
        if name in found:
            raise BadUpload(f"Two layers are called {name}.")
        # Keras names the groups of the weights after the class, counting from the second on.
        group = _snake_case(kind)
        is_operation = layer["module"] == _ADDITION
        count = used.get(group, 0)
        if not is_operation:
            used[group] = count + 1
        settings = (
            _input_settings(name, config)
            if kind == "InputLayer"
            else checked_settings(name, kind, config)
        )
        place = f"layers/{group}_{count}" if count else f"layers/{group}"
        found[name] = Layer(name, kind, settings, place, layer.get("inbound_nodes"))
    return found


def _snake_case(kind: str) -> str:
    """``GlobalAveragePooling2D`` → ``global_average_pooling2d``, as Keras writes it."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def _kind(layer: dict[str, Any], config: dict[str, Any]) -> str:
    """The layer's class, if it is Keras's own and on the list."""
    module, kind, registered = (
        layer.get("module"), layer.get("class_name"), layer.get("registered_name"),
    )  # fmt: skip
    name = short(config.get("name"))
    if kind == "Lambda":
        raise BadUpload(
            f"The layer {name} is a Lambda: it holds code, and code from a file is never run "
            "here. Replace it by layers of Keras."
        )
    if (module, kind, registered) == (_ADDITION, "Add", "Add"):
        return "Add"  # written x + y
    if module == "keras.layers" and kind == "InputLayer" and registered is None:
        return "InputLayer"
    if kind in ("Sequential", "Functional"):
        raise BadUpload(
            f"{name} is a model inside the model. Only layers are read: build the model of its "
            "layers in one."
        )
    if not isinstance(kind, str) or kind not in SETTINGS:
        why = (
            "It prepares images for the training and is not taken apart here."
            if isinstance(kind, str) and kind.startswith(_AUGMENTATIONS)
            else "It is not among the layers that can be taken apart here."
        )
        raise BadUpload(f"The layer {name} is of the class {short(kind)}. {why} {_SAY_WHICH}")
    if module != "keras.layers" or registered is not None:
        raise BadUpload(
            f"The layer {name} says that its class {kind} comes from {short(module)} "
            f"({short(registered)}); only Keras's own, of keras.layers, are accepted."
        )
    unknown = [key for key in layer if key not in _OF_A_LAYER]
    if unknown:
        raise BadUpload(f"The layer {name} has an entry {short(unknown[0])} not known here.")
    return kind


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadUpload(
            f"A layer is called {short(name)}. Names are of letters, digits, '_', '-' and '.', "
            "begin with a letter and are at most 64 long."
        )
    return name


def _input_settings(name: str, config: dict[str, Any]) -> dict[str, Any]:
    shape = config.get("batch_shape")
    if not (isinstance(shape, list) and len(shape) == 4):
        raise BadUpload(
            f"The input {name} has the shape {short(shape)}. Expected images: (batch, height, "
            "width, channels)."
        )
    height, width, channels = shape[1:]
    sides = all(type(side) is int and 1 <= side <= LARGEST_SIDE for side in (height, width))
    if not sides or channels not in (1, 3) or type(channels) is not int:
        raise BadUpload(
            f"The network reads images of {short(shape[1:])}. Accepted are up to "
            f"{LARGEST_SIDE}×{LARGEST_SIDE} pixels with 1 or 3 channels, channels last."
        )
    if config.get("dtype") not in (None, "float32", "float64", "uint8"):
        raise BadUpload(f"The input {name} is of the type {short(config['dtype'])}, not float32.")
    for flag in ("sparse", "ragged", "optional"):
        if config.get(flag) not in (None, False):
            raise BadUpload(f"The input {name} is {flag}, which is not accepted.")
    return {"name": name, "shape": (height, width, channels)}


def mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadUpload(f"{what} is not what Keras 3 writes: expected an object of named values.")
    return value


def short(value: Any) -> str:
    return repr(value)[:60]
