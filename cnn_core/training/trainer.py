"""A Keras fit that can be watched, paused, stepped, taken apart and stopped."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnn_core.networks.architectures import build
from cnn_core.networks.draft import graph_of_design
from cnn_core.networks.keras_model import assign_weights, load_model, model_of, weights_of
from cnn_core.networks.zoo import open_network
from cnn_core.training.batches import Batches, as_input, held_out_digits, training_digits
from cnn_core.training.config import TrainingConfig, check_start, film_steps
from cnn_core.training.control import Control
from cnn_core.training.dissection import Dissector
from cnn_core.training.events import (
    BatchDone,
    CheckpointReached,
    Dissected,
    Ended,
    EpochDone,
    FrameTaken,
    Paused,
    Sampled,
    TrainingEvent,
)
from cnn_core.training.recorder import HELD_OUT
from cnn_core.training.run import Drawings

OnEvent = Callable[[TrainingEvent], None]

PROBE_DIGITS = 64  # on which gradients and dead units are sampled
SAMPLE_EVERY = 200  # steps
EARLY_SAMPLES = (10, 30)
_EVALUATED_AT_ONCE = 500


def train(
    config: TrainingConfig,
    on_event: OnEvent,
    control: Control | None = None,
    *,
    resume: CheckpointReached | None = None,
    drawings: Drawings | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.Model:
    """Train a network, telling everything that happens; returns the model.

    The same config and seed give the same history on the same machine, and so does a training
    that was broken off and resumed from a checkpoint.

    Parameters
    ----------
    on_event : called in the order in which things happen, in this thread.
    control : may pause, step, stop it, and change the learning rate.
    resume : go on from here instead of from the start.
    drawings : `(n, 28, 28)` uint8 and `(n,)` labels; every second digit of a batch is one of these.
    callbacks : more of Keras's own, for the same fit.

    Raises
    ------
    BadConfig : `config.start` is a network of another architecture's shape.
    UnknownNetwork, UnknownStep : there is no such architecture, or no such start.
    """
    keras.utils.set_random_seed(config.seed)
    model = model_for(config)
    compile_for(model, config)
    if resume is not None:
        restore(model, resume)
    first_epoch = resume.epoch if resume else 0
    batches = Batches(*training_digits(config), config, drawings)
    watcher = _Watcher(config, batches, on_event, control or Control(), first_epoch)
    held_out, labels = held_out_digits(config)
    try:
        model.fit(
            batches.stream(first_epoch, config.epochs),
            steps_per_epoch=config.steps_per_epoch,
            epochs=config.epochs,
            initial_epoch=first_epoch,
            validation_data=(as_input(held_out), labels) if len(labels) else None,
            validation_batch_size=_EVALUATED_AT_ONCE,
            callbacks=[watcher, *callbacks],
            shuffle=False,  # the batches are in order already, one that can be resumed
            verbose=0,
        )
    except _Stopped:
        pass  # as was asked; Keras's own way would look at the held-out digits first
    on_event(Ended(watcher.step, watcher.stopped, watcher.message))
    return model


def model_for(config: TrainingConfig) -> keras.Model:
    """The network before its first step."""
    if config.start is None:
        if config.design is not None:
            return model_of(graph_of_design(config.design))
        return build(config.architecture)
    check_start(open_network(config.start.id).card)
    return load_model(config.start)


def optimizer_of(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """The optimizer at the rate of the first step."""
    rate = config.rate(0)
    makers: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
        "Adam": lambda: keras.optimizers.Adam(rate),
        "SGD": lambda: keras.optimizers.SGD(rate),
        "SGD with momentum": lambda: keras.optimizers.SGD(rate, momentum=0.9),
        "RMSprop": lambda: keras.optimizers.RMSprop(rate),
        "AdamW": lambda: keras.optimizers.AdamW(rate),
    }
    return makers[config.optimizer]()


def losses_of(config: TrainingConfig) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Each digit's loss, from labels `(n,)` and probabilities `(n, classes)`."""
    smoothing = config.label_smoothing

    def losses(labels: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
        if not smoothing:
            return keras.losses.sparse_categorical_crossentropy(labels, probabilities)
        classes = probabilities.shape[-1]
        targets = tf.one_hot(tf.cast(tf.reshape(labels, [-1]), tf.int32), classes)
        return keras.losses.categorical_crossentropy(
            targets, probabilities, label_smoothing=smoothing
        )

    return losses


def compile_for(model: keras.Model, config: TrainingConfig) -> None:
    losses = losses_of(config)
    model.compile(
        optimizer=optimizer_of(config),
        loss=lambda y_true, y_pred: losses(y_true, y_pred),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )


def restore(model: keras.Model, checkpoint: CheckpointReached) -> None:
    """Weights and optimizer as they were."""
    assign_weights(model, checkpoint.weights)
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(model.optimizer.variables, checkpoint.optimizer, strict=True):
        variable.assign(value)


class _Stopped(Exception):
    """Somebody, or a loss that is not finite, ended the fit."""


class _Watcher(keras.callbacks.Callback):
    """Tells what happens, and does what the control says, between the batches of a fit."""

    def __init__(
        self,
        config: TrainingConfig,
        batches: Batches,
        on_event: OnEvent,
        control: Control,
        first_epoch: int,
    ) -> None:
        super().__init__()
        self.config, self.batches, self.tell, self.control = config, batches, on_event, control
        self.step = first_epoch * config.steps_per_epoch
        self.epoch = first_epoch
        self.stopped, self.message = False, ""
        self._frames = set(film_steps(config))
        self._rate = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        held_out, labels = held_out_digits(self.config)
        if not len(labels):
            held_out, labels = training_digits(self.config)
        self._images, self._labels = as_input(held_out[:HELD_OUT]), labels[:HELD_OUT]
        self._probe = Dissector(self.model, losses_of(self.config))
        self._dissection: Any = None
        if self.step == 0:
            self._take_frame()
            self._sample()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = self.batches.epoch = epoch
        self._seen, self._sums = 0, (0.0, 0.0)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.control.wait(lambda: self.tell(Paused(self.step)), lambda: self._dissect(batch))
        if self.control.stopping:
            self._stop("")
        rate = self.control.rate or self.config.rate(self.step)
        if rate != self._rate:
            self.model.optimizer.learning_rate = rate
            self._rate = rate

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.step += 1
        size = self.config.batch_size
        images = min(size, self.config.training_digits - batch * size)
        loss, accuracy = self._of_this_batch(logs, images)
        self.tell(BatchDone(self.step, self.epoch, loss, accuracy, self._rate, images))
        if self._dissection is not None:
            done = self._dissection.with_after(weights_of(self.model))
            self._dissection = None
            self.tell(Dissected(self.step, done))
        if not math.isfinite(loss):
            self._stop("The loss is no longer a finite number: the steps were too large.")
        if self.step in self._frames:
            self._take_frame()
        if self.step in EARLY_SAMPLES or self.step % SAMPLE_EVERY == 0:
            self._sample()

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Nobody waits until all held-out digits have been looked at."""
        self.control.hold(lambda: self.tell(Paused(self.step)))
        if self.control.stopping:
            self._stop("")

    def _of_this_batch(self, logs: Any, images: int) -> tuple[float, float]:
        """Loss and accuracy of the last batch alone; Keras tells the epoch's running means.

        To about 1e-5, as its 32-bit sums have it. Metrics of our own would cost 2% of the speed.
        """
        self._seen += images
        before = self._sums
        self._sums = float(logs["loss"]) * self._seen, float(logs["accuracy"]) * self._seen
        loss = (self._sums[0] - before[0]) / images
        right = round(self._sums[1] - before[1]) if math.isfinite(self._sums[1]) else 0
        return loss, right / images

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        nothing = float("nan")
        logs = logs or {}
        self.tell(
            EpochDone(
                self.step,
                epoch,
                float(logs["loss"]),
                float(logs["accuracy"]),
                float(logs.get("val_loss", nothing)),
                float(logs.get("val_accuracy", nothing)),
            )
        )
        self.tell(
            CheckpointReached(
                self.step,
                epoch + 1,
                weights_of(self.model),
                tuple(
                    np.array(keras.ops.convert_to_numpy(variable))
                    for variable in self.model.optimizer.variables
                ),
            )
        )
        self.control.epoch_done()

    def _stop(self, message: str) -> None:
        self.stopped, self.message = True, message
        raise _Stopped

    def _take_frame(self) -> None:
        right = self.model.predict_on_batch(self._images).argmax(axis=1) == self._labels
        self.tell(FrameTaken(self.step, weights_of(self.model), float(right.mean())))

    def _sample(self) -> None:
        norms, dead = self._probe.sample(self._images[:PROBE_DIGITS], self._labels[:PROBE_DIGITS])
        self.tell(Sampled(self.step, norms, dead))

    def _dissect(self, batch: int) -> None:
        images, labels = self.batches.batch(self.epoch, batch)
        self._dissection = self._probe.dissect(self.step, images, labels)
        self.tell(Dissected(self.step, self._dissection))
