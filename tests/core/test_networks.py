import os
import shutil
from math import prod
from pathlib import Path

import keras
import numpy as np
import pytest

from cnn_core.data.mnist import load_mnist
from cnn_core.errors import DataError, UnknownLayer, UnknownNetwork, UnknownStep, WrongInput
from cnn_core.insight.evaluation import accuracy_of
from cnn_core.lab.handlers import look
from cnn_core.networks.architectures import ARCHITECTURES, build
from cnn_core.networks.film import Film
from cnn_core.networks.graph import Graph
from cnn_core.networks.keras_model import (
    assign_weights,
    graph_of,
    load_model,
    model_of,
    weights_of,
)
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import SHIPPED, Network, open_network, shipped_networks, weights_at
from cnn_core.training.pretrain import RECIPES, film_steps
from tests.core.branched import branched
from tests.core.endurance import dearest_in_soak

# (kernel rows · kernel columns · channels in + 1) · filters; (inputs + 1) · units.
COUNTS = {
    "intro": {
        "input": 0,
        "conv_1": (3 * 3 * 1 + 1) * 32,
        "pool_1": 0,
        "flatten": 0,
        "dense_1": (13 * 13 * 32 + 1) * 64,
        "output": (64 + 1) * 10,
    },
    "classic": {
        "input": 0,
        "conv_1": (3 * 3 * 1 + 1) * 32,
        "pool_1": 0,
        "conv_2": (3 * 3 * 32 + 1) * 64,
        "pool_2": 0,
        "conv_3": (3 * 3 * 64 + 1) * 64,
        "flatten": 0,
        "dense_1": (3 * 3 * 64 + 1) * 64,
        "output": (64 + 1) * 10,
    },
}
TOTALS = {
    "intro": 347_146,
    "classic": 93_322,
    "lenet5": 61_706,
    "vgg_mini": 90_586,
    "resnet_mini": 78_426,
    "plain_mini": 75_482,
    "inception_mini": 23_982,
    "densenet_mini": 70_826,
}


def conv(size: int, before: int, filters: int, bias: int = 1) -> int:
    return (size * size * before + bias) * filters


def papers_counts(name: str) -> dict[str, int]:
    """Parameters of the layers that have any, as the papers' blocks count them."""
    if name == "lenet5":  # LeCun et al., section II.B, with all of C3's connections
        return {
            "c1": conv(5, 1, 6), "c3": conv(5, 6, 16), "c5": conv(5, 16, 120),
            "f6": (120 + 1) * 84, "output": (84 + 1) * 10,
        }  # fmt: skip
    if name == "vgg_mini":
        counts, before = {}, 1
        for block, filters in enumerate((16, 32, 64), start=1):
            counts[f"block_{block}_conv_1"] = conv(3, before, filters)
            counts[f"block_{block}_conv_2"] = conv(3, filters, filters)
            before = filters
        return {**counts, "dense_1": (3 * 3 * 64 + 1) * 32, "output": (32 + 1) * 10}
    if name in ("resnet_mini", "plain_mini"):
        # Four numbers a channel of a normalisation: γ, β, mean and variance.
        counts, before = {"stem_conv": conv(3, 1, 16, 0), "stem_bn": 4 * 16}, 16
        for stage, filters in enumerate((16, 32, 64), start=1):
            block = f"stage_{stage}_block_1"
            counts |= {
                f"{block}_conv_1": conv(3, before, filters, 0), f"{block}_bn_1": 4 * filters,
                f"{block}_conv_2": conv(3, filters, filters, 0), f"{block}_bn_2": 4 * filters,
            }  # fmt: skip
            if before != filters and name == "resnet_mini":
                counts[f"{block}_skip_conv"] = conv(1, before, filters, 0)
                counts[f"{block}_skip_bn"] = 4 * filters
            before = filters
        return {**counts, "output": (64 + 1) * 10}
    if name == "inception_mini":
        counts, before = {"stem_conv": conv(3, 1, 16)}, 16
        for module, one, three, five, pool in (
            ("module_1", 16, (16, 24), (4, 8), 8), ("module_2", 24, (24, 48), (8, 16), 16),
        ):  # fmt: skip
            counts |= {
                f"{module}_1x1": conv(1, before, one),
                f"{module}_3x3_reduce": conv(1, before, three[0]),
                f"{module}_3x3": conv(3, *three),
                f"{module}_5x5_reduce": conv(1, before, five[0]),
                f"{module}_5x5": conv(5, *five),
                f"{module}_pool_1x1": conv(1, before, pool),
            }
            before = one + three[1] + five[1] + pool
        return {**counts, "output": (104 + 1) * 10}
    counts, before = {"stem_conv": conv(3, 1, 16, 0)}, 16
    for block in (1, 2, 3):
        for layer in (1, 2, 3, 4):
            counts[f"block_{block}_bn_{layer}"] = 4 * before
            counts[f"block_{block}_conv_{layer}"] = conv(3, before, 12, 0)
            before += 12
        if block < 3:
            counts[f"transition_{block}_bn"] = 4 * before
            counts[f"transition_{block}_conv"] = conv(1, before, before // 2, 0)
            before //= 2
    return {**counts, "last_bn": 4 * before, "output": (before + 1) * 10}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parameters_are_those_of_the_formula_layer_by_layer(name: str) -> None:
    model = build(name)
    counted = {spec.name: spec.parameter_count for spec in graph_of(model) if spec.weights}
    by_hand = COUNTS.get(name) or papers_counts(name)
    assert counted == {layer: count for layer, count in by_hand.items() if count}
    assert model.count_params() == sum(by_hand.values()) == TOTALS[name] <= 350_000
    assert name == "intro" or TOTALS[name] <= 100_000


def test_the_residual_block_is_the_courses() -> None:
    """Conv–BN–ReLU–Conv–BN–Add–ReLU, the skip around the first six."""
    graph = graph_of(build("resnet_mini"))
    block = [spec for spec in graph if spec.name.startswith("stage_1_block_1")]
    assert [spec.kind for spec in block] == [
        "Conv2D", "BatchNormalization", "ReLU", "Conv2D", "BatchNormalization", "Add", "ReLU",
    ]  # fmt: skip
    (add,) = (spec for spec in block if spec.kind == "Add")
    assert set(add.inputs) == {"stage_1_block_1_bn_2", "stem_relu"}


def test_without_skips_there_is_nothing_to_add_and_the_rest_is_the_same() -> None:
    with_skips, without = (graph_of(build(name)) for name in ("resnet_mini", "plain_mini"))
    assert not [spec for spec in without if spec.kind == "Add"]
    names = {spec.name for spec in with_skips}
    assert {spec.name for spec in without} == {
        name for name in names if "skip" not in name and not name.endswith("_add")
    }
    deep = build("resnet_mini", blocks=3, width=8)
    convolutions = [spec for spec in graph_of(deep) if spec.kind == "Conv2D"]
    assert len([spec for spec in convolutions if "skip" not in spec.name]) + 1 == 6 * 3 + 2


@pytest.mark.parametrize("name", RECIPES)
def test_every_shipped_network_is_of_its_architecture(name: str) -> None:
    network = open_network(name)
    shipped = network.graph
    built = graph_of(build(network.card.architecture or name))
    assert [(s.name, s.kind, s.inputs, s.output_shape, s.weights) for s in shipped] == [
        (s.name, s.kind, s.inputs, s.output_shape, s.weights) for s in built
    ]


def test_all_networks_that_are_trained_are_shipped() -> None:
    assert set(shipped_networks()) == set(RECIPES)


@pytest.mark.parametrize("name", dearest_in_soak(RECIPES))
def test_the_accuracy_on_the_card_is_that_of_the_weights(name: str) -> None:
    network, mnist = open_network(name), load_mnist()
    measured = accuracy_of(load_model(network.last), mnist.x_test, mnist.y_test)
    assert measured == pytest.approx(network.card.accuracy[network.last.step], abs=1e-4)


def test_classic_reads_99_percent_of_the_test_digits() -> None:
    network = open_network("classic")
    assert network.card.accuracy[network.last.step] >= 0.99


@pytest.mark.parametrize("name", RECIPES)
def test_a_film_runs_from_random_weights_to_the_end(name: str) -> None:
    network, recipe = open_network(name), RECIPES[name]
    assert network.film.steps == tuple(sorted(film_steps(recipe, recipe.config.steps_per_epoch)))
    assert network.film.steps[0] == 0
    assert network.last.step == recipe.config.total_steps
    assert set(network.card.accuracy) == set(network.film.steps)
    assert network.card.accuracy[0] < 0.3 < 0.9 < network.card.accuracy[network.last.step]


def test_one_learned_its_thousand_digits_by_heart_and_reads_others_worse() -> None:
    network, mnist = open_network("classic_overfit"), load_mnist()
    model, last = load_model(network.last), network.last.step
    assert accuracy_of(model, mnist.x_train[:1000], mnist.y_train[:1000]) == 1
    plain = open_network("classic_plain")
    assert network.card.accuracy[last] < plain.card.accuracy[plain.last.step] - 0.03


def test_networks_of_the_same_layers_are_looked_at_through_one_model() -> None:
    plain, classic = open_network("classic_plain"), open_network("classic")
    assert look(plain.last) is look(classic.last)
    np.testing.assert_array_equal(
        weights_of(look(plain.last).model)["conv_1"]["kernel"],
        weights_at(plain.last)["conv_1"]["kernel"],
    )


def test_the_shipped_networks_take_at_most_40_mb() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.rglob("*") if file.is_file()) <= 40e6


def test_shown_tensors_are_those_of_the_weights_as_loaded() -> None:
    """intro's early frames are stored as float16: what is loaded is what the model gets."""
    ref = NetworkRef("intro", open_network("intro").film.steps[2])
    loaded = weights_at(ref)["conv_1"]["kernel"]
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, loaded.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(weights_of(load_model(ref))["conv_1"]["kernel"], loaded)


def test_names_that_do_not_exist_say_which_do() -> None:
    with pytest.raises(UnknownNetwork, match="classic"):
        open_network("alexnet")
    with pytest.raises(UnknownNetwork, match="intro"):
        build("alexnet")
    with pytest.raises(UnknownStep, match="8442"):
        weights_at(NetworkRef("classic", 5))
    with pytest.raises(UnknownLayer, match="conv_3"):
        open_network("classic").graph["conv_9"]


def test_a_film_keeps_what_it_is_given(tmp_path: Path, rng: np.random.Generator) -> None:
    film = Film(tmp_path / "film")
    weights = {"conv/1": {"kernel": rng.normal(size=(3, 3, 1, 2)).astype(np.float32)}}
    film.write(10, weights)
    film.write(2, weights, "float16")
    assert film.steps == (2, 10)
    np.testing.assert_array_equal(film.at(10)["conv/1"]["kernel"], weights["conv/1"]["kernel"])
    np.testing.assert_allclose(
        film.at(2)["conv/1"]["kernel"], weights["conv/1"]["kernel"], atol=2e-3
    )
    (tmp_path / "film" / "10.safetensors").write_bytes(b"torn")
    with pytest.raises(DataError, match=r"10\.safetensors is damaged"):
        film.at(10)


def test_a_damaged_network_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(DataError, match="'mine' cannot be read"):
        _ = Network(tmp_path / "mine").card
    (tmp_path / "mine" / "network.json").write_text('{"format": 99}')
    with pytest.raises(DataError, match="format 99"):
        _ = Network(tmp_path / "mine").graph


def test_a_graph_survives_json() -> None:
    import json

    graph = graph_of(branched())
    again = Graph.from_json(json.loads(json.dumps(graph.to_json())))
    assert [s.name for s in again] == [s.name for s in graph]
    assert again.parameter_count == graph.parameter_count == branched().count_params()


def test_a_rebuilt_model_computes_the_same(rng: np.random.Generator) -> None:
    for model in (build("classic"), build("intro"), branched()):
        twin = model_of(graph_of(model))
        assign_weights(twin, weights_of(model))
        images = rng.uniform(size=(3, *model.input_shape[1:])).astype(np.float32)
        np.testing.assert_array_equal(twin.predict_on_batch(images), model.predict_on_batch(images))


def test_graphs_name_the_second_use_of_a_layer() -> None:
    graph = graph_of(branched())
    assert {graph["shared"].inputs, graph["shared:2"].inputs} == {("dropped",), ("folded",)}
    assert graph["shared"].owner == graph["shared:2"].owner == "shared"
    assert graph["features"].inputs == ("pooled", "flat")
    assert graph.output.name == "output"


def test_models_without_a_graph_or_with_two_inputs_are_refused() -> None:
    class Subclassed(keras.Model):
        pass

    with pytest.raises(WrongInput, match="no layer graph"):
        graph_of(Subclassed())
    one, two = keras.Input((2,)), keras.Input((2,))
    with pytest.raises(WrongInput, match="2 inputs"):
        graph_of(keras.Model([one, two], keras.layers.Add()([one, two])))


def test_a_digit_enters_in_the_networks_value_range() -> None:
    from dataclasses import replace

    card = replace(open_network("classic").card, value_range=(-1.0, 1.0), input_shape=(28, 28, 3))
    pixels = np.zeros((28, 28), np.float32)
    pixels[3, 4] = 1
    image = card.fit(pixels)
    assert image.shape == (28, 28, 3)
    assert image.dtype == np.float32
    assert (image[3, 4] == 1).all()
    assert prod(image.shape) - 3 == (image == -1).sum()


def test_a_frame_that_was_made_anew_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a run goes on from its last whole epoch."""
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    id = "0123456789abcdef"
    shutil.copytree(SHIPPED / "intro", tmp_path / "runs" / id)
    ref = NetworkRef(id, open_network(id).last.step)
    digit = np.ones((28, 28, 1), np.float32)
    before = look(ref).probe.trace(digit).output
    changed = {
        layer: {name: 0.5 * array for name, array in named.items()}
        for layer, named in weights_at(ref).items()
    }
    open_network(id).film.write(ref.step, changed)
    os.utime(open_network(id).film.file(ref.step), ns=(1, 1))  # another time for certain
    for layer, named in weights_at(ref).items():
        for name, array in named.items():
            np.testing.assert_array_equal(array, changed[layer][name])
    assert np.abs(look(ref).probe.trace(digit).output - before).max() > 1e-3
