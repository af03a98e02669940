"""Networks put together by hand: what they come to, where they break, what is kept."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_core.errors import BadConfig, BadDesign
from cnn_core.networks import designs
from cnn_core.networks.architectures import resnet_mini
from cnn_core.networks.blocks import residual_block
from cnn_core.networks.design import FIRST_DESIGN, KINDS, Design, DesignLayer, Field
from cnn_core.networks.designs import delete_design, save_design, saved_designs
from cnn_core.networks.draft import draft, graph_of_design
from cnn_core.networks.graph import Graph
from cnn_core.networks.keras_model import assign_weights, graph_of, model_of
from cnn_core.networks.source import model_code
from cnn_core.networks.start import random_weights
from cnn_core.probe.reference import reference_trace
from cnn_core.training.config import TrainingConfig


def design(*rows: dict) -> Design:
    return Design("tried", tuple(DesignLayer.from_plain(row) for row in rows))


def values_of(field: Field) -> st.SearchStrategy:
    """Small ones: Keras has to build them."""
    if field.choices:
        return st.sampled_from(field.choices)
    most = min(field.most, 6)
    if isinstance(field.default, int):
        return st.integers(int(field.least), int(most))
    return st.floats(field.least, most)


rows = st.sampled_from(list(KINDS)).flatmap(
    lambda kind: st.fixed_dictionaries(
        {"kind": st.just(kind), **{field.name: values_of(field) for field in KINDS[kind][1]}}
    )
)


def built_by_keras(layers: list[dict]) -> keras.Model:
    """The same in Keras's own words; raises what Keras raises, or that it wants a row or maps."""
    image = x = keras.Input((28, 28, 1))
    pools = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
    output = {"kind": "dense", "units": 10, "activation": "softmax"}
    for number, row in enumerate([*layers, output]):
        flat = len(x.shape) == 2
        if row["kind"] == "dense" and not flat:
            raise ValueError("maps")
        if row["kind"] in ("flatten", "average", "residual", "conv", "pool") and flat:
            raise ValueError("a row")
        makers = {
            "conv": lambda x, row: keras.layers.Conv2D(
                row["filters"], row["kernel"], row["stride"], row["padding"],
                activation=row["activation"],
            )(x),
            "pool": lambda x, row: pools[row["what"]](
                row["window"], row["stride"], row["padding"]
            )(x),
            "batch_norm": lambda x, row: keras.layers.BatchNormalization()(x),
            "dropout": lambda x, row: keras.layers.Dropout(row["rate"])(x),
            "dense": lambda x, row: keras.layers.Dense(
                row["units"], activation=row["activation"]
            )(x),
            "flatten": lambda x, row: keras.layers.Flatten()(x),
            "average": lambda x, row: keras.layers.GlobalAveragePooling2D()(x),
            "residual": lambda x, row, number=number: residual_block(
                x, f"block_{number}", row["filters"], row["stride"]
            ),
        }  # fmt: skip
        x = makers[row["kind"]](x, row)
    return keras.Model(image, x)


def sizes(layers: list[dict]) -> list[tuple[int, ...]] | None:
    """Keras's shapes of all weights; None if it cannot be built."""
    try:
        return sorted(tuple(weight.shape) for weight in built_by_keras(layers).weights)
    except (ValueError, RuntimeError):
        return None


def facts(graph: Graph) -> dict:
    return {
        spec.name: (
            spec.kind, spec.inputs, spec.output_shape, dict(spec.weights), set(spec.trainable),
        )
        for spec in graph
    }  # fmt: skip


@given(st.lists(rows, max_size=5))
def test_a_design_is_what_keras_builds_and_breaks_where_keras_does(layers: list[dict]) -> None:
    drafted = draft(design(*layers))
    whole = drafted.graph is not None
    assert bool(drafted.why) == (not whole)
    ours = sorted(shape for spec in drafted.so_far for shape in spec.weights.values())
    assert (ours if whole else None) == sizes(layers)
    assert facts(graph_of(model_of(drafted.so_far))) == facts(drafted.so_far)


def test_the_first_design_by_hand() -> None:
    drafted = draft(FIRST_DESIGN)
    shapes = [part.output_shape for part in drafted.parts]
    assert shapes == [(26, 26, 16), (13, 13, 16), (11, 11, 32), (5, 5, 32), (800,), (32,)]
    counts = [part.parameter_count for part in drafted.parts]
    assert counts == [(9 + 1) * 16, 0, (9 * 16 + 1) * 32, 0, 0, (800 + 1) * 32]
    assert drafted.graph is not None
    assert drafted.graph.parameter_count == sum(counts) + (32 + 1) * 10


@pytest.mark.parametrize(
    ("layers", "broken", "why"),
    [
        ([{"kind": "dense"}], 0, "Put a Flatten or a GlobalAveragePooling before it"),
        ([{"kind": "flatten"}, {"kind": "conv"}], 1, "a row of 784 numbers comes in"),
        ([{"kind": "flatten"}, {"kind": "flatten"}], 1, "reads maps"),
        ([{"kind": "conv"}], 1, "ten shares of one row"),
        ([], 0, "ten shares"),
        (
            [*[{"kind": "pool"}] * 4, {"kind": "conv"}], 4,
            "3 × 3 does not fit into maps of 1 × 1",
        ),
        ([{"kind": "flatten"}, *[{"kind": "dense", "units": 2048}] * 2], 2, "parameters"),
        ([{"kind": "conv", "filters": 256, "padding": "same"}] * 5, 1, "multiply-adds"),
        ([{"kind": "conv", "filters": 256, "kernel": 1}, *[{"kind": "batch_norm"}] * 9],
         4, "values in all"),
    ],
)  # fmt: skip
def test_it_says_where_it_breaks_and_why(layers: list[dict], broken: int, why: str) -> None:
    drafted = draft(design(*layers))
    assert drafted.graph is None
    assert drafted.broken == broken
    assert why in drafted.why
    assert len(drafted.parts) == broken
    assert drafted.so_far.input.name == "input"
    with pytest.raises(BadDesign, match="of tried: "):
        graph_of_design(design(*layers))


def test_a_design_of_residual_blocks_computes_what_the_architecture_does(
    rng: np.random.Generator,
) -> None:
    theirs = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(4, 3, activation="relu", name="conv_1"),
        ]
    )
    image = theirs.inputs[0]
    x = residual_block(theirs.outputs[0], "residual_1", 4)
    x = residual_block(x, "residual_2", 8, stride=2)
    x = keras.layers.GlobalAveragePooling2D(name="average_1")(x)
    model = keras.Model(image, keras.layers.Dense(10, activation="softmax", name="output")(x))
    graph = graph_of_design(
        design(
            {"kind": "conv", "filters": 4},
            {"kind": "residual", "filters": 4},
            {"kind": "residual", "filters": 8, "stride": 2},
            {"kind": "average"},
        )
    )
    weights = random_weights(graph, 3)
    assign_weights(model, weights)
    pixels = rng.random((28, 28, 1), np.float32)
    expected = model(pixels[None], training=False)[0]
    found = reference_trace(graph, weights, pixels)["output"].output
    np.testing.assert_allclose(found, np.array(expected), atol=1e-5)


def test_the_code_of_a_design_builds_it() -> None:
    layers = [{"kind": kind} for kind in ("conv", "batch_norm", "residual", "dropout", "average")]
    graph = graph_of_design(design(*layers, {"kind": "dense", "activation": "elu"}))
    names = {"keras": keras, "layers": keras.layers}
    exec(model_code(graph), names)
    built = names["model"]
    assert [layer.name for layer in built.layers] == [
        layer.name for layer in model_of(graph).layers
    ]
    assert built.count_params() == graph.parameter_count


def test_random_weights_are_spread_as_keras_spreads_them() -> None:
    """18,432 numbers: their deviation is known to within about 1%."""
    keras.utils.set_random_seed(1)
    model = resnet_mini()
    weights = random_weights(graph_of(model), 0)
    kernels = [
        (weights[name]["kernel"], keras.ops.convert_to_numpy(model.get_layer(name).kernel))
        for name in ("stage_3_block_1_conv_1", "stage_3_block_1_skip_conv")  # he_normal, glorot
    ]
    for ours, theirs in kernels:
        assert ours.std() == pytest.approx(theirs.std(), rel=0.05)
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.05)
    assert weights["stem_bn"]["gamma"].tolist() == [1.0] * 16
    assert weights["stem_bn"]["moving_mean"].tolist() == [0.0] * 16


@given(st.lists(rows, max_size=5))
def test_json_gives_the_design_back(layers: list[dict]) -> None:
    one = design(*layers)
    assert Design.from_json(one.to_json()) == one


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no JSON"),
        ("[" * 10_000, "no JSON"),
        ("x" * 20_001, "at most 20,000 letters"),
        ("[]", "no design made in ConvScope"),
        ('{"convscope": "design", "format": 2}', "format 2"),
        ('{"convscope": "design", "format": 1, "name": "", "layers": []}', "1 to 40 letters"),
        ('{"convscope": "design", "format": 1, "name": 5, "layers": []}', "1 to 40 letters"),
        ('{"convscope": "design", "format": 1, "name": "a", "layers": 5}', "a list of at most"),
        ('{"convscope": "design", "format": 1, "name": "a", "layers": [5]}', "Layer 1: A layer is"),
        (
            '{"convscope": "design", "format": 1, "name": "a", "layers": [{"kind": "flatten"}, '
            '{"kind": "Lambda"}]}',
            "Layer 2: There is no layer 'Lambda'",
        ),
        (
            '{"convscope": "design", "format": 1, "name": "a", "layers": [{"kind": "conv", '
            '"filters": 1e9}]}',
            "filters is a whole number from 1 to 256",
        ),
        (
            '{"convscope": "design", "format": 1, "name": "a", "layers": [{"kind": "conv", '
            '"kernel": NaN}]}',
            "kernel is a whole number",
        ),
        (
            '{"convscope": "design", "format": 1, "name": "a", "layers": [{"kind": "conv", '
            '"filters": true}]}',
            "filters",
        ),
        (
            '{"convscope": "design", "format": 1, "name": "a", "layers": [{"kind": "conv", '
            '"activation": "os.system"}]}',
            "activation is one of",
        ),
        (
            '{"convscope": "design", "format": 1, "name": "a", "layers": [{"kind": "conv", '
            '"module": "os"}]}',
            "has no 'module'",
        ),
    ],
)
def test_what_is_no_design_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadDesign, match=why):
        Design.from_json(text)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20,
))  # fmt: skip
def test_any_json_is_a_design_or_refused(plain: object) -> None:
    with pytest.raises(BadDesign):
        Design.from_plain({"convscope": "design", "format": 1, "name": "a", "layers": [plain]})


def test_a_training_of_a_design_survives_its_file() -> None:
    config = TrainingConfig(architecture="tried", design=FIRST_DESIGN, share=0.1)
    assert TrainingConfig.from_json(config.to_json()) == config
    broken = design({"kind": "dense"})
    with pytest.raises(BadConfig, match="Layer 1 of tried"):
        TrainingConfig(architecture="tried", design=broken)
    plain = json.loads(config.to_json())
    plain["design"]["layers"][0]["kind"] = "Lambda"
    with pytest.raises(BadConfig, match="There is no layer 'Lambda'"):
        TrainingConfig.from_json(json.dumps(plain))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    return tmp_path / "designs"


def test_designs_are_kept_by_name_and_owner(kept: Path) -> None:
    first = save_design(FIRST_DESIGN, "a" * 32)
    again = save_design(Design(FIRST_DESIGN.name, FIRST_DESIGN.layers[1:]), "a" * 32)
    other = save_design(FIRST_DESIGN, "b" * 32)
    assert first.id == again.id != other.id
    assert [saved.design for saved in saved_designs("a" * 32)] == [again.design]
    assert len(saved_designs()) == 2
    with pytest.raises(BadDesign, match="no such design"):
        delete_design(other.id, "a" * 32)
    delete_design(other.id, "b" * 32)
    assert saved_designs("b" * 32) == []


def test_a_damaged_design_is_passed_over_and_left_alone(kept: Path) -> None:
    save_design(FIRST_DESIGN)
    damaged = kept / f"{'0' * 16}.json"
    damaged.write_text('{"owner": "", "design": {')
    (kept / "notes.json").write_text("{}")
    assert [saved.design for saved in saved_designs()] == [FIRST_DESIGN]
    assert damaged.exists()


def test_there_is_an_end_to_what_is_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(designs, "MOST_KEPT", 2)
    for name in ("one", "two", "one"):
        save_design(Design(name, ()))
    with pytest.raises(BadDesign, match="At most 2 designs are kept"):
        save_design(Design("three", ()))
