"""Train the shipped networks and write their films: ``python -m cnn_core.training.pretrain``.

Same seed, same machine, same networks. About 8 minutes on two slow cores.
Name networks to train only those: ``python -m cnn_core.training.pretrain intro``.
"""

import argparse
import shutil
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from cnn_core.data.mnist import load_mnist
from cnn_core.insight.evaluation import accuracy_of
from cnn_core.networks.architectures import build
from cnn_core.networks.film import Film
from cnn_core.networks.keras_model import assign_weights, graph_of, weights_of
from cnn_core.networks.zoo import SHIPPED, Network, NetworkCard
from cnn_core.training.batches import Batches
from cnn_core.training.config import TrainingConfig

BATCH = 64


@dataclass(frozen=True)
class Recipe:
    """How one shipped network is trained.

    `early` frames, spread evenly in the logarithm of the step over the first epoch, then one
    every `epochs_per_frame` epochs. All but the last are stored as `film_dtype`.
    """

    title: str
    about: str
    epochs: int
    early: int
    epochs_per_frame: int
    film_dtype: str
    peak_rate: float = 2e-3
    seed: int = 1998


RECIPES = {
    "classic": Recipe(
        title="Classic",
        about="Three convolutions with pooling between.",
        epochs=9,
        early=15,
        epochs_per_frame=1,
        film_dtype="float32",
    ),
    "intro": Recipe(
        title="Intro",
        about="One convolution, one pooling, two dense layers.",
        epochs=6,
        early=5,
        epochs_per_frame=3,
        film_dtype="float16",
    ),
}


class Camera(keras.callbacks.Callback):
    """Writes a frame at each of the chosen steps, and turns the digits' pages."""

    def __init__(self, film: Film, steps: set[int], dtype: str, digits: Batches) -> None:
        super().__init__()
        self.film, self.steps, self.dtype, self.step = film, steps, dtype, 0
        self.digits = digits

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.digits.epoch = epoch

    def on_train_begin(self, logs: Any = None) -> None:
        self._shoot()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.step += 1
        self._shoot()

    def _shoot(self) -> None:
        if self.step in self.steps:
            last = self.step == max(self.steps)
            weights = weights_of(self.model)
            self.film.write(self.step, weights, "float32" if last else self.dtype)


def film_steps(recipe: Recipe, steps_per_epoch: int) -> set[int]:
    """The steps to keep: 0, some early ones evenly spread in the logarithm, then by epoch."""
    early = np.geomspace(1, steps_per_epoch, recipe.early).round().astype(int)
    ends = range(recipe.epochs, 0, -recipe.epochs_per_frame)
    return {0, *early.tolist(), *(epoch * steps_per_epoch for epoch in ends)}


def pretrain(name: str, recipe: Recipe) -> float:
    """Train one network, write its folder, and return its accuracy on the 10,000 test digits."""
    keras.utils.set_random_seed(recipe.seed)
    mnist = load_mnist()

    network = Network(SHIPPED / name)
    shutil.rmtree(network.folder, ignore_errors=True)
    config = TrainingConfig(
        batch_size=BATCH, validation_split=0.0, augmentation=True, seed=recipe.seed
    )
    digits = Batches(mnist.x_train, mnist.y_train, config)
    steps = film_steps(recipe, len(digits))

    model = build(name)
    total = recipe.epochs * len(digits)
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.peak_rate / 10, total, warmup_target=recipe.peak_rate, warmup_steps=total // 8
    )
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    camera = Camera(network.film, steps, recipe.film_dtype, digits)
    model.fit(digits, epochs=recipe.epochs, callbacks=[camera], shuffle=False, verbose=2)

    accuracy = {}
    for step in network.film.steps:
        assign_weights(model, network.film.at(step))
        accuracy[step] = accuracy_of(model, mnist.x_test, mnist.y_test)
    network.describe(
        NetworkCard(
            id=name,
            title=recipe.title,
            about=recipe.about,
            input_shape=(28, 28, 1),
            value_range=(0.0, 1.0),
            class_names=tuple("0123456789"),
            dataset="mnist",
            accuracy=accuracy,
            recipe={
                "optimizer": "Adam, one cosine cycle with warm-up",
                "peak learning rate": recipe.peak_rate,
                "batch": BATCH,
                "epochs": recipe.epochs,
                "augmentation": "shift ±2 px, turn ±12°, scale 0.85–1.15, shear ±0.1",
                "seed": recipe.seed,
            },
        ),
        graph_of(model),
    )
    return accuracy[network.film.steps[-1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="all by default")
    for name in parser.parse_args().names or RECIPES:
        print(f"{name}: {pretrain(name, RECIPES[name]):.2%} of 10,000 test digits")


if __name__ == "__main__":
    main()
