"""Six methods against their formulas written out, brute force, and another library."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.saliency import Saliency
from tf_keras_vis.utils.model_modifiers import ReplaceToLinear

from cnn_core.data.mnist import load_mnist
from cnn_core.errors import NothingToExplain
from cnn_core.insight.attribution import (
    NOISE,
    SAMPLES,
    Attributor,
    grad_cam,
    grad_cam_plus_plus,
    patches_of,
    points_between,
)
from cnn_core.insight.results import METHODS
from cnn_core.networks.keras_model import load_model
from cnn_core.networks.zoo import open_network
from tests.core.branched import branched
from tests.core.close import assert_same_output

DIGITS = range(0, 60, 3)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return load_model(open_network("classic").last)


@pytest.fixture(scope="module")
def attributor(model: keras.Model) -> Attributor:
    return Attributor(model)


def image_of(number: int) -> np.ndarray:
    return np.divide(load_mnist().x_test[number, ..., None], 255, dtype=np.float32)


def logits_of(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """The sums before the softmax, by Keras's own means and NumPy."""
    before = keras.Model(model.inputs, model.layers[-2].output).predict_on_batch(images)
    kernel, bias = model.layers[-1].get_weights()
    return before @ kernel + bias


def tape_gradient(model: keras.Model, image: np.ndarray, target: int) -> np.ndarray:
    """The logit's gradient, eagerly: log-probabilities differ from logits by what is taken off."""
    hidden = keras.Model(model.inputs, model.layers[-2].output)
    kernel, bias = model.layers[-1].get_weights()
    with tf.GradientTape() as tape:
        x = tf.constant(image[None])
        tape.watch(x)
        logit = (hidden(x) @ kernel + bias)[0, target]
    return tape.gradient(logit, x).numpy()[0]


@pytest.mark.parametrize("number", DIGITS)
def test_integrated_gradients_are_complete(attributor: Attributor, number: int) -> None:
    image = image_of(number)
    target = int(attributor.probabilities(image[None])[0].argmax())
    found = attributor.explain(image, target, None)["integrated"]
    due = found.logit - found.baseline_logit
    assert abs(due) > 1
    assert found.values.sum() == pytest.approx(due, rel=0.01)


def test_the_logit_is_the_sum_before_the_softmax(
    model: keras.Model, attributor: Attributor
) -> None:
    images = np.stack([image_of(number) for number in range(5)])
    assert_same_output(attributor.logits(images), logits_of(model, images))
    assert_same_output(attributor.probabilities(images), model.predict_on_batch(images))


def test_the_gradient_is_kerass(model: keras.Model, attributor: Attributor) -> None:
    image = image_of(3)
    found = attributor.explain(image, 7, None)["gradient"]
    assert_same_output(found.values, tape_gradient(model, image, 7).sum(axis=-1))


def test_smoothgrad_is_the_mean_gradient_of_noisy_copies(
    model: keras.Model, attributor: Attributor
) -> None:
    image = image_of(4)
    rng = np.random.default_rng(20)
    noise = rng.normal(0, NOISE, (SAMPLES, *image.shape)).astype(np.float32)
    mean = np.mean([tape_gradient(model, image + one, 4) for one in noise], axis=0)
    found = attributor.explain(image, 4, None)["smoothgrad"]
    np.testing.assert_allclose(found.values, mean.sum(axis=-1), atol=1e-4 * np.abs(mean).max())


def test_the_points_are_the_middles_of_equal_pieces() -> None:
    start, end = np.zeros((1, 1, 1), np.float32), np.ones((1, 1, 1), np.float32)
    middles = points_between(start, end, 4).reshape(-1)
    np.testing.assert_allclose(middles, [0.125, 0.375, 0.625, 0.875])


@pytest.mark.parametrize("layer", ["conv_1", "conv_2", "conv_3"])
def test_class_maps_are_their_formulas_by_loops(attributor: Attributor, layer: str) -> None:
    image = image_of(8)
    maps, gradients = attributor.map_gradients(image, 5, layer)
    rows, columns, count = maps.shape
    plain, plus = np.zeros((2, rows, columns))
    for k in range(count):
        a, g = maps[..., k].astype(float), gradients[..., k].astype(float)
        plain += g.mean() * a
        weight = 0.0
        for i in range(rows):
            for j in range(columns):
                if g[i, j] != 0:
                    alpha = g[i, j] ** 2 / (2 * g[i, j] ** 2 + a.sum() * g[i, j] ** 3)
                    weight += alpha * max(g[i, j], 0)
        plus += weight * a
    assert_same_output(grad_cam(maps, gradients), np.maximum(plain, 0))
    np.testing.assert_allclose(
        grad_cam_plus_plus(maps, gradients), np.maximum(plus, 0), rtol=2e-3, atol=2e-3 * plus.max()
    )


def test_occlusion_is_brute_force(model: keras.Model, attributor: Attributor) -> None:
    image = image_of(2)
    places = [(row, column) for row in range(0, 25, 2) for column in range(0, 25, 2)]
    images = np.repeat(image[None], len(places) + 1, axis=0)
    for covered, (row, column) in zip(images, places, strict=False):
        covered[row : row + 4, column : column + 4] = 0
    *logits, logit = logits_of(model, images)[:, 1]
    total, count = np.zeros((2, 28, 28))
    for one, (row, column) in zip(logits, places, strict=True):
        total[row : row + 4, column : column + 4] += logit - one
        count[row : row + 4, column : column + 4] += 1
    found = attributor.explain(image, 1, None)["occlusion"]
    np.testing.assert_allclose(found.values, total / count, atol=1e-4)


@pytest.mark.parametrize("size", [(28, 28), (12, 12), (5, 9), (64, 33)])
def test_patches_cover_every_pixel(size: tuple[int, int]) -> None:
    covered = np.zeros(size, int)
    for rows, columns in patches_of(size):
        covered[rows, columns] += 1
    assert covered.min() >= 1


@pytest.mark.parametrize("number", [0, 11, 42])
def test_another_library_finds_the_same(
    model: keras.Model, attributor: Attributor, number: int
) -> None:
    image = image_of(number)
    target = int(load_mnist().y_test[number])

    def score(output: tf.Tensor) -> tf.Tensor:
        return output[:, target]

    functional = keras.Model(model.inputs, model.outputs)
    theirs = Saliency(functional, ReplaceToLinear(), clone=True)(
        score, image[None], normalize_map=False
    )[0]
    found = attributor.explain(image, target, "conv_3")
    assert_same_output(np.abs(found["gradient"].values), np.asarray(theirs))
    cam = Gradcam(functional, ReplaceToLinear(), clone=True)(
        score, image[None], penultimate_layer="conv_3", expand_cam=False, normalize_cam=False
    )[0]
    assert_same_output(
        grad_cam(*attributor.map_gradients(image, target, "conv_3")), np.asarray(cam)
    )


def test_deletion_is_brute_force(attributor: Attributor) -> None:
    image = image_of(30)
    values = attributor.explain(image, 3, None)["occlusion"].values
    found = attributor.delete(image, values, 3, points=9)
    # The inked pixels, the most marked first: blackening a black one changes nothing.
    inked = [at for at in range(28 * 28) if image.reshape(-1)[at] > 0]
    order = sorted(inked, key=lambda at: -values.reshape(-1)[at])
    assert found.removed[0] == 0
    assert found.removed[-1] == np.count_nonzero(image)
    for gone, share in zip(found.removed, found.probability, strict=True):
        covered = image.copy()
        covered.reshape(-1)[order[:gone]] = 0
        assert share == pytest.approx(attributor.probabilities(covered[None])[0, 3], abs=1e-6)
    # In the end all ink is gone, in whatever order.
    black = attributor.probabilities(np.zeros_like(image)[None])[0, 3]
    assert found.probability[-1] == pytest.approx(black, abs=1e-6)
    np.testing.assert_allclose(found.at_random[:, -1], black, atol=1e-6)


@pytest.mark.parametrize("number", [1, 30, 115])
def test_the_smallest_fooling_step_is_the_first_that_changes_the_answer(
    model: keras.Model, attributor: Attributor, number: int
) -> None:
    image = image_of(number)
    steps = np.divide(np.arange(128), 255, dtype=np.float32)
    found = attributor.fool(image, steps)
    answer = int(model.predict_on_batch(image[None])[0].argmax())
    # The gradient of −log p is Σ p_k (g_k − g_answer): up to a factor, each other class's share.
    logits = logits_of(model, image[None])[0].astype(float)
    logits[answer] = -np.inf
    shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    gradient = sum(shares[k] * tape_gradient(model, image, k) for k in range(10))
    gradient = gradient - tape_gradient(model, image, answer)
    clear = np.abs(gradient) > 1e-4 * np.abs(gradient).max()
    np.testing.assert_array_equal(found.direction[clear], np.sign(gradient)[clear])
    answers = [
        int(model.predict_on_batch(np.clip(image + step * found.direction, 0, 1)[None])[0].argmax())
        for step in steps
    ]
    changed = [k for k, one in enumerate(answers) if one != answer]
    assert found.smallest == (changed[0] if changed else None)


def test_a_branched_network_of_two_channels_is_explained() -> None:
    image = np.random.default_rng(0).random((12, 12, 2), np.float32)
    found = Attributor(branched()).explain(image, 2, "wide")
    assert tuple(found) != ()
    assert set(found) == set(METHODS)
    for attribution in found.values():
        assert attribution.values.shape == (12, 12)
        assert np.isfinite(attribution.values).all()


def test_what_cannot_be_explained_is_said(attributor: Attributor) -> None:
    with pytest.raises(NothingToExplain, match="classes 0 to 9"):
        attributor.explain(image_of(0), 10, None)
    with pytest.raises(NothingToExplain, match="all black"):
        attributor.explain(np.zeros((28, 28, 1), np.float32), 3, None)


def test_an_explainer_follows_the_models_weights(model: keras.Model) -> None:
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    attributor = Attributor(other)
    before = attributor.explain(image_of(0), 7, "conv_2")
    other.layers[-1].set_weights([2 * w for w in other.layers[-1].get_weights()])
    after = attributor.explain(image_of(0), 7, "conv_2")
    for method in set(METHODS) - {"gradcam++"}:  # whose weights do not scale with the logit
        np.testing.assert_allclose(
            after[method].values, 2 * before[method].values, rtol=1e-3,
            atol=1e-4 * np.abs(after[method].values).max(),
        )  # fmt: skip
