"""Layouts against scikit-learn, plain linear algebra and what they promise."""

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from cnn_core.data.mnist import load_mnist
from cnn_core.insight.embedding import activations, pca_layout, tsne_layout
from cnn_core.insight.results import Layout
from cnn_core.lab.insight import embed
from cnn_core.lab.requests import EmbeddingRequest
from cnn_core.networks.keras_model import load_model
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network

LAST = open_network("classic").last
IMAGES = np.divide(load_mnist().x_test[::50, ..., None], 255, dtype=np.float32)  # (200, 28, 28, 1)
LABELS = load_mnist().y_test[::50]


def quiet(share: float) -> None:
    assert 0 <= share <= 1 + 1e-9


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return load_model(LAST)


@pytest.fixture(scope="module")
def features(model: keras.Model) -> np.ndarray:
    return activations(model, "dense_1", IMAGES)[0]


@pytest.mark.parametrize("layer", ["input", "conv_1", "flatten", "dense_1", "output"])
def test_activations_are_those_of_keras(model: keras.Model, layer: str) -> None:
    found, answers = activations(model, layer, IMAGES)
    up_to = keras.Model(model.inputs[0], model.get_layer(layer).output)
    np.testing.assert_allclose(
        found, up_to.predict_on_batch(IMAGES).reshape(len(IMAGES), -1), atol=1e-4
    )
    np.testing.assert_array_equal(answers, model.predict_on_batch(IMAGES).argmax(axis=1))


def test_pca_is_scikit_learns_up_to_scale_and_sign(features: np.ndarray) -> None:
    layout = pca_layout(features, LABELS, None)
    expected = PCA(2, svd_solver="full").fit(features)
    points = expected.transform(features)
    for axis in range(2):
        ratio = layout.points[:, axis] / points[:, axis]
        np.testing.assert_allclose(ratio, np.median(ratio), rtol=0.02)
    assert layout.explained == pytest.approx(expected.explained_variance_ratio_.sum(), rel=1e-3)
    assert np.abs(layout.points).max() == pytest.approx(1)


def test_an_image_of_the_sample_has_its_own_place(features: np.ndarray) -> None:
    for layout in (pca_layout(features, LABELS, None), tsne_layout(features, LABELS, None)):
        for k in (0, 17, 199):
            np.testing.assert_allclose(layout.place(features[k]), layout.points[k], atol=1e-3)


def test_by_t_sne_a_stranger_stands_among_its_nearest_by_hand() -> None:
    points = np.array([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1], [1, 1]], np.float32)
    lies = np.array([[0.0], [1], [2], [3], [4], [100]], np.float32)
    layout = Layout(points, LABELS[:6], None, np.zeros(1), np.ones((1, 1)), lies)
    # At 0.5 the nearest are at 0, 1, 2, 3 and 4: weights 2, 2, 2/3, 2/5 and 2/7.
    weights = np.array([2, 2, 2 / 3, 2 / 5, 2 / 7])
    np.testing.assert_allclose(
        layout.place(np.array([0.5])), weights @ points[:5] / weights.sum(), rtol=1e-6
    )


def test_t_sne_keeps_near_what_is_near(features: np.ndarray) -> None:
    layout = tsne_layout(features, LABELS, None)
    assert trustworthiness(features, layout.points, n_neighbors=5) > 0.93
    again = tsne_layout(features, LABELS, None)
    np.testing.assert_array_equal(layout.points, again.points)


def test_a_moment_is_turned_to_be_like_the_one_before(features: np.ndarray) -> None:
    before = pca_layout(features, LABELS, None)
    turned = Layout(
        before.points @ np.array([[0, 1], [1, 0]], np.float32),  # mirrored
        LABELS, None, before.mean, before.axes,
    )  # fmt: skip
    after = pca_layout(features, LABELS, turned)
    np.testing.assert_allclose(after.points, turned.points, atol=1e-3)
    np.testing.assert_allclose(after.place(features[3]), after.points[3], atol=1e-3)


@pytest.mark.parametrize("lay_out", [pca_layout, tsne_layout])
def test_a_layer_that_is_dead_lays_all_out_in_one_place(lay_out: object) -> None:
    layout = lay_out(np.zeros((40, 64), np.float32), LABELS[:40], None)  # type: ignore[operator]
    assert np.isfinite(layout.points).all()
    assert np.isfinite(layout.place(np.ones(64, np.float32))).all()


def test_an_embedding_follows_the_training() -> None:
    refs = tuple(NetworkRef("classic", step) for step in (0, 133, LAST.step))
    found = embed(EmbeddingRequest(refs, "dense_1", "PCA", 200), quiet)
    assert found.images.tolist() == list(range(0, 10_000, 50))
    np.testing.assert_array_equal(found.labels, LABELS)

    def spread_within(layout: Layout) -> float:
        """Mean variance within classes as a share of all variance."""
        means = np.stack([layout.points[k == LABELS].mean(axis=0) for k in range(10)])
        return float(np.var(layout.points - means[LABELS]) / np.var(layout.points))

    early, _, late = map(spread_within, found.layouts)
    assert late < 0.5 * early
    right = [float(np.mean(layout.answers == LABELS)) for layout in found.layouts]
    assert right[0] < 0.3 < 0.98 < right[-1]
