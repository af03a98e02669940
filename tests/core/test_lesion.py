"""Units switched off: what may be, how it is written, and that NumPy and Keras agree on it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from cnn_core.data.digit import mnist_digit
from cnn_core.errors import BadLesion
from cnn_core.networks.keras_model import graph_of, load_model, model_of, weights_of
from cnn_core.networks.lesion import (
    check_lesion,
    lesion_from_text,
    lesion_text,
    lesioned,
    silenced_with,
    switchable,
)
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.activations import ActivationProbe
from cnn_core.probe.reference import reference_trace
from tests.core.branched import branched
from tests.core.close import assert_same_output

CLASSIC = open_network("classic")
LAYERS = {"conv_1": 32, "conv_2": 64, "conv_3": 64, "dense_1": 64}

units = some.lists(
    some.sampled_from(sorted(LAYERS)).flatmap(
        lambda layer: some.tuples(some.just(layer), some.integers(0, LAYERS[layer] - 1))
    ),
    max_size=40,
)


def test_hidden_units_can_be_switched_off_and_the_answer_cannot() -> None:
    assert switchable(CLASSIC.graph) == LAYERS
    with pytest.raises(BadLesion, match="it is the answer"):
        check_lesion(CLASSIC.graph, [("output", 1)])
    with pytest.raises(BadLesion, match="no convolution and no dense"):
        check_lesion(CLASSIC.graph, [("pool_1", 1)])
    with pytest.raises(BadLesion, match="conv_1 has units 0 to 31"):
        check_lesion(CLASSIC.graph, [("conv_1", 32)])
    with pytest.raises(BadLesion, match="no layer 'nobody'"):
        check_lesion(CLASSIC.graph, [("nobody", 0)])


def test_a_softmax_of_its_own_makes_the_layer_before_it_the_answer() -> None:
    graph = graph_of(branched())
    assert "logits" not in switchable(graph)
    assert set(switchable(graph)) == {"wide", "dilated", "depthwise", "shared"}


@given(units)
def test_a_lesion_survives_a_link(chosen: list[tuple[str, int]]) -> None:
    lesion = check_lesion(CLASSIC.graph, chosen)
    assert set(lesion) == set(chosen)
    assert lesion_from_text(CLASSIC.graph, lesion_text(lesion)) == lesion


def test_ranges_are_written_short() -> None:
    lesion = check_lesion(CLASSIC.graph, [("conv_1", k) for k in (4, 5, 6, 9)] + [("dense_1", 0)])
    assert lesion_text(lesion) == "conv_1:4-6,9;dense_1:0"


@pytest.mark.parametrize(
    "text",
    ["conv_1", "conv_1:", ":3", "conv_1:a", "conv_1:3,,4", "conv_1:-3", "conv_1:3-", "conv_1:99",
     "conv_1:3;", "x" * 3000, "conv_1:3;nobody:1", "output:1", "conv_1:1-99999"],
)  # fmt: skip
def test_a_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(BadLesion):
        lesion_from_text(CLASSIC.graph, text)


@given(some.text(max_size=60))
def test_any_text_is_a_lesion_or_refused(text: str) -> None:
    try:
        check_lesion(CLASSIC.graph, lesion_from_text(CLASSIC.graph, text))
    except BadLesion:
        pass


def test_numpy_and_keras_agree_without_those_units() -> None:
    lesion = check_lesion(CLASSIC.graph, [("conv_1", 2), ("conv_2", 40), ("dense_1", 9)])
    ref = NetworkRef("classic", CLASSIC.last.step, lesion)
    image = CLASSIC.card.fit(mnist_digit(3).pixels)
    keras_trace = ActivationProbe(load_model(ref)).trace(image)
    numpy_trace = reference_trace(CLASSIC.graph, weights_at(ref), image)
    for layer in keras_trace:
        assert_same_output(numpy_trace[layer.name].output, layer.output)
    for name, unit in lesion:
        assert not keras_trace[name].output[..., unit].any()
    assert weights_at(ref)["conv_3"] is weights_at(ref.whole)["conv_3"]  # shared, not copied


def test_a_normalisation_after_a_unit_gives_zero_too() -> None:
    model = branched()
    graph = graph_of(model)
    assert silenced_with(graph, "wide") == ("wide", "normal")
    rng = np.random.default_rng(1)
    weights = {
        layer: {name: rng.uniform(0.5, 1.5, array.shape).astype(np.float32)
                for name, array in named.items()}
        for layer, named in weights_of(model).items()
    }  # fmt: skip
    image = rng.random((12, 12, 2), np.float32)
    trace = reference_trace(graph, lesioned(graph, weights, (("wide", 4),)), image)
    for name in ("wide", "normal", "rectified"):
        assert not trace[name].output[..., 4].any()
        assert trace[name].output[..., 3].any()


def test_a_unit_whose_activation_makes_something_of_nothing_stays_on() -> None:
    import keras

    model = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3, activation="sigmoid", name="wavy"),
         keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax", name="output")]
    )  # fmt: skip
    graph = graph_of(model_of(graph_of(model)))
    assert switchable(graph) == {}
    with pytest.raises(BadLesion, match="the activation sigmoid of wavy makes something else of 0"):
        check_lesion(graph, [("wavy", 0)])
