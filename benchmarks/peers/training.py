"""One epoch of `classic`: ConvScope's recorded training, a plain fit, PyTorch eager.

    python -m benchmarks.peers.training

The same random start, the same batches in the same order, Adam with the same settings, each step's
loss and accuracy known; no browser. PyTorch has a process of its own.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.command import check_same, is_here, left_out, run, versions_of
from benchmarks.peers.figures import Findings, compared
from benchmarks.peers.keras_side import kernels_and_biases
from benchmarks.peers.torch_side.client import TorchSide, by_threads, quicker
from cnn_core.networks.architectures import build
from cnn_core.networks.keras_model import graph_of
from cnn_core.training.batches import Batches, training_digits
from cnn_core.training.config import TrainingConfig
from cnn_core.training.events import BatchDone, TrainingEvent
from cnn_core.training.recorder import Recorder
from cnn_core.training.runs import Runs
from cnn_core.training.trainer import model_for, train

TORCH = "PyTorch eager"
ROUNDS = 3
SKIPPED = 30  # steps before the clock starts: compiling
CONFIG = TrainingConfig(share=0.24, validation_split=0.0, epochs=1)  # 14,400 digits, 225 steps
EPSILON = 1e-7  # Keras's; PyTorch's own is 1e-8
FIRST_LOSS, MEAN_LOSS = 1e-5, 0.05  # how far they may be apart


@dataclass(frozen=True)
class Epoch:
    """Seconds for one image, the first batch's loss, and the mean loss of the epoch."""

    seconds: float
    first_loss: float
    mean_loss: float


class Stopwatch(keras.callbacks.Callback):
    """Times a fit from the end of a step to the end of its epoch; notes the first loss."""

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if batch == 0:
            self.first_loss = float((logs or {})["loss"])
        if batch == SKIPPED:
            self.began = time.perf_counter()
        elif batch == CONFIG.steps_per_epoch - 1:
            self.seconds = time.perf_counter() - self.began


def per_image(seconds: float) -> float:
    return seconds / ((CONFIG.steps_per_epoch - 1 - SKIPPED) * CONFIG.batch_size)


def epoch_in_order() -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """All digits `(n, 28, 28, 1)` and labels `(n,)`, in the order in which ConvScope shows them."""
    batches = Batches(*training_digits(CONFIG), CONFIG)
    images, labels = zip(
        *(batches.batch(0, step) for step in range(CONFIG.steps_per_epoch)), strict=True
    )
    return np.concatenate(images), np.concatenate(labels)


def fresh_model() -> keras.Model:
    """The random start that ConvScope's training makes of its seed."""
    keras.utils.set_random_seed(CONFIG.seed)
    return build(CONFIG.architecture)


def ours() -> Epoch:
    """A recorded training: history, frames of the film, gradient norms, checkpoint and all."""
    record = Recorder(Runs().create(CONFIG), graph_of(model_for(CONFIG)))
    losses: list[float] = []

    def tell(event: TrainingEvent) -> None:
        record(event)
        if isinstance(event, BatchDone):
            losses.append(event.loss)

    watch = Stopwatch()
    train(CONFIG, tell, callbacks=[watch])
    return Epoch(per_image(watch.seconds), losses[0], statistics.fmean(losses))


def plain_fit(images: NDArray, labels: NDArray) -> Epoch:
    model = fresh_model()
    model.compile(
        optimizer=keras.optimizers.Adam(CONFIG.learning_rate, epsilon=EPSILON),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    watch = Stopwatch()
    history = model.fit(
        images, labels, batch_size=CONFIG.batch_size, shuffle=False, verbose=0, callbacks=[watch]
    )
    return Epoch(per_image(watch.seconds), watch.first_loss, history.history["loss"][0])


def torch_steps(torch: TorchSide, threads: int, steps: int) -> tuple[float, list[float]]:
    """Seconds of the steps after the first `SKIPPED`, and the losses."""
    weights = kernels_and_biases(fresh_model())
    return torch.ask_with(threads, "epoch", weights, CONFIG.learning_rate, EPSILON, SKIPPED, steps)


def torch_eager(torch: TorchSide, threads: int) -> Epoch:
    seconds, losses = torch_steps(torch, threads, CONFIG.steps_per_epoch)
    return Epoch(per_image(seconds), losses[0], statistics.fmean(losses))


def check_losses(name: str, theirs: Epoch, ours: Epoch) -> None:
    """They start from the same loss, and learn as fast."""
    for what, one, other, most in (
        ("loss of the first batch", theirs.first_loss, ours.first_loss, FIRST_LOSS),
        ("mean loss of the epoch", theirs.mean_loss, ours.mean_loss, MEAN_LOSS),
    ):
        check_same(f"{what}, {name}", np.array(one), np.array(other), most)


def compare() -> Findings:
    images, labels = epoch_in_order()
    ways: dict[str, Callable[[], Epoch]] = {
        "`train`, recorded": ours,
        "plain `model.fit`": lambda: plain_fit(images, labels),
    }
    seconds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory())
        os.environ["CONVSCOPE_HOME"] = home
        if is_here("PyTorch"):
            torch = stack.enter_context(TorchSide())
            torch.ask("train_on", images, labels, CONFIG.batch_size)
            tried = {
                name: torch_steps(torch, threads, 2 * SKIPPED)[0]
                for name, threads in by_threads(TORCH).items()
            }
            (name,) = quicker(TORCH, tried)
            ways[name] = partial(torch_eager, torch, by_threads(TORCH)[name])
        for turn in range(ROUNDS + 1):
            epochs = {name: way() for name, way in ways.items()}
            own, *others = epochs.values()
            for name, epoch in epochs.items():
                check_losses(name, epoch, own)
                if turn:  # the first is for warming up
                    seconds.setdefault(name, []).append(epoch.seconds)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    apart = max(abs(one.mean_loss / own.mean_loss - 1) for one in others)
    return Findings(
        (compared("training `classic`, an image, batch 64", medians, ROUNDS),),
        f"Training: the first batch’s loss is the same, {own.first_loss:.4f}; the mean losses of "
        f"{CONFIG.training_digits:,} digits are within {apart:.1%}. Every way reads the loss and "
        "the hits of each batch; ConvScope records its history, film and gradients besides.",
        left_out("PyTorch"),
        versions_of("TensorFlow", "Keras", "PyTorch"),
    )


if __name__ == "__main__":
    run(compare)
