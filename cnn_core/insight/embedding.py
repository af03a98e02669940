"""Images laid out in the plane by what a layer makes of them.

PCA: H. Hotelling, Journal of Educational Psychology 24 (1933). t-SNE: L. van der Maaten and
G. Hinton, Journal of Machine Learning Research 9 (2008), as scikit-learn has them.
"""

import warnings

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cnn_core.insight.results import Layout
from cnn_core.networks.keras_model import calls_of
from cnn_core.probe.activations import run_call

_BATCH = 250
_AXES = 30  # principal components that t-SNE starts from
_STEPS, _LATER_STEPS = 750, 400  # of t-SNE; a layout that goes on from another needs fewer
_SEED = 11


def activations(
    model: keras.Model, layer: str, images: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """A layer's outputs `(n, features)`, and the network's answers `(n,)`.

    Parameters
    ----------
    images : `(n, H, W, C)`, as the model reads them.
    """
    calls = tuple(calls_of(model))

    def run(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        symbols: dict[int, tf.Tensor] = {}
        outputs: dict[str, tf.Tensor] = {}
        for call in calls:
            value = batch if call.node.is_input else run_call(call, symbols)[0]
            symbols[id(call.node.outputs[0])] = outputs[call.name] = value
        answers = tf.argmax(outputs[calls[-1].name], axis=-1)
        return tf.reshape(outputs[layer], (tf.shape(batch)[0], -1)), answers

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    compiled = tf.function(run, input_signature=signature, autograph=False)
    parts = [
        compiled(tf.constant(images[start : start + _BATCH]))
        for start in range(0, len(images), _BATCH)
    ]
    return (
        np.concatenate([features.numpy() for features, _ in parts]),
        np.concatenate([answers.numpy() for _, answers in parts]).astype(np.uint8),
    )


def pca_layout(
    features: NDArray[np.float32], answers: NDArray[np.uint8], before: Layout | None
) -> Layout:
    """The two directions in which the images differ most.

    Parameters
    ----------
    features : `(n, features)`.
    before : the moment before; the axes are turned, or flipped, to be like its.
    """
    mean, axes, explained = _principal(features, 2)
    points = (features - mean) @ axes
    turn = _turn(points, before)
    axes = axes @ turn / _reach(points @ turn)
    return Layout((features - mean) @ axes, answers, explained, mean, axes)


def tsne_layout(
    features: NDArray[np.float32], answers: NDArray[np.uint8], before: Layout | None
) -> Layout:
    """Near stands what is near in the layer; distances between groups mean little.

    From the first 30 principal components; goes on from the moment before, if there is one.
    """
    # Here, not above: it takes seconds to import, and few workers lay images out.
    from sklearn.manifold import TSNE

    mean, axes, _ = _principal(features, _AXES)
    lies = (features - mean) @ axes
    start = lies[:, :2] if before is None else before.points
    start = start / max(float(start[:, 0].std()), 1e-12) * 1e-4  # as scikit-learn's own start
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of divisions where all images are alike
        points = TSNE(
            init=np.ascontiguousarray(start, np.float32),
            max_iter=_STEPS if before is None else _LATER_STEPS,
            random_state=_SEED,
            perplexity=min(30.0, (len(features) - 1) / 3),
        ).fit_transform(lies)
    points = points - points.mean(axis=0)
    points = points @ _turn(points, before)
    return Layout((points / _reach(points)).astype(np.float32), answers, None, mean, axes, lies)


def _principal(
    features: NDArray[np.float32], count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Mean `(features,)`, axes `(features, count)`, and the share of the variance they hold."""
    from sklearn.decomposition import PCA

    wanted = min(count, *features.shape)
    if not np.ptp(features, axis=0).any():  # every image is the same to this layer
        return features[0], np.zeros((features.shape[1], count), np.float32), 0.0
    found = PCA(wanted, random_state=_SEED).fit(features)
    axes = np.zeros((features.shape[1], count), np.float32)
    axes[:, :wanted] = found.components_.T
    return found.mean_.astype(np.float32), axes, float(found.explained_variance_ratio_.sum())


def _turn(points: NDArray, before: Layout | None) -> NDArray[np.float32]:
    """The rotation or reflection, `(2, 2)`, that brings points nearest to those before.

    P. Schönemann, Psychometrika 31 (1966).
    """
    if before is None:
        return np.eye(2, dtype=np.float32)
    left, _, right = np.linalg.svd(points.T @ before.points)
    return (left @ right).astype(np.float32)


def _reach(points: NDArray) -> np.float32:
    """The greatest coordinate; 1 if all are 0."""
    return np.float32(np.abs(points).max() or 1.0)
