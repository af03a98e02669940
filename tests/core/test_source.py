"""The Keras code of a layer builds that layer."""

import keras
import pytest
from hypothesis import given, settings
from keras import layers

from cnn_core.networks.keras_model import graph_of
from cnn_core.networks.source import layer_code
from cnn_core.networks.zoo import open_network
from tests.core.branched import branched
from tests.core.layer_strategies import one_layer_models


def built_by(code: str) -> layers.Layer:
    return eval(code, {"layers": layers, "keras": keras})


def assert_builds(model: keras.Model, name: str) -> None:
    original = model.get_layer(name)
    again = built_by(layer_code(graph_of(model), name))
    assert type(again) is type(original)
    assert again.get_config() == original.get_config()


@given(one_layer_models())
@settings(max_examples=80)
def test_the_code_of_any_layer_builds_it(model: keras.Model) -> None:
    assert_builds(model, "layer")


def test_the_code_of_every_layer_of_a_branched_network_builds_it() -> None:
    model = branched()
    for layer in model.layers[1:]:
        assert_builds(model, layer.name)


@pytest.mark.parametrize(
    ("network", "layer", "code"),
    [
        ("classic", "input", 'keras.Input((28, 28, 1), name="input")'),
        ("classic", "conv_1", 'layers.Conv2D(32, (3, 3), activation="relu", name="conv_1")'),
        ("classic", "pool_1", 'layers.MaxPooling2D((2, 2), name="pool_1")'),
        ("intro", "flatten", 'layers.Flatten(name="flatten")'),
        ("intro", "output", 'layers.Dense(10, activation="softmax", name="output")'),
    ],
)
def test_the_code_reads_as_one_would_write_it(network: str, layer: str, code: str) -> None:
    assert layer_code(open_network(network).graph, layer) == code
