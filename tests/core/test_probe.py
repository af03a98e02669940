"""Keras's trace and NumPy's against each other and against Keras itself."""

import keras
import numpy as np
import pytest

from cnn_core.data.digit import mnist_digit
from cnn_core.errors import UnknownLayer, UnsupportedLayer, WrongInput
from cnn_core.networks.keras_model import (
    assign_weights,
    graph_of,
    load_model,
    model_of,
    weights_of,
)
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, shipped_networks, weights_at
from cnn_core.probe.activations import ActivationProbe
from cnn_core.probe.reference import reference_trace
from cnn_core.probe.trace import Trace
from tests.core.branched import branched
from tests.core.close import assert_same_output


def assert_same_trace(one: Trace, other: Trace) -> None:
    assert [layer.name for layer in one] == [layer.name for layer in other]
    for mine, theirs in zip(one, other, strict=True):
        assert_same_output(mine.output, theirs.output)
        assert (mine.pre_activation is None) == (theirs.pre_activation is None)
        if mine.pre_activation is not None and theirs.pre_activation is not None:
            assert_same_output(mine.pre_activation, theirs.pre_activation)


def shuffled_weights(model: keras.Model, rng: np.random.Generator) -> None:
    """Weights that hide nothing: biases and moving statistics too are away from 0 and 1."""
    for weight in model.weights:
        spread = rng.uniform(0.5, 1.5, weight.shape)
        weight.assign(spread if "variance" in weight.name else rng.normal(0, 0.4, weight.shape))


@pytest.mark.parametrize("name", ["classic", "intro"])
@pytest.mark.parametrize("moment", [0, 0.5, 1], ids=["first", "middle", "last"])
@pytest.mark.parametrize("number", [0, 7, 1234])
def test_numpy_and_keras_agree_on_every_layer(name: str, moment: float, number: int) -> None:
    network = open_network(name)
    ref = NetworkRef(name, network.film.steps[int(moment * (len(network.film.steps) - 1))])
    pixels = network.card.fit(mnist_digit(number).pixels)
    by_numpy = reference_trace(network.graph, weights_at(ref), pixels)
    by_keras = ActivationProbe(load_model(ref)).trace(pixels)
    assert (by_numpy.engine, by_keras.engine) == ("numpy", "keras")
    assert_same_trace(by_keras, by_numpy)


def test_numpy_and_keras_agree_on_a_branched_network(rng: np.random.Generator) -> None:
    model = branched()
    shuffled_weights(model, rng)
    probe = ActivationProbe(model)
    weights = weights_of(model)
    for _ in range(3):
        image = rng.uniform(-1, 1, (12, 12, 2)).astype(np.float32)
        trace = probe.trace(image)
        assert_same_trace(trace, reference_trace(probe.graph, weights, image))
        assert_same_output(trace.output, model.predict_on_batch(image[None])[0])


@pytest.mark.parametrize("name", ["classic", "intro"])
def test_every_layer_is_what_keras_gives_for_it(name: str) -> None:
    model = load_model(open_network(name).last)
    pixels = mnist_digit(3).pixels
    trace = ActivationProbe(model).trace(pixels)
    for layer in model.layers:
        until = keras.Model(model.inputs, layer.output)
        assert_same_output(
            trace[layer.name].output, until.predict_on_batch(pixels[None, ..., None])[0]
        )


def test_the_pre_activation_is_what_the_activation_was_given(rng: np.random.Generator) -> None:
    """A twin of the network without its activations is the oracle."""
    model = load_model(open_network("classic").last)
    trace = ActivationProbe(model).trace(mnist_digit(3).pixels)
    for layer in trace:
        if layer.pre_activation is None:
            assert layer.kind in ("InputLayer", "MaxPooling2D", "Flatten")
            continue
        plain = model.get_layer(layer.name).__class__.from_config(
            {**model.get_layer(layer.name).get_config(), "activation": "linear"}
        )
        (given,) = trace.inputs_of(layer)
        plain.build((1, *given.shape))
        plain.set_weights(model.get_layer(layer.name).get_weights())
        assert_same_output(layer.pre_activation, plain(given[None]).numpy()[0])


def test_a_probe_compiles_once_and_follows_the_weights(rng: np.random.Generator) -> None:
    model = model_of(open_network("classic").graph)
    probe = ActivationProbe(model)
    network = open_network("classic")
    pixels = mnist_digit(5).pixels
    for step in network.film.steps[:4]:
        ref = NetworkRef("classic", step)
        assign_weights(model, weights_at(ref))
        trace = probe.trace(pixels)
        expected = reference_trace(network.graph, weights_at(ref), pixels[..., None])
        assert_same_trace(trace, expected)
        np.testing.assert_array_equal(
            trace["conv_2"].weights["kernel"], weights_at(ref)["conv_2"]["kernel"]
        )
    assert probe.compilations == 1


def test_probing_leaves_the_model_as_it_was() -> None:
    model = load_model(open_network("classic").last)
    before = model.get_config(), weights_of(model)
    ActivationProbe(model).trace(mnist_digit(0).pixels)
    assert model.get_config() == before[0]
    assert model.get_layer("conv_1").activation is keras.activations.relu
    for layer, named in weights_of(model).items():
        for name, weight in named.items():
            np.testing.assert_array_equal(weight, before[1][layer][name])


def test_dropout_is_off_while_probing(rng: np.random.Generator) -> None:
    model = branched()
    image = rng.uniform(size=(12, 12, 2)).astype(np.float32)
    trace = ActivationProbe(model).trace(image)
    np.testing.assert_array_equal(trace["dropped"].output, trace["both"].output)


def test_operators_between_layers_are_layers_too(rng: np.random.Generator) -> None:
    image = keras.Input((4, 4, 1), name="input")
    doubled = image + image
    model = keras.Model(image, keras.layers.Flatten(name="flat")(doubled))
    pixels = rng.uniform(size=(4, 4, 1)).astype(np.float32)
    probe = ActivationProbe(model)
    trace = probe.trace(pixels)
    np.testing.assert_array_equal(trace["flat"].output, 2 * pixels.reshape(-1))
    assert_same_trace(trace, reference_trace(probe.graph, {}, pixels))


def test_an_image_of_another_size_is_refused_by_both() -> None:
    network = open_network("classic")
    wrong = np.zeros((32, 32, 1), np.float32)
    with pytest.raises(WrongInput, match=r"28, 28, 1.*32, 32, 1"):
        reference_trace(network.graph, weights_at(network.last), wrong)
    with pytest.raises(WrongInput, match=r"28, 28, 1.*32, 32, 1"):
        ActivationProbe(load_model(network.last)).trace(wrong)


def test_a_layer_that_numpy_does_not_know_says_so() -> None:
    image = keras.Input((4, 4, 1))
    model = keras.Model(image, keras.layers.UpSampling2D(name="up")(image))
    with pytest.raises(UnsupportedLayer, match="up is a UpSampling2D"):
        reference_trace(graph_of(model), {}, np.zeros((4, 4, 1)))


def test_a_trace_names_its_layers_when_asked_for_another() -> None:
    network = shipped_networks()["classic"]
    trace = reference_trace(network.graph, weights_at(network.last), np.zeros((28, 28, 1)))
    assert trace.graph["conv_1"].kind == "Conv2D"
    with pytest.raises(UnknownLayer, match="conv_1, pool_1"):
        _ = trace["conv_7"]
