import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core.data.digit import mnist_digit
from cnn_core.errors import NoSuchUnit, UnknownLayer, UnsupportedLayer
from cnn_core.networks.keras_model import graph_of, load_model
from cnn_core.networks.zoo import open_network
from cnn_core.probe.activations import ActivationProbe
from cnn_core.probe.arithmetic import Calculation, explain_unit
from cnn_core.probe.reference import reference_trace
from cnn_core.probe.trace import Trace
from tests.core.branched import branched
from tests.core.layer_strategies import one_layer_models
from tests.core.test_probe import shuffled_weights


@pytest.fixture(scope="module")
def classic() -> Trace:
    model = load_model(open_network("classic").last)
    return ActivationProbe(model).trace(mnist_digit(30).pixels)


@pytest.fixture(scope="module")
def wired() -> Trace:
    rng = np.random.default_rng(1)
    model = branched()
    shuffled_weights(model, rng)
    return ActivationProbe(model).trace(rng.uniform(-1, 1, (12, 12, 2)))


def assert_adds_up(calculation: Calculation) -> None:
    """Terms and bias make the total, the total makes the value, the value is Keras's."""
    assert calculation.agrees, calculation
    if calculation.rule != "maximum":
        np.testing.assert_allclose(calculation.terms.sum() + calculation.bias, calculation.total)
    np.testing.assert_allclose(calculation.terms, calculation.values * calculation.weights)


@given(one_layer_models(), st.data())
@settings(max_examples=120)
def test_any_unit_of_any_layer_is_explained_as_keras_computed_it(
    model: keras.Model, data: st.DataObject
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    shuffled_weights(model, rng)
    trace = ActivationProbe(model).trace(rng.normal(size=model.input_shape[1:]))
    unit = tuple(data.draw(st.integers(0, n - 1)) for n in trace["layer"].output.shape)
    calculation = explain_unit(trace, "layer", unit)
    assert_adds_up(calculation)
    # What it says it read is what stands there; padding reads as 0.
    for k in range(len(calculation.values)):
        source = trace[calculation.sources[calculation.source_of[k]]].output
        standing = source[tuple(calculation.cells[k])] if calculation.inside[k] else 0
        assert calculation.values[k] == pytest.approx(float(standing))


def test_every_kind_of_layer_in_a_branched_network_is_explained(wired: Trace) -> None:
    rng = np.random.default_rng(2)
    for layer in wired:
        for _ in range(5):
            unit = tuple(int(rng.integers(n)) for n in layer.output.shape)
            assert_adds_up(explain_unit(wired, layer.name, unit))


def test_units_of_every_layer_of_the_shipped_networks(classic: Trace) -> None:
    rng = np.random.default_rng(3)
    for layer in classic:
        for _ in range(20):
            unit = tuple(int(rng.integers(n)) for n in layer.output.shape)
            assert_adds_up(explain_unit(classic, layer.name, unit))


def test_a_convolution_by_hand() -> None:
    """3×3 on a 3×3 image: 1·1 + 2·0 + 0·2 + 3·1 + 1·(−1) + 0 + 0 + 2·1 + 1·1 = 6; + 0.5; ReLU."""
    model = keras.Sequential(
        [keras.Input((3, 3, 1)), keras.layers.Conv2D(1, 3, activation="relu", name="conv")]
    )
    image = np.array([[1, 2, 0], [3, 1, 0], [0, 2, 1]], np.float32)
    kernel = np.array([[1, 0, 2], [1, -1, 0], [0, 1, 1]], np.float32)
    model.set_weights([kernel[..., None, None], np.array([0.5], np.float32)])
    calculation = explain_unit(ActivationProbe(model).trace(image), "conv", (0, 0, 0))
    assert calculation.terms.reshape(3, 3).tolist() == [[1, 0, 0], [3, -1, 0], [0, 2, 1]]
    assert calculation.partial_sums.tolist() == [6]
    assert (calculation.bias, calculation.total, calculation.value) == (0.5, 6.5, 6.5)
    assert calculation.network_value == 6.5
    assert calculation.error == 0


def test_a_relu_that_is_off_keeps_its_negative_total(classic: Trace) -> None:
    before = classic["conv_2"].pre_activation
    assert before is not None
    unit = tuple(int(i) for i in np.unravel_index(before.argmin(), before.shape))
    calculation = explain_unit(classic, "conv_2", unit)
    assert calculation.total < 0
    assert calculation.value == calculation.network_value == 0
    assert calculation.total == pytest.approx(calculation.network_total, abs=1e-5)


def test_partial_sums_are_one_a_channel(classic: Trace) -> None:
    calculation = explain_unit(classic, "conv_2", (5, 5, 7))
    assert calculation.window == (3, 3, 32)
    assert calculation.partial_sums.shape == (32,)
    patch = classic["pool_1"].output[5:8, 5:8].astype(np.float64)
    kernel = classic["conv_2"].weights["kernel"][..., 7]
    np.testing.assert_allclose(calculation.partial_sums, (patch * kernel).sum(axis=(0, 1)))


def test_max_pool_unit_names_its_winning_cell() -> None:
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.MaxPooling2D(name="pool")])
    image = np.arange(16, dtype=np.float32).reshape(4, 4)
    image[2, 2] = 99
    calculation = explain_unit(ActivationProbe(model).trace(image), "pool", (1, 1, 0))
    assert calculation.rule == "maximum"
    assert calculation.winner is not None
    assert calculation.cells[calculation.winner].tolist() == [2, 2, 0]
    assert calculation.values.tolist() == [99, 11, 14, 15]
    assert calculation.total == 99


def test_padding_never_wins_a_maximum() -> None:
    model = keras.Sequential(
        [keras.Input((3, 3, 1)), keras.layers.MaxPooling2D(2, padding="same", name="pool")]
    )
    trace = ActivationProbe(model).trace(np.full((3, 3), -5, np.float32))
    calculation = explain_unit(trace, "pool", (1, 1, 0))
    assert calculation.inside.tolist() == [True, False, False, False]
    assert calculation.value == calculation.network_value == -5


def test_flatten_says_which_cell_it_copies(classic: Trace) -> None:
    calculation = explain_unit(classic, "flatten", (123,))
    # (row · 3 + column) · 64 + channel = 123  →  row 0, column 1, channel 59
    assert calculation.rule == "copy"
    assert calculation.cells.tolist() == [[0, 1, 59]]


def test_softmax_shares_sum_to_one_and_come_from_the_logits(classic: Trace) -> None:
    calculations = [explain_unit(classic, "output", (k,)) for k in range(10)]
    exponentials = calculations[3].exponentials
    assert exponentials is not None
    assert exponentials.shape == (10,)
    np.testing.assert_allclose(
        [c.value for c in calculations], exponentials / exponentials.sum(), rtol=1e-12
    )
    assert sum(c.value for c in calculations) == pytest.approx(1)
    assert all(len(c.terms) == 64 for c in calculations)


def test_batch_normalization_shows_its_constants(wired: Trace) -> None:
    calculation = explain_unit(wired, "normal", (2, 3, 4))
    c = calculation.constants
    (x,) = calculation.values
    by_hand = c["gamma"] * (x - c["moving_mean"]) / np.sqrt(c["moving_variance"] + c["epsilon"])
    assert calculation.value == pytest.approx(by_hand + c["beta"])


def test_a_pixel_is_given_and_a_padding_cell_is_zero(wired: Trace) -> None:
    assert explain_unit(wired, "input", (3, 4, 1)).rule == "given"
    nothing = explain_unit(wired, "padded", (0, 5, 1))
    assert (nothing.rule, nothing.value, len(nothing.terms)) == ("zero", 0, 0)


def test_numpys_trace_is_explained_like_keras(classic: Trace) -> None:
    network = open_network("classic")
    pixels = mnist_digit(30).pixels[..., None]
    weights = {layer.name: dict(layer.weights) for layer in classic}
    by_numpy = reference_trace(network.graph, weights, pixels)
    one, other = (explain_unit(t, "dense_1", (9,)) for t in (by_numpy, classic))
    assert one.total == pytest.approx(other.total, abs=1e-5)


@pytest.mark.parametrize(
    "index", [(26, 0, 0), (-1, 0, 0), (0, 0), (0, 0, 0, 0), (0.5, 0, 0), ("a", 0, 0), ()]
)
def test_a_unit_that_is_not_there_is_refused(classic: Trace, index: tuple) -> None:
    with pytest.raises(NoSuchUnit, match=r"\(0, 0, 0\) to \(25, 25, 31\)"):
        explain_unit(classic, "conv_1", index)


def test_a_layer_that_is_not_there_is_refused(classic: Trace) -> None:
    with pytest.raises(UnknownLayer, match="conv_9"):
        explain_unit(classic, "conv_9", (0, 0, 0))


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.UpSampling2D(name="layer"),
        keras.layers.Conv2D(2, 2, activation="mish", name="layer"),
        keras.layers.Softmax(axis=1, name="layer"),
        keras.layers.BatchNormalization(axis=1, name="layer"),
    ],
)
def test_arithmetic_that_is_not_known_says_so(layer: keras.layers.Layer) -> None:
    image = keras.Input((4, 4, 1))
    model = keras.Model(image, layer(image))
    trace = ActivationProbe(model).trace(np.ones((4, 4)))
    assert graph_of(model)["layer"].kind == type(layer).__name__
    with pytest.raises(UnsupportedLayer):
        explain_unit(trace, "layer", (0, 0, 0))
