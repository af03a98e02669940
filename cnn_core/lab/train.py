"""A training in a worker of its own: the run's folder is written, orders are taken."""

import os
import threading

import keras
from filelock import FileLock, Timeout

from cnn_core.data.mnist import load_mnist
from cnn_core.errors import RunError
from cnn_core.insight.evaluation import accuracy_of
from cnn_core.lab.requests import PrepareTraining, Progress, TrainRequest
from cnn_core.networks.keras_model import assign_weights, graph_of, model_of, weights_of
from cnn_core.training.batches import images_of
from cnn_core.training.control import Control
from cnn_core.training.events import Ended, TrainingEvent
from cnn_core.training.recorder import Recorder
from cnn_core.training.run import Run
from cnn_core.training.runs import Runs
from cnn_core.training.trainer import model_for, train

_BEAT_SECONDS = 1.0
_OBEY_SECONDS = 0.05
_LOCK_SECONDS = 90.0  # as long as a file server may keep the lock of a machine that has gone


def prepare(request: PrepareTraining, progress: Progress) -> None:
    """Importing this module has done it; the digits are read too."""
    _ = load_mnist().x_train


def train_run(request: TrainRequest, progress: Progress) -> None:
    """Train it, once nobody else does: who was killed may write a last line while it dies."""
    run = Runs()[request.run]
    try:
        with FileLock(run.folder / "training.lock", timeout=_LOCK_SECONDS):
            _train(run, request, progress)
    except Timeout as error:
        raise RunError("Another process still trains this run. Try again in a while.") from error
    except OSError as error:
        raise RunError(
            f"The run cannot be written: {error.strerror or error}. Make room in {run.folder}."
        ) from error


def _train(run: Run, request: TrainRequest, progress: Progress) -> None:
    recorder = Recorder(run, graph_of(model_for(run.config)))
    control = Control()
    done = threading.Event()
    threading.Thread(target=_obey, args=(run, control, done), daemon=True).start()
    threading.Thread(target=_beat, args=(recorder, done), daemon=True).start()
    ending: list[Ended] = []

    def on_event(event: TrainingEvent) -> None:
        recorder(event)
        if isinstance(event, Ended):
            ending.append(event)

    try:
        resume = recorder.resume() if request.resume else None
        model = train(
            run.config,
            on_event,
            control,
            resume=resume,
            drawings=run.drawings,
            callbacks=_more_callbacks(run),
        )
        bare = model_of(recorder.graph)  # without our loss
        assign_weights(bare, weights_of(model))
        bare.save(run.folder / "model.keras")
        images = images_of(run.config)
        test_accuracy = accuracy_of(model, images.x_test, images.y_test, progress)
    finally:
        done.set()
    recorder.finish("stopped" if ending[0].stopped else "finished", test_accuracy)


def _more_callbacks(run: Run) -> list[keras.callbacks.Callback]:
    """TensorBoard's log, if ``CONVSCOPE_TENSORBOARD=1`` asks for it."""
    if os.environ.get("CONVSCOPE_TENSORBOARD") != "1":
        return []
    return [keras.callbacks.TensorBoard(run.folder / "tensorboard", update_freq=50)]


def _obey(run: Run, control: Control, done: threading.Event) -> None:
    """Take the orders that are given to the run, wherever they are given."""
    inbox = run.inbox
    while not done.wait(_OBEY_SECONDS):
        for order in inbox.read():
            control.give(order)


def _beat(recorder: Recorder, done: threading.Event) -> None:
    """A sign of life now and then, also while the held-out digits are being looked at."""
    while not done.wait(_BEAT_SECONDS):
        try:
            recorder.run.tell(recorder.state)
        except OSError:
            return  # the training itself will say so
