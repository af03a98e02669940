"""The order of the digits, and the networks that are shipped trained."""

from pathlib import Path

import numpy as np
import pytest

from cnn_core.data.mnist import load_mnist
from cnn_core.networks.zoo import Network
from cnn_core.training.batches import Batches, held_out_digits, training_digits
from cnn_core.training.config import TrainingConfig
from cnn_core.training.pretrain import RECIPES


def test_training_batches_depend_on_seed_epoch_and_step_alone() -> None:
    images = np.random.default_rng(0).integers(0, 255, (200, 28, 28), dtype=np.uint8)
    labels = np.arange(200, dtype=np.uint8)
    config = TrainingConfig(seed=7, augmentation=True)
    one, two = Batches(images, labels, config), Batches(images, labels, config)
    two[0], two[2]  # looking at other batches first changes nothing
    np.testing.assert_array_equal(one[1][0], two[1][0])
    one.epoch = 1
    assert not np.array_equal(one[1][1], two[1][1])
    assert sorted(np.concatenate([one[step][1] for step in range(len(one))])) == list(range(200))


@pytest.mark.soak
def test_pretraining_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of the recipe on a twentieth of the digits, through the same code."""
    from dataclasses import replace

    from cnn_core.data.mnist import Mnist
    from cnn_core.training import pretrain

    class Few(Mnist):
        def __init__(self) -> None:
            whole = load_mnist()
            self.__dict__.update(x_test=whole.x_test[:500], y_test=whole.y_test[:500])

    monkeypatch.setattr(pretrain, "load_mnist", Few)
    monkeypatch.setattr(pretrain, "SHIPPED", tmp_path)
    few = replace(RECIPES["classic"].config, share=0.05, epochs=2)
    recipe = replace(RECIPES["classic"], config=few, early=4)
    accuracy = pretrain.pretrain("classic", recipe)
    network = Network(tmp_path / "classic")
    assert accuracy > 0.7
    assert network.film.steps == (0, 1, 4, 13, 47, 94)
    assert network.card.accuracy[94] == accuracy


def test_the_split_takes_the_last_digits_as_keras_does() -> None:
    config = TrainingConfig(share=0.01, validation_split=0.25, batch_size=8)
    images, labels = training_digits(config)
    held_out, _ = held_out_digits(config)
    mnist = load_mnist()
    assert (len(images), len(held_out)) == (450, 150)
    np.testing.assert_array_equal(np.concatenate([images, held_out]), mnist.x_train[:600])
    np.testing.assert_array_equal(labels, mnist.y_train[:450])


def test_every_second_digit_of_a_batch_is_a_drawing_if_there_are_some() -> None:
    images = np.zeros((64, 28, 28), np.uint8)
    drawings = np.full((2, 28, 28), 255, np.uint8), np.array([3, 4], np.uint8)
    config = TrainingConfig(batch_size=10)
    batch, labels = Batches(images, np.zeros(64, np.uint8), config, extra=drawings)[0]
    assert batch.shape == (10, 28, 28, 1)
    assert (batch[:, 0, 0, 0] == 1).sum() == 5
    assert set(labels[5:].tolist()) <= {3, 4}
