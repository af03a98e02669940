"""The digits in the order in which a training sees them."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cnn_core.data.datasets import DATASETS
from cnn_core.data.images import LabelledImages
from cnn_core.training.config import TrainingConfig


class Batches(keras.utils.PyDataset):
    """Batches of digits. Batch `step` of epoch `epoch` depends on the seed, the epoch and the
    step, and on nothing else.

    Whoever fits on it itself, not on its `stream`, sets `epoch` at the beginning of each, and says
    ``shuffle=False``: else Keras takes the batches in an order of its own.

    Parameters
    ----------
    images : `(n, 28, 28)` uint8.
    labels : `(n,)`.
    extra : images and labels of which some join every batch: people's own drawings.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        config: TrainingConfig,
        extra: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None,
    ) -> None:
        super().__init__()
        self._images, self._labels, self._config, self._extra = images, labels, config, extra
        self._ordered: tuple[int, NDArray[np.intp]] | None = None
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self._images) // self._config.batch_size)

    def __getitem__(self, step: int) -> tuple[NDArray[np.float32], NDArray]:
        return self.batch(self.epoch, step)

    def batch(self, epoch: int, step: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Images `(n, 28, 28, 1)` float32 in [0, 1] and labels `(n,)`."""
        size = self._config.batch_size
        rows = self._order(epoch)[step * size : (step + 1) * size]
        images, labels = self._images[rows], self._labels[rows]
        rng = np.random.default_rng([self._config.seed, epoch, step])
        if self._extra is not None:
            half = max(1, len(rows) // 2)
            own = rng.integers(len(self._extra[1]), size=half)
            images = np.concatenate([images[half:], self._extra[0][own]])
            labels = np.concatenate([labels[half:], self._extra[1][own]])
        inputs = as_input(images)
        return (moved(inputs, rng) if self._config.augmentation else inputs), labels

    def stream(self, first_epoch: int, epochs: int) -> "tf.data.Dataset | Batches":
        """The same batches, epoch after epoch, in a form that a fit reads fastest.

        Plain digits are gathered by TensorFlow while the step before is under way. Augmented ones
        and drawings are made here.
        """
        if self._config.augmentation or self._extra is not None:
            return self
        images, labels = tf.constant(self._images[..., None]), tf.constant(self._labels)
        count, size = len(self._images), self._config.batch_size

        def rows(epoch: tf.Tensor) -> tf.data.Dataset:
            order = tf.numpy_function(
                lambda at: self._order(int(at)).astype(np.int64), [epoch], tf.int64
            )
            return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(order, [count])).batch(size)

        def gathered(at: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return tf.cast(tf.gather(images, at), tf.float32) / 255, tf.gather(labels, at)

        epochs_in_order = tf.data.Dataset.range(first_epoch, epochs)
        return epochs_in_order.flat_map(rows).map(gathered).prefetch(4)

    def _order(self, epoch: int) -> NDArray[np.intp]:
        if self._ordered is None or self._ordered[0] != epoch:
            rng = np.random.default_rng([self._config.seed, epoch])
            self._ordered = epoch, rng.permutation(len(self._images))
        return self._ordered[1]


def training_digits(config: TrainingConfig) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The digits to train on, `(n, 28, 28)` uint8, and their labels."""
    images, end = images_of(config), config.training_digits
    return images.x_train[:end], images.y_train[:end]


def held_out_digits(config: TrainingConfig) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The validation digits, as ``validation_split`` takes them: the last ones."""
    images, start, end = images_of(config), config.training_digits, config.digits
    return images.x_train[start:end], images.y_train[start:end]


def images_of(config: TrainingConfig) -> LabelledImages:
    """The data set it is about. Raises `DataError` if the machine does not have it."""
    return DATASETS[config.dataset].load()


def as_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """`(n, H, W)` uint8 → `(n, H, W, 1)` float32 in [0, 1]."""
    return np.divide(images[..., None], 255, dtype=np.float32)


def moved(inputs: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Each image shifted, turned and scaled a little: people's drawings vary more than MNIST."""
    transforms = small_moves(rng, len(inputs))
    images = keras.ops.image.affine_transform(inputs, transforms, interpolation="bilinear")
    return keras.ops.convert_to_numpy(images)


def small_moves(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Affine transforms about the centre of a 28×28 image, `(count, 8)` as Keras takes them.

    Shifts to ±2 px, turns to ±12°, scales 0.85–1.15, shear to ±0.1.
    """
    angle = np.deg2rad(rng.uniform(-12, 12, count))
    scale = rng.uniform(0.85, 1.15, count)
    shear = rng.uniform(-0.1, 0.1, count)
    shift = rng.uniform(-2, 2, (2, count))
    a, b = np.cos(angle) / scale, (-np.sin(angle) + shear) / scale
    c, d = np.sin(angle) / scale, np.cos(angle) / scale
    centre = 13.5
    dx = centre - (a + b) * centre + shift[0]
    dy = centre - (c + d) * centre + shift[1]
    zero = np.zeros(count)
    return np.stack([a, b, dx, c, d, dy, zero, zero], axis=1).astype(np.float32)
