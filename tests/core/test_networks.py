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
TOTALS = {"intro": 347_146, "classic": 93_322}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_parameters_are_those_of_the_formula_layer_by_layer(name: str) -> None:
    model = build(name)
    assert {spec.name: spec.parameter_count for spec in graph_of(model)} == COUNTS[name]
    assert model.count_params() == sum(COUNTS[name].values()) == TOTALS[name]


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


@pytest.mark.parametrize("name", RECIPES)
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


def test_the_shipped_networks_take_at_most_21_mb() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.rglob("*") if file.is_file()) <= 21e6


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
    with pytest.raises(WrongInput, match="32, 32"):
        replace(card, input_shape=(32, 32, 3)).fit(pixels)
