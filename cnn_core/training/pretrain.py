"""Train the shipped networks and write their films: ``python -m cnn_core.training.pretrain``.

Same seed, same machine, same networks. About 8 minutes on two slow cores.
Name networks to train only those: ``python -m cnn_core.training.pretrain intro``.
"""

import argparse
import shutil
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from cnn_core.data.mnist import load_mnist
from cnn_core.insight.evaluation import accuracy_of
from cnn_core.networks.architectures import build
from cnn_core.networks.film import Film
from cnn_core.networks.keras_model import assign_weights, graph_of, weights_of
from cnn_core.networks.zoo import SHIPPED, Network, NetworkCard
from cnn_core.training.batches import Batches, training_digits
from cnn_core.training.config import COURSE, TrainingConfig

AUGMENTED = TrainingConfig(
    learning_rate=2e-3, validation_split=0.0, augmentation=True, seed=1998, epochs=9
)


@dataclass(frozen=True)
class Recipe:
    """How one shipped network is trained.

    `early` frames, spread evenly in the logarithm of the step over the first epoch, then one
    every `epochs_per_frame` epochs. All but the last are stored as `film_dtype`. The learning rate
    is the peak of a cosine cycle with a warm-up if `cycle`, else constant.
    """

    title: str
    about: str
    config: TrainingConfig
    early: int
    epochs_per_frame: int
    film_dtype: str = "float32"
    cycle: bool = True


RECIPES = {
    "classic": Recipe(
        title="Classic",
        about="Three convolutions with pooling between.",
        config=AUGMENTED,
        early=15,
        epochs_per_frame=1,
    ),
    "intro": Recipe(
        title="Intro",
        about="One convolution, one pooling, two dense layers.",
        config=replace(AUGMENTED, architecture="intro", epochs=6),
        early=5,
        epochs_per_frame=3,
        film_dtype="float16",
    ),
    "classic_plain": Recipe(
        title="Classic, plain",
        about="By the course’s recipe: five epochs, every digit as it is.",
        config=COURSE,
        early=4,
        epochs_per_frame=2,
        cycle=False,
    ),
    "classic_overfit": Recipe(
        title="Classic, overfitted",
        about="Shown the same 1,000 digits sixty times: it knows those by heart.",
        config=TrainingConfig(share=1 / 60, validation_split=0.0, epochs=60),
        early=3,
        epochs_per_frame=30,
        cycle=False,
    ),
    **{
        name: Recipe(
            title=title,
            about=about,
            config=replace(AUGMENTED, architecture=name, epochs=4),
            early=4,
            epochs_per_frame=2,
            film_dtype="float16",
        )
        for name, title, about in (
            ("lenet5", "LeNet-5", "1998: convolutions and averages in turn, for cheques."),
            ("vgg_mini", "VGG, small", "Nothing but 3×3 filters, stacked."),
            ("resnet_mini", "ResNet, small", "Blocks that add what they find to what they got."),
            ("plain_mini", "ResNet without skips", "The same layers, with nothing to add to."),
            ("inception_mini", "Inception, small", "Four widths side by side."),
            ("densenet_mini", "DenseNet, small", "Every layer reads all before it."),
        )
    },
}


_MOVES = "shift ±2 px, turn ±12°, scale 0.85–1.15, shear ±0.1"


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
    ends = range(recipe.config.epochs, 0, -recipe.epochs_per_frame)
    return {0, *early.tolist(), *(epoch * steps_per_epoch for epoch in ends)}


def pretrain(name: str, recipe: Recipe) -> float:
    """Train one network, write its folder, and return its accuracy on the 10,000 test digits."""
    config = recipe.config
    keras.utils.set_random_seed(config.seed)
    mnist = load_mnist()

    network = Network(SHIPPED / name)
    shutil.rmtree(network.folder, ignore_errors=True)
    digits = Batches(*training_digits(config), config)
    steps = film_steps(recipe, len(digits))

    model = build(config.architecture)
    peak, total = config.learning_rate, config.total_steps
    cycle = keras.optimizers.schedules.CosineDecay(
        peak / 10, total, warmup_target=peak, warmup_steps=total // 8
    )
    model.compile(
        optimizer=keras.optimizers.Adam(cycle if recipe.cycle else peak),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    camera = Camera(network.film, steps, recipe.film_dtype, digits)
    model.fit(digits, epochs=config.epochs, callbacks=[camera], shuffle=False, verbose=2)

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
                "optimizer": "Adam, one cosine cycle with warm-up" if recipe.cycle else "Adam",
                "peak learning rate" if recipe.cycle else "learning rate": peak,
                "batch": config.batch_size,
                "epochs": config.epochs,
                "digits": config.training_digits,
                "augmentation": _MOVES if config.augmentation else "none",
                "seed": config.seed,
            },
            architecture="" if name == config.architecture else config.architecture,
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
