"""The Keras code of a layer builds that layer, and that of a network that network."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from keras import layers

from cnn_core import ARCHITECTURES, build
from cnn_core.errors import UnsupportedLayer
from cnn_core.networks.film import Weights
from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.networks.keras_model import assign_weights, graph_of, model_of, weights_of
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.source import layer_code, model_code, network_script
from cnn_core.networks.zoo import open_network, shipped_networks, weights_at
from tests.core.branched import branched
from tests.core.layer_strategies import one_layer_models


def built_by(code: str) -> layers.Layer:
    return eval(code, {"layers": layers, "keras": keras})


def network_built_by(code: str) -> keras.Model:
    names: dict = {"layers": layers, "keras": keras}
    exec(compile(code, "printed", "exec"), names)
    return names["model"]


def assert_equal_weights(one: Weights, other: Weights) -> None:
    assert one.keys() == other.keys()
    for layer, named in one.items():
        for name, array in named.items():
            np.testing.assert_array_equal(array, other[layer][name])


def assert_builds(model: keras.Model, name: str) -> None:
    original = model.get_layer(name)
    again = built_by(layer_code(graph_of(model), name))
    assert type(again) is type(original)
    assert again.get_config() == original.get_config()


def assert_same_network(again: keras.Model, original: keras.Model) -> None:
    """Every setting of every layer, the wiring, and, with the same weights, the answer."""
    assert graph_of(again) == graph_of(original)
    for name in {spec.owner for spec in graph_of(original)} - {graph_of(original).input.name}:
        layer = original.get_layer(name)
        assert type(again.get_layer(layer.name)) is type(layer)
        assert again.get_layer(layer.name).get_config() == layer.get_config()
    assign_weights(again, weights_of(original))
    images = np.random.default_rng(0).random((2, *original.input_shape[1:]), np.float32)
    np.testing.assert_allclose(again(images), original(images), atol=1e-6)


@given(one_layer_models())
@settings(max_examples=80)
def test_the_code_of_any_layer_builds_it(model: keras.Model) -> None:
    assert_builds(model, "layer")


@given(one_layer_models())
@settings(max_examples=20)
def test_the_code_of_any_network_of_one_layer_builds_it(model: keras.Model) -> None:
    assert_same_network(network_built_by(model_code(graph_of(model))), model)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (
            layers.Conv2D(4, 3, kernel_initializer="he_normal", name="a"),
            "kernel_initializer=keras.initializers.HeNormal()",
        ),
        (
            layers.Conv2D(
                4, 3, groups=2, dilation_rate=2, bias_initializer=keras.initializers.Constant(0.5),
                kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2), name="a",
            ),
            "kernel_regularizer=keras.regularizers.L1L2(l1=0.1, l2=0.2)",
        ),
        (
            layers.Dense(
                3, kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", seed=7),
                kernel_constraint=keras.constraints.MaxNorm(3), name="a",
            ),
            'scale=2.0, mode="fan_out"',
        ),
        (layers.Dense(3, activation=layers.LeakyReLU(negative_slope=0.1), name="a"), "LeakyReLU"),
        (layers.Conv2D(2, 1, trainable=False, name="a"), "trainable=False"),
        (layers.Dense(2, dtype="mixed_bfloat16", name="a"), 'dtype="mixed_bfloat16"'),
        (
            layers.BatchNormalization(
                epsilon=1e-5, momentum=0.9, gamma_initializer="zeros", beta_regularizer="l2",
                name="a",
            ),
            "epsilon=1e-05",
        ),
        (
            layers.DepthwiseConv2D(
                3, depth_multiplier=2, depthwise_initializer="he_uniform", use_bias=False, name="a"
            ),
            "keras.initializers.HeUniform()",
        ),
        (layers.Dropout(0.25, seed=3, noise_shape=(None, 1, 4), name="a"), "seed=3"),
        (layers.SpatialDropout2D(0.5, name="a"), "SpatialDropout2D(0.5"),
        (layers.GaussianNoise(0.1, seed=1, name="a"), "GaussianNoise(0.1, seed=1"),
        (layers.MaxPooling2D(3, strides=1, padding="same", name="a"), "strides=(1, 1)"),
        (layers.SeparableConv2D(4, 3, depth_multiplier=2, name="a"), "depth_multiplier=2"),
        (layers.PReLU(shared_axes=[1, 2], name="a"), "shared_axes=(1, 2)"),
        (layers.Softmax(axis=1, name="a"), "axis=1"),
        (layers.Conv2D(2, 1, name='a"), __import__("os")#'), 'name="a\\"), __import__'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_settings_that_are_not_the_default_stand_in_the_code(
    layer: layers.Layer, said: str
) -> None:
    image = keras.Input((8, 8, 4), name="input")
    model = keras.Model(image, layer(image))
    assert said in layer_code(graph_of(model), layer.name)
    assert_builds(model, layer.name)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(4, 3), layers.DepthwiseConv2D(3), layers.Dense(3), layers.MaxPooling2D(2),
        layers.AveragePooling2D(2), layers.BatchNormalization(), layers.Dropout(0.5),
        layers.ReLU(), layers.LeakyReLU(), layers.ELU(), layers.Softmax(), layers.Flatten(),
        layers.GlobalAveragePooling2D(), layers.SpatialDropout2D(0.5), layers.GaussianNoise(0.1),
        layers.ZeroPadding2D(1),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_what_keras_does_by_itself_is_left_out(layer: layers.Layer) -> None:
    image = keras.Input((8, 8, 4), name="input")
    code = layer_code(graph_of(keras.Model(image, layer(image))), layer.name)
    assert code.count("=") == 1, code  # name=


def test_the_code_of_every_layer_of_a_branched_network_builds_it() -> None:
    model = branched()
    for layer in model.layers[1:]:
        assert_builds(model, layer.name)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_code_of_every_architecture_builds_it(name: str) -> None:
    model = build(name)
    again = network_built_by(model_code(graph_of(model), title=name))
    assert again.name == name
    assert_same_network(again, model)


@pytest.mark.parametrize("id", shipped_networks())
def test_the_file_of_every_shipped_network_builds_it(
    id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = open_network(id).graph
    again = network_built_by(network_script(graph, id))
    assert f"{graph.parameter_count:,}" in capsys.readouterr().out  # the summary
    assert_same_network(again, model_of(graph))


def test_the_code_of_a_network_with_branches_and_a_shared_layer_builds_it() -> None:
    model = branched()
    code = model_code(graph_of(model))
    assert code.count("layers.Dense(5") == 1  # made once, used twice
    assert_same_network(network_built_by(code), model)


def test_names_that_python_keeps_for_itself_are_no_trouble() -> None:
    image = keras.Input((4, 4, 1), name="input", batch_size=3)
    x = layers.Conv2D(2, 1, name="layers")(image)
    y = layers.Conv2D(2, 1, name="1x1-reduce")(x)
    z = layers.Conv2D(2, 1, name="1x1_reduce")(x)
    x = layers.Add(name="class")([y, z])
    model = keras.Model(image, layers.Flatten(name="model")(x))
    assert graph_of(network_built_by(model_code(graph_of(model)))) == graph_of(model)


def test_the_scripts_note_on_weights_can_be_followed(capsys: pytest.CaptureFixture[str]) -> None:
    network = open_network("classic")
    ref = NetworkRef("classic", network.last.step, (("conv_1", 3), ("conv_1", 5)))
    script = network_script(network.graph, "classic", ref)
    noted = [line.removeprefix("# ") for line in script.splitlines() if line.startswith("#     ")]
    rest = "\n".join(line.removeprefix("    ") for line in noted)
    names: dict = {}
    exec(compile(f"{script}\n{rest}", "printed", "exec"), names)
    assert_equal_weights(weights_of(names["model"]), weights_at(ref))
    assert not weights_of(names["model"])["conv_1"]["kernel"][..., 3].any()


def test_what_is_not_keras_own_is_refused_in_one_sentence() -> None:
    odd = {"module": "builtins", "class_name": "function", "config": "f", "registered_name": "f"}
    image = LayerSpec("input", "InputLayer", (), {}, (4,), {})
    layer = LayerSpec("a", "Dense", ("input",), {"units": 1, "activation": odd}, (1,), {})
    with pytest.raises(UnsupportedLayer, match="its code cannot be written"):
        layer_code(Graph((image, layer)), "a")


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
