"""Filters: what excites them by full scan, what is made for them, what the network is without."""

import keras
import numpy as np
import pytest

from cnn_core.data.mnist import load_mnist
from cnn_core.insight.features import Without, exciters, rank_units, synthesise
from cnn_core.insight.results import Ranking
from cnn_core.lab.insight import batches_of_digits
from cnn_core.networks.keras_model import (
    assign_weights,
    graph_of,
    load_model,
    weights_of,
)
from cnn_core.networks.kernels import filters_of, greatest_response
from cnn_core.networks.lesion import lesioned
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from tests.core.branched import branched
from tests.core.close import assert_same_output

REF = open_network("classic").last
STRIDE = 10


def quiet(share: float) -> None:
    assert 0 <= share <= 1 + 1e-9


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return load_model(REF)


def test_the_most_exciting_digits_are_those_of_a_full_scan(model: keras.Model) -> None:
    mnist = load_mnist()
    labels = mnist.y_test[::STRIDE]
    images = np.divide(mnist.x_test[::STRIDE, ..., None], 255, dtype=np.float32)
    found = exciters(model, "conv_2", batches_of_digits(REF, STRIDE), labels, quiet)
    maps = keras.Model(model.inputs, model.get_layer("pool_1").output).predict(images, verbose=0)
    layer = model.get_layer("conv_2")
    kernel, bias = layer.get_weights()
    before = np.asarray(keras.ops.conv(maps, kernel, padding="valid")) + bias
    greatest = before.max(axis=(1, 2))
    for k in range(64):
        best = np.sort(greatest[:, k])[::-1][:9]
        np.testing.assert_allclose(found.values[k], best, atol=1e-5)
        for digit, (row, column), value in zip(
            found.digits[k], found.cells[k], found.values[k], strict=True
        ):
            assert before[digit, row, column, k] == pytest.approx(value, abs=1e-5)
    activation = np.maximum(before, 0).max(axis=(1, 2))
    for label in range(10):
        means = activation[labels == label].mean(axis=0)
        np.testing.assert_allclose(found.by_class[:, label], means, atol=1e-5)
    np.testing.assert_allclose(found.active, (activation > 0).mean(axis=0))


def test_a_first_layers_image_comes_close_to_the_greatest_possible(model: keras.Model) -> None:
    weights = weights_at(REF)
    spec = open_network("classic").graph["conv_1"]
    filters, bias = filters_of(spec, weights), weights["conv_1"]["bias"]
    for k in range(0, 32, 8):
        greatest = greatest_response(filters[..., k], float(bias[k]), (0, 1))
        by_hand = filters[..., k][filters[..., k] > 0].sum() + bias[k]
        assert greatest == pytest.approx(by_hand, rel=1e-5)
        made = synthesise(model, "conv_1", k, (0, 1), quiet)
        assert 0.98 * greatest <= made.value <= greatest * (1 + 1e-5)


def test_a_deeper_layers_image_beats_the_best_test_digit(model: keras.Model) -> None:
    found = exciters(model, "conv_2", batches_of_digits(REF), load_mnist().y_test, quiet)
    live = np.flatnonzero(found.active > 0)[:5].tolist()
    beaten = 0
    for k in live:
        made = synthesise(model, "conv_2", k, (0, 1), quiet)
        assert made.image.min() >= 0
        assert made.image.max() <= 1
        assert (np.diff(made.path) >= 0).all()
        beaten += made.value > found.values[k, 0]
    assert beaten == 5


def test_the_value_said_is_the_networks_on_that_image(model: keras.Model) -> None:
    made = synthesise(model, "conv_3", 5, (0, 1), quiet)
    maps = keras.Model(model.inputs, model.get_layer("pool_2").output).predict_on_batch(
        made.image[None]
    )
    kernel, bias = model.get_layer("conv_3").get_weights()
    before = np.asarray(keras.ops.conv(maps, kernel, padding="valid"))[0] + bias
    assert made.value == pytest.approx(float(before[1, 1, 5]), abs=1e-4)


def test_units_are_ranked_as_by_switching_each_off(model: keras.Model) -> None:
    labels = load_mnist().y_test[::100]
    images = np.concatenate(list(batches_of_digits(REF, 100)))
    whole = model.predict_on_batch(images).argmax(axis=1) == labels
    for layer in ("conv_2", "dense_1"):
        found = rank_units(model, layer, batches_of_digits(REF, 100), labels, quiet)
        assert found.accuracy == whole.mean()
        for unit in (0, 7, 31):
            other = load_model(NetworkRef("classic", REF.step, ((layer, unit),)))
            right = other.predict_on_batch(images).argmax(axis=1) == labels
            assert found.lost[unit] == np.sum(whole & ~right)
            assert found.gained[unit] == np.sum(right & ~whole)


def test_a_network_with_branches_is_ranked_as_its_lesioned_weights_say() -> None:
    model = branched()
    rng = np.random.default_rng(3)
    graph = graph_of(model)
    weights = {
        layer: {name: rng.uniform(0.2, 1, array.shape).astype(np.float32) - (name == "kernel") * 0.5
                for name, array in named.items()}
        for layer, named in weights_of(model).items()
    }  # fmt: skip
    assign_weights(model, weights)
    images = rng.random((6, 12, 12, 2), np.float32)
    without = {layer: Without(model, layer) for layer in ("wide", "dilated", "depthwise", "shared")}
    kept = {layer: one.before(images) for layer, one in without.items()}
    for layer, one in without.items():
        for unit in (0, 3):
            assign_weights(model, lesioned(graph, weights, ((layer, unit),)))
            expected = model.predict_on_batch(images)
            assign_weights(model, weights)
            answers = one.answers(kept[layer], unit)
            clear = np.ptp(np.sort(expected, axis=1)[:, -2:], axis=1) > 1e-6
            np.testing.assert_array_equal(answers[clear], expected.argmax(axis=1)[clear])
            assert clear.any()


def test_a_lesioned_filter_contributes_exactly_zero() -> None:
    lesion = (("conv_1", 3), ("conv_2", 10), ("dense_1", 5))
    other = load_model(NetworkRef("classic", REF.step, lesion))
    image = np.divide(load_mnist().x_test[:3, ..., None], 255, dtype=np.float32)
    for layer, unit in lesion:
        output = keras.Model(other.inputs, other.get_layer(layer).output).predict_on_batch(image)
        assert not np.asarray(output)[..., unit].any()
    # The same network whose next layer does not read those channels.
    deaf = load_model(REF)
    for unit, reader in ((3, "conv_2"), (10, "conv_3"), (5, "output")):
        kernel, bias = deaf.get_layer(reader).get_weights()
        kernel[..., unit, :] = 0
        deaf.get_layer(reader).set_weights([kernel, bias])
    assert_same_output(other.predict_on_batch(image), deaf.predict_on_batch(image))


def test_the_margin_of_a_paired_difference_is_agrestis() -> None:
    ranking = Ranking(100, 0.9, np.array([8]), np.array([2]))
    assert ranking.loss[0] == pytest.approx(0.06)
    # n + 2 = 102, 8.5 and 2.5: √((11 − 36/102) / 102²) · 1.96
    assert ranking.margin[0] == pytest.approx(1.959964 * np.sqrt(11 - 36 / 102) / 102)
