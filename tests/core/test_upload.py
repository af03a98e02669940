"""A ``.keras`` file from outside: what is accepted, what is refused; nothing in it runs."""

import io
import json
import struct
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from safetensors.numpy import save_file

from cnn_core.errors import BadUpload, LabError, UnknownNetwork
from cnn_core.lab import uploads
from cnn_core.lab.uploads import receive
from cnn_core.networks.keras_model import graph_of, load_model
from cnn_core.networks.upload import MOST_BYTES, kept, read_upload
from cnn_core.networks.upload.configuration import read_configuration
from cnn_core.networks.upload.kept import (
    Told,
    delete_upload,
    names_from_text,
    remarks_on,
)
from cnn_core.networks.upload.settings import ACTIVATIONS, SETTINGS
from cnn_core.networks.zoo import open_network, own_networks, uploaded_networks, weights_at
from cnn_core.probe import reference
from cnn_core.probe.activations import ActivationProbe
from cnn_core.probe.functions import FUNCTIONS
from cnn_core.probe.reference import reference_trace
from tests.core.close import assert_same_output
from tests.core.keras_files import (
    MEMBERS,
    colour,
    members_of,
    packed,
    residual,
    saved,
    small,
    with_config,
    with_weights,
)

TOLD = Told("Mine")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return saved(small(), tmp_path_factory.mktemp("good"))


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting the throwaway process is a failure of the test."""

    def started(*args: object, **kwargs: object) -> None:
        raise AssertionError("the weights were opened before the configuration was accepted")

    monkeypatch.setattr(uploads.subprocess, "Popen", started)


def trained(model: keras.Model, rng: np.random.Generator) -> keras.Model:
    """Some steps, so that no weight is what it began as and there is optimizer state to save."""
    classes = model.output_shape[-1]
    softmax = model.layers[-1].__class__.__name__ == "Softmax" or (
        getattr(model.layers[-1], "activation", None) is keras.activations.softmax
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=not softmax))
    images = rng.uniform(0, 1, (32, *model.input_shape[1:]))
    model.fit(images, rng.integers(0, classes, 32), verbose=0)
    return model


# What is accepted


def same(answer: np.ndarray) -> np.ndarray:
    return answer


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()


@pytest.mark.parametrize(
    ("build", "value_range", "finish"),
    [(small, (0.0, 1.0), same), (colour, (0.0, 255.0), softmax), (residual, (-1.0, 1.0), same)],
)
def test_an_accepted_network_answers_as_keras_does(
    build: Any, value_range: tuple[float, float], finish: Any, tmp_path: Path, rng: Any
) -> None:
    original = trained(build(), rng)
    network = receive(saved(original, tmp_path), Told("Mine", value_range))
    (low, high), (first, last) = network.card.value_range, value_range
    ink = rng.uniform(0, 1, network.card.input_shape).astype(np.float32)
    given = original.predict_on_batch((first + ink * (last - first))[None].astype(np.float32))[0]
    entering = (low + ink * (high - low)).astype(np.float32)
    rebuilt = load_model(network.last)
    traced = ActivationProbe(rebuilt).trace(entering)
    ours = reference_trace(network.graph, weights_at(network.last), entering)
    assert_same_output(traced.output, finish(given))
    assert_same_output(ours.output, finish(given))
    assert [layer.name for layer in traced] == [spec.name for spec in network.graph]


def test_shapes_worked_out_beforehand_are_those_of_keras() -> None:
    for build in (small, colour, residual):
        model = build()
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
        ours = {spec.name: spec for spec in read_configuration(config).graph}
        for theirs in graph_of(model):
            named = ours.get(theirs.name)
            if_known = named or theirs  # its Rescaling is done before the input
            assert if_known.output_shape == theirs.output_shape
            assert if_known.weights == theirs.weights
            assert if_known.trainable == theirs.trainable


def test_logits_get_a_softmax_and_a_rescaling_becomes_the_range_and_both_are_said(
    tmp_path: Path,
) -> None:
    described = read_upload(saved(colour(), tmp_path)).described
    assert described.graph.output.kind == "Softmax"
    assert (described.scale, described.offset) == (1 / 127.5, -1)
    assert len(described.remarks) == 2
    assert "done before the input" in described.remarks[0]
    assert "a softmax" in described.remarks[1]


def test_it_is_found_and_shared_and_deleted_by_its_owner_only(good: bytes, home: Path) -> None:
    network = receive(good, Told("Shapes", class_names=tuple("abcdefghij")), owner="a" * 32)
    assert list(uploaded_networks("a" * 32)) == [network.id]
    assert uploaded_networks("b" * 32) == {}
    assert own_networks() == {}
    assert open_network(network.id).card.class_names == tuple("abcdefghij")
    assert open_network(network.id).dataset is None
    assert remarks_on(network) == []
    with pytest.raises(UnknownNetwork, match="no uploaded network"):
        delete_upload(network.id, "b" * 32)
    delete_upload(network.id, "a" * 32)
    with pytest.raises(UnknownNetwork):
        open_network(network.id)
    assert list((home / "uploads").iterdir()) == []


def test_beyond_the_limits_the_oldest_go_first(
    good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = read_upload(good).described
    rng = np.random.default_rng(1)
    weights: Any = {
        spec.name: {
            name: rng.normal(size=shape).astype(np.float32) for name, shape in spec.weights.items()
        }
        for spec in described.graph
        if spec.weights
    }
    monkeypatch.setattr(kept, "MOST_OF_AN_OWNER", 2)
    _, second, third = (kept.keep_upload(described, weights, TOLD, "a") for _ in range(3))
    assert list(uploaded_networks("a")) == [third.id, second.id]
    monkeypatch.setenv("CONVSCOPE_UPLOADS_MB", "0")
    last = kept.keep_upload(described, weights, TOLD, "b")
    assert list(uploaded_networks()) == [last.id]


# What the person says of it


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (Told("x", class_names=("a", "b")), "10 classes; 2 names were given"),
        (Told("x", class_names=("a",) * 10), "same name"),
        (Told("x", class_names=("", *"bcdefghij")), "1 to 40 letters"),
        (Told("x", class_names=("\n", *"bcdefghij")), "1 to 40 letters"),
        (Told("x", class_names=("![x](http://evil)", *"bcdefghij")), "none of"),
        (Told("x", dataset="imagenet"), "no data set"),
        (Told("x", value_range=(0.0, 7.0)), "range of values"),
    ],
)
@pytest.mark.usefixtures("no_process")
def test_answers_that_do_not_fit_are_refused(good: bytes, told: Told, why: str) -> None:
    with pytest.raises(BadUpload, match=why):
        receive(good, told)


def test_digits_are_said_of_ten_classes_only(tmp_path: Path) -> None:
    content = saved(residual(), tmp_path)
    with pytest.raises(BadUpload, match="MNIST has 10 classes, this network tells 7 apart"):
        receive(content, Told("x", dataset="mnist"))


def test_class_names_are_read_from_a_line() -> None:
    assert names_from_text(" cat, dog ,big bird") == ("cat", "dog", "big bird")
    assert names_from_text("  ") == ()


# The archive


def zip_bomb(member: str) -> bytes:
    """200 MB of zeros in 200 KB."""
    members = dict.fromkeys(MEMBERS, b"{}")
    return packed(members | {member: bytes(200_000_000)}, zipfile.ZIP_DEFLATED)


def lying_bomb() -> bytes:
    """The same, claiming to hold 100 bytes."""
    content = zip_bomb("model.weights.h5")
    return content.replace(struct.pack("<I", 200_000_000), struct.pack("<I", 100))


def twice(content: bytes) -> bytes:
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", "{}")
    return buffer.getvalue()


def encrypted(content: bytes) -> bytes:
    """The flag in the directory that says so."""
    at = content.rindex(b"PK\x01\x02")
    return content[: at + 8] + b"\x01" + content[at + 9 :]


def many_members() -> bytes:
    return packed({f"{k:05}": b"" for k in range(2_000)})


@pytest.mark.parametrize(
    ("hostile", "why"),
    [
        (lambda good: zip_bomb("model.weights.h5"), "larger than 83,886,080 bytes once unpacked"),
        (lambda good: zip_bomb("config.json"), "larger than 1,000,000 bytes once unpacked"),
        (lambda good: lying_bomb(), "damaged archive"),
        (lambda good: bytes(MOST_BYTES + 1), "up to 64 MB are read"),
        (lambda good: packed(members_of(good) | {"../../evil.py": b"x"}), r"'../../evil.py'"),
        (lambda good: packed(members_of(good) | {"/etc/evil": b"x"}), "'/etc/evil'"),
        (lambda good: packed(members_of(good) | {"assets/vocabulary": b""}), "does not belong"),
        (lambda good: packed({"config.json": b"{}"}), "lacks metadata.json, model.weights.h5"),
        (twice, "same member twice"),
        (encrypted, "encrypted"),
        (lambda good: many_members(), "more than the three members"),
        (lambda good: packed(members_of(good), zipfile.ZIP_LZMA), "a way that is not read here"),
        (lambda good: good[: len(good) // 2], "truncated"),
        (lambda good: good[:-1], "truncated"),
        (lambda good: good + b"x", "truncated, or something was added"),
        (lambda good: b"", "no .keras file"),
        (lambda good: b"\x89HDF\r\n\x1a\n" + bytes(100), "no .keras file"),
        (
            lambda good: packed(members_of(good) | {"config.json": b"[" * 900_000}),
            "config.json cannot be read",
        ),
        (
            lambda good: packed(members_of(good) | {"config.json": b"[" * 50 + b"]" * 50}),
            "nested deeper than 40 levels",
        ),
        (
            lambda good: packed(members_of(good) | {"config.json": b'{"a": 1, "a": 2}'}),
            "a name stands twice",
        ),
        (lambda good: packed(members_of(good) | {"config.json": b'{"a": NaN}'}), "is no number"),
        (lambda good: packed(members_of(good) | {"config.json": b"\xff"}), "cannot be read"),
        (
            lambda good: packed(members_of(good) | {"metadata.json": b'{"keras_version": "2.15"}'}),
            "saved by Keras 2.15",
        ),
        (lambda good: packed(members_of(good) | {"metadata.json": b"[]"}), "saved by Keras None"),
    ],
)
@pytest.mark.usefixtures("no_process")
def test_a_hostile_archive_is_refused_and_nothing_is_opened(
    good: bytes, hostile: Any, why: str
) -> None:
    with pytest.raises(BadUpload, match=why):
        receive(hostile(good), TOLD)


# The configuration


def evil_lambda(marker: Path, folder: Path) -> bytes:
    """A real Lambda with real code, as Keras saves it."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Lambda(
                lambda x, path: (open(path, "w").close(), x)[1],
                arguments={"path": str(marker)},
                output_shape=(28, 28, 1),
            ),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    content = saved(model, folder)
    marker.unlink(missing_ok=True)  # building it ran the code
    return content


@pytest.mark.usefixtures("no_process")
def test_the_code_of_a_lambda_does_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "it-ran"
    content = evil_lambda(marker, tmp_path)
    with pytest.raises(BadUpload, match="is a Lambda: it holds code"):
        receive(content, TOLD)
    assert not marker.exists()
    # Whereas whoever trusts it runs it.
    trusting = keras.saving.load_model(tmp_path / "model.keras", safe_mode=False)
    trusting(np.zeros((1, 28, 28, 1)))
    assert marker.exists()


def change(path: str, value: Any) -> Any:
    """A change of a configuration: ``"config.layers.1.class_name"`` becomes `value`."""

    def changed(config: Any) -> None:
        *way, last = path.split(".")
        for step in way:
            config = config[int(step)] if step.isdecimal() else config[step]
        config[int(last) if last.isdecimal() else last] = value

    return changed


EVIL = {
    "module": "os",
    "class_name": "system",
    "config": {"command": "touch /tmp/convscope-was-here"},
    "registered_name": None,
}
CONV = "config.layers.1"


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        # Unknown classes, and known names from other places.
        ("class_name", "Evil", "the class 'Evil', which is not accepted"),
        ("class_name", "Model", "which is not accepted"),
        ("module", "evil", "comes from 'evil'"),
        ("registered_name", "Custom>Sequential", "comes from"),
        ("evil", 1, "an entry 'evil'"),
        (f"{CONV}.class_name", "Evil", "of the class 'Evil'"),
        (f"{CONV}.class_name", "TorchModuleWrapper", "of the class 'TorchModuleWrapper'"),
        (f"{CONV}.class_name", "RandomFlip", "prepares images for the training"),
        (f"{CONV}.class_name", "Sequential", "a model inside the model"),
        (f"{CONV}.class_name", ["Conv2D"], "of the class"),
        (f"{CONV}.module", "evil.keras.layers", "comes from 'evil.keras.layers'"),
        (f"{CONV}.module", "keras.layers.os", "comes from 'keras.layers.os'"),
        (f"{CONV}.module", None, "comes from None"),
        (f"{CONV}.registered_name", "Custom>Conv2D", "Custom>Conv2D"),
        (f"{CONV}.compile_config", {}, "an entry 'compile_config'"),
        (CONV, EVIL, "of the class 'system'"),
        (CONV, "conv", "not what Keras 3 writes"),
        # Objects in the place of plain settings.
        (f"{CONV}.config.kernel_initializer", EVIL, "one of Keras's own, of keras.initializers"),
        (f"{CONV}.config.kernel_initializer.module", "evil", "keras.initializers"),
        (f"{CONV}.config.kernel_regularizer", EVIL, "keras.regularizers"),
        (f"{CONV}.config.bias_constraint", EVIL, "keras.constraints"),
        (f"{CONV}.config.activation", EVIL, "not an object"),
        (f"{CONV}.config.activation", "evil", "one of the activations"),
        (f"{CONV}.config.activation", {"class_name": "__lambda__"}, "not an object"),
        (f"{CONV}.config.dtype", EVIL, "expected float32"),
        (f"{CONV}.config.dtype", "mixed_float16", "expected float32"),
        (f"{CONV}.config.filters", EVIL, "a whole number"),
        (f"{CONV}.config.filters", True, "a whole number"),
        (f"{CONV}.config.filters", 1e99, "a whole number"),
        (f"{CONV}.config.filters", -1, "a whole number"),
        (f"{CONV}.config.kernel_size", [3, 3, 3], "two values"),
        (f"{CONV}.config.padding", "causal", "'valid' or 'same'"),
        (f"{CONV}.config.data_format", "channels_first", "channels_last"),
        (f"{CONV}.config.evil", "x", "a setting 'evil'"),
        (f"{CONV}.config.name", "a/b", "called 'a/b'"),
        (f"{CONV}.config.name", "__proto__", "called '__proto__'"),
        (f"{CONV}.config.name", "../x", "called"),
        (f"{CONV}.config.name", "answer", "Two layers are called answer"),
        (f"{CONV}.config.name", 7, "called 7"),
        (f"{CONV}.config", None, "not what Keras 3 writes"),
        ("config", [], "not what Keras 3 writes"),
        ("config.layers", [], "lists no layers"),
        ("config.layers", {}, "lists no layers"),
        # Gigantic ones.
        ("config.layers", [{}] * 201, "has 201 layers"),
        (f"{CONV}.config.filters", 60_000, "values; up to 4,000,000"),
        (f"{CONV}.config.filters", 10**12, "a whole number from 1 to 65,536"),
        (f"{CONV}.config.kernel_size", [10**6, 10**6], "from 1 to 64"),
        ("config.layers.2.config.pool_size", [40, 40], "wider than that"),
        ("config.layers.4.config.units", 101, "tells 101 classes apart"),
        ("config.layers.4.config.units", 65_536, "classes apart"),
        # Other inputs and outputs.
        ("config.layers.0.config.batch_shape", [None, 65, 64, 1], "up to 64×64 pixels"),
        ("config.layers.0.config.batch_shape", [None, 28, 28, 2], "1 or 3 channels"),
        ("config.layers.0.config.batch_shape", [None, None, None, 1], "up to 64×64 pixels"),
        ("config.layers.0.config.batch_shape", [None, 784], "Expected images"),
        ("config.layers.0.class_name", "Flatten", "does not know|begin it with keras.Input"),
        ("config.layers.4.config.units", 1, "yes-or-no network"),
        ("config.layers.4.config.activation", "sigmoid", "ends in sigmoid"),
        ("config.layers.3.class_name", "Identity", "does not know|expected one number a class"),
    ],
)
@pytest.mark.usefixtures("no_process")
def test_a_hostile_configuration_is_refused_by_name(
    good: bytes, path: str, value: Any, why: str
) -> None:
    with pytest.raises(BadUpload, match=why):
        receive(with_config(good, change(path, value)), TOLD)
    assert not Path("/tmp/convscope-was-here").exists()


@pytest.mark.usefixtures("no_process")
def test_five_million_parameters_are_counted_before_anything_is_built(tmp_path: Path) -> None:
    def large(config: Any) -> None:
        config["config"]["layers"][1]["config"]["filters"] = 3_000  # 6 · 6 · 3,000 · 100 weights
        config["config"]["layers"][4]["config"]["units"] = 100

    with pytest.raises(BadUpload, match="has 10,830,100 parameters; up to 5,000,000"):
        receive(with_config(saved(small(), tmp_path), large), TOLD)


def node(config: Any, name: str) -> Any:
    return next(layer for layer in config["config"]["layers"] if layer["name"] == name)


def circle(config: Any) -> None:
    """A layer in the middle reads the last, too."""
    second = node(config, "add")["inbound_nodes"][0]["args"][0][1]
    second["config"]["keras_history"] = ["softmax", 0, 0]


def stranger(config: Any) -> None:
    node(config, "conv2d")["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = "evil"


def always_training(config: Any) -> None:
    node(config, "conv2d")["inbound_nodes"][0]["kwargs"] = {"training": True}


def two_outputs(config: Any) -> None:
    config["config"]["output_layers"] = [["softmax", 0, 0], ["conv2d", 0, 0]]


def constant(config: Any) -> None:
    node(config, "conv2d")["inbound_nodes"][0]["args"][0] = EVIL


@pytest.mark.parametrize(
    ("hostile", "why"),
    [
        (circle, "in a circle"),
        (stranger, "does not have: 'evil'"),
        (always_training, "called with 'training'=True"),
        (two_outputs, "2 outputs"),
        (constant, "no layer's output"),
    ],
)
@pytest.mark.usefixtures("no_process")
def test_a_hostile_graph_is_refused(tmp_path: Path, hostile: Any, why: str) -> None:
    keras.backend.clear_session()  # so that layers are named from the first on
    with pytest.raises(BadUpload, match=why):
        receive(with_config(saved(residual(), tmp_path), hostile), TOLD)


def test_the_lists_are_those_of_what_can_be_taken_apart() -> None:
    assert set(ACTIVATIONS) == set(FUNCTIONS)
    assert set(SETTINGS) - {"Rescaling"} == set(reference._RULES)


# The weights


def changed_weights(good: bytes, do: Any) -> bytes:
    """The file after `do` has had its HDF5 file open."""
    buffer = io.BytesIO(members_of(good)["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        do(file)
    return with_weights(good, buffer.getvalue())


KERNEL, BIAS = "layers/conv2d/vars/0", "layers/conv2d/vars/1"


def replaced(path: str, **how: Any) -> Any:
    def do(file: h5py.File) -> None:
        del file[path]
        file.create_dataset(path, **how)

    return do


def linked(path: str, link: Any) -> Any:
    def do(file: h5py.File) -> None:
        file.pop(path, None)
        file[path] = link

    return do


def stored_outside(file: h5py.File) -> None:
    del file[BIAS]
    file.create_dataset(BIAS, (4,), "f4", external=[("/etc/passwd", 0, 16)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    del file[BIAS]
    file.create_virtual_dataset(BIAS, layout)


def looped(file: h5py.File) -> None:
    file["layers/conv2d/again"] = file["layers"]


def crowded(file: h5py.File) -> None:
    for k in range(5_001):
        file.create_group(f"crowd/{k}")


@pytest.mark.parametrize(
    ("do", "why"),
    [
        (linked(BIAS, h5py.ExternalLink("/etc/passwd", "/x")), "external link"),
        (linked("optimizer", h5py.ExternalLink("/etc/passwd", "/x")), "external link"),
        (linked(BIAS, h5py.SoftLink("/layers/dense/vars/1")), "hold a link"),
        (stored_outside, "stored outside"),
        (virtual, "virtual array"),
        (looped, "inside itself or twice"),
        (crowded, "more than 5,000 entries"),
        (replaced(BIAS, data=np.zeros(4, "f4"), compression="gzip"), "packed by a filter"),
        (replaced(BIAS, data=np.zeros(5, "f4")), r"shape \(5,\); the configuration says \(4,\)"),
        (replaced(BIAS, shape=(10**12,), dtype="f4", chunks=(1000,)), "the configuration says"),
        (replaced(BIAS, data=np.zeros(4, "f8")), "float64, not float32"),
        (replaced(BIAS, data=np.full(4, np.nan, "f4")), "no numbers"),
        (replaced(KERNEL, data=np.full((3, 3, 1, 4), 3e38, "f4")), "computes values that are no"),
        (lambda file: file.pop(BIAS), "has 1 weights in the file; expected 2"),
        (lambda file: file.pop("layers/conv2d"), "weights of the layer conv are missing"),
        (lambda file: file.create_dataset("layers/conv2d/vars/2", (4,)), "has 3 weights"),
    ],
)
def test_hostile_weights_are_refused(good: bytes, home: Path, do: Any, why: str) -> None:
    with pytest.raises(BadUpload, match=why):
        receive(changed_weights(good, do), TOLD)
    assert not (home / "uploads").exists()


@pytest.mark.parametrize("cut", [0, 8, 100, 2_000])
def test_truncated_weights_are_refused(good: bytes, cut: int) -> None:
    weights = members_of(good)["model.weights.h5"][:cut]
    with pytest.raises(BadUpload, match="weights cannot be read"):
        receive(with_weights(good, weights), TOLD)


# The throwaway process


def test_it_is_stopped_after_its_time(good: bytes, home: Path) -> None:
    with pytest.raises(BadUpload, match="longer than 0 seconds"):
        receive(good, TOLD, seconds=0.01)
    assert not (home / "uploads").exists()


def test_its_memory_is_limited() -> None:
    script = (
        "from cnn_core.lab.quarantine import _limit\n_limit()\n"
        "try:\n    bytearray(2_200 << 20)\nexcept MemoryError:\n    print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "refused\n"


def test_it_is_given_no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONVSCOPE_SECRET", "x")
    environment = uploads._environment(tmp_path)
    assert "CONVSCOPE_SECRET" not in environment
    assert environment["HOME"] == str(tmp_path)


def left(order: Any = None, frame: Any = None) -> Any:
    """In the place of the process: what one that was taken over may leave."""

    def asked(folder: Path, seconds: float) -> dict[str, object]:
        request = json.loads((folder / "request.json").read_text())
        names = [layer["name"] for layer in request["graph"]]
        arrays = {
            f"{layer['name']}/{name}": np.zeros(shape, np.float32)
            for layer in request["graph"]
            for name, shape in layer["weights"].items()
        }
        file = folder / "frame.safetensors"
        save_file(arrays, file)
        if frame is not None:
            frame(file, arrays)
        return {"order": names if order is None else order(names)}

    return asked


def with_array(name: str, array: np.ndarray) -> Any:
    return lambda file, arrays: save_file(arrays | {name: array}, file)


def as_link(file: Path, arrays: Any) -> None:
    file.unlink()
    file.symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (left(order=lambda names: "evil"), "other layers"),
        (left(order=lambda names: names[:-1]), "other layers"),
        (left(order=lambda names: [*names[:-1], {}]), "other layers"),
        (left(order=lambda names: names[::-1]), "out of order"),
        (left(frame=with_array("conv/bias", np.zeros(5, np.float32))), "other arrays"),
        (left(frame=with_array("conv/bias", np.zeros(4, np.float64))), "other arrays"),
        (left(frame=with_array("conv/bias", np.full(4, np.inf, np.float32))), "other arrays"),
        (left(frame=with_array("evil/bias", np.zeros(5, np.float32))), "other arrays"),
        (left(frame=lambda file, arrays: file.write_bytes(b"evil")), "none that can be read"),
        (left(frame=lambda file, arrays: file.write_bytes(bytes(10**6))), "something else"),
        (left(frame=lambda file, arrays: file.unlink()), "left none"),
        (left(frame=as_link), "something else"),
    ],
)
def test_what_it_leaves_is_not_trusted(
    good: bytes, monkeypatch: pytest.MonkeyPatch, home: Path, asked: Any, why: str
) -> None:
    monkeypatch.setattr(uploads, "_asked", asked)
    with pytest.raises(BadUpload, match=why):
        receive(good, TOLD)
    assert not (home / "uploads").exists()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("print('[1]')", "no readable answer"),
        ("print('evil')", "no readable answer"),
        ("print('[' * 40_000)", "no readable answer"),
        ("import os; os.abort()", "ended before it was done"),
        ("print('{\"refused\": \"' + 'x' * 10_000 + '\"}')", "x{500}$"),
    ],
)
def test_what_it_says_is_not_trusted(
    good: bytes, monkeypatch: pytest.MonkeyPatch, code: str, why: str
) -> None:
    start = subprocess.Popen

    def other(command: list[str], **how: Any) -> Any:
        return start([command[0], "-c", code], **how)

    monkeypatch.setattr(uploads.subprocess, "Popen", other)
    with pytest.raises(BadUpload, match=why):
        receive(good, TOLD)


def test_too_many_at_once_are_asked_to_come_back(
    good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "_waiting", threading.BoundedSemaphore(1))
    with uploads._waiting, pytest.raises(LabError, match="Try again"):
        receive(good, TOLD)


# Anything at all


@given(st.binary(max_size=2_000))
def test_random_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(BadUpload):
        read_upload(content)


@given(st.integers(0, 10**9))
def test_every_truncation_is_refused(good: bytes, cut: int) -> None:
    with pytest.raises(BadUpload):
        read_upload(good[: cut % len(good)])


def outcome(content: bytes) -> str:
    """How an upload ends, if it ends as it should."""
    try:
        receive(content, TOLD)
    except BadUpload:
        return "refused"
    return "accepted"


def reading(content: bytes) -> str:
    try:
        read_upload(content)
    except BadUpload:
        return "refused"
    return "accepted"


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 7)), min_size=1, max_size=4))
def test_flipped_bits_end_well(good: bytes, flips: list[tuple[int, int]]) -> None:
    changed = bytearray(good)
    for at, bit in flips:
        changed[at % len(changed)] ^= 1 << bit
    assert reading(bytes(changed)) in ("refused", "accepted")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["module", "class_name", "config", "name", "layers"]), inner
        )
    ),
    max_leaves=12,
)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside."""
    inner = (
        list(value.items()) if isinstance(value, dict)
        else list(enumerate(value)) if isinstance(value, list)
        else []
    )  # fmt: skip
    return [path, *(place for key, one in inner for place in places_in(one, (*path, key)))]


def written(model: keras.Model) -> str:
    return json.dumps(keras.saving.serialize_keras_object(model))


SEQUENTIAL, FUNCTIONAL = written(small()), written(residual())
CONFIGURATIONS = {False: lambda: json.loads(SEQUENTIAL), True: lambda: json.loads(FUNCTIONAL)}


@settings(max_examples=300)
@given(st.integers(0, 10**6), PLAIN, st.booleans())
def test_anything_anywhere_in_the_configuration_ends_well(
    good: bytes, at: int, value: Any, functional: bool
) -> None:
    config: Any = CONFIGURATIONS[functional]()
    place = places_in(config)[1:][at % (len(places_in(config)) - 1)]
    inner = config
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    assert reading(with_config(good, lambda _: config)) in ("refused", "accepted")


@pytest.mark.parametrize(
    "many", [3, pytest.param(60, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
)
def test_a_changed_byte_in_the_weights_ends_well(good: bytes, many: int) -> None:
    @settings(max_examples=many)
    @given(st.integers(0, 3_000), st.integers(1, 255))
    def check(at: int, change: int) -> None:
        weights = bytearray(members_of(good)["model.weights.h5"])
        weights[at] ^= change
        assert outcome(with_weights(good, bytes(weights))) in ("refused", "accepted")

    check()
