"""Writes what a training tells into its run's folder."""

import csv
import itertools
import json
import os
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save

from cnn_core.data.datasets import DATASETS
from cnn_core.disk import write_whole
from cnn_core.errors import RunError
from cnn_core.networks.film import UNREADABLE, Film, Weights
from cnn_core.networks.graph import Graph
from cnn_core.networks.zoo import Network, NetworkCard
from cnn_core.training.events import (
    BatchDone,
    CheckpointReached,
    Dissected,
    Dissection,
    Ended,
    EpochDone,
    FrameTaken,
    Paused,
    Sampled,
    TrainingEvent,
)
from cnn_core.training.run import Run
from cnn_core.training.tables import HISTORY_COLUMNS, SAMPLE_COLUMNS
from cnn_core.whole import is_whole

HELD_OUT = 200  # digits on which a frame's accuracy is measured
_TELL_SECONDS = 0.25
_SPEED_BATCHES = 50  # over which the speed is measured


class Recorder:
    """An `on_event` for `train`.

    Parameters
    ----------
    run : its folder is written.
    graph : of the network that is trained.
    """

    def __init__(self, run: Run, graph: Graph) -> None:
        self.run, self.graph, self.config = run, graph, run.config
        where = os.environ.get("CONVSCOPE_PLACE", "")  # a cluster's machine is told its name
        self.state = replace(run.state, word="running", message="", where=where)
        self._network = Network(run.folder)
        self._accuracy: dict[int, float] = {}
        self._lately: deque[tuple[float, int]] = deque(maxlen=_SPEED_BATCHES)
        self._paused = False
        self._told = 0.0
        self._rows: list[tuple[object, ...]] = []

    def __call__(self, event: TrainingEvent) -> None:
        paused, self._paused = self._paused, isinstance(event, Paused)
        if isinstance(event, BatchDone):
            self._batch(event, paused)
        elif isinstance(event, EpochDone):
            self._rows.append((
                "epoch", event.step, event.epoch, event.loss, event.accuracy, "",
                event.val_loss, event.val_accuracy,
            ))  # fmt: skip
            self._tell(now=True, word="running", epoch=event.epoch + 1)
        elif isinstance(event, FrameTaken):
            self._frame(event)
        elif isinstance(event, Sampled):
            self._append("samples.csv", SAMPLE_COLUMNS, [
                (event.step, layer, norm, event.dead_shares.get(layer, ""))
                for layer, norm in event.gradient_norms.items()
            ])  # fmt: skip
        elif isinstance(event, CheckpointReached):
            self._flush()
            write_whole(self.run.folder / "checkpoint.safetensors", packed_checkpoint(event))
        elif isinstance(event, Dissected):
            content = packed_dissection(event.dissection)
            write_whole(self.run.folder / "dissection.safetensors", content)
            self._tell(now=True)
        elif isinstance(event, Paused):
            self._tell(now=True, word="paused")
        elif isinstance(event, Ended):
            end = event.message or ("Stopped." if event.stopped else "Done.")
            self._tell(now=True, message=f"{end} The test digits are being looked at.")
            self.state = replace(self.state, message=event.message)

    def _batch(self, event: BatchDone, after_pause: bool) -> None:
        if after_pause:
            self._lately.clear()
        self._lately.append((time.monotonic(), event.images))
        self._rows.append((
            "batch", event.step, event.epoch, event.loss, event.accuracy, event.learning_rate,
            "", "",
        ))  # fmt: skip
        self._tell(word="running", step=event.step, learning_rate=event.learning_rate)

    def _speed(self) -> float:
        """Images per second, lately."""
        if len(self._lately) < 2:
            return self.state.images_per_second
        seconds = self._lately[-1][0] - self._lately[0][0]
        return sum(images for _, images in list(self._lately)[1:]) / max(seconds, 1e-9)

    def _tell(self, now: bool = False, **changes: object) -> None:
        """Keep the state; write it, and the rows there are, if the last time is long enough ago."""
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        if not now and time.monotonic() - self._told < _TELL_SECONDS:
            return
        self._told = time.monotonic()
        speed = self._speed()
        left = (self.config.total_steps - self.state.step) * self.config.batch_size
        self.state = replace(
            self.state, images_per_second=speed, seconds_left=left / speed if speed else 0.0
        )
        self._flush()
        self.run.tell(self.state)

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        self._append("history.csv", HISTORY_COLUMNS, rows)

    def _append(
        self, name: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]
    ) -> None:
        file = self.run.folder / name
        new = not file.exists()
        with file.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            if new:
                writer.writerow(columns)
            writer.writerows(rows)

    def _frame(self, event: FrameTaken) -> None:
        """A frame, and then the card that names it."""
        self._network.film.write(event.step, event.weights)
        self._accuracy[event.step] = event.accuracy
        self.describe()

    def describe(self) -> None:
        """Write the network's card as it is now."""
        config = self.config
        with self.run.changing():  # somebody may be giving it another name
            self._network.describe(
                NetworkCard(
                    id=self.run.id,
                    title=self.run.name,
                    about=f"Trained here: {config.optimizer}, batch {config.batch_size}.",
                    input_shape=self.graph.input.output_shape,
                    value_range=(0.0, 1.0),
                    class_names=DATASETS[config.dataset].class_names,
                    dataset=config.dataset,
                    accuracy=dict(self._accuracy),
                    accuracy_of=f"{HELD_OUT} held-out {DATASETS[config.dataset].noun}s",
                    recipe=json.loads(config.to_json()),
                ),
                self.graph,
            )

    def finish(self, word: str, test_accuracy: float | None, message: str = "") -> None:
        """The last word."""
        self._flush()
        if test_accuracy is not None and self._accuracy:
            self._accuracy[max(self._accuracy)] = test_accuracy
            self.describe()
        self.state = replace(
            self.state,
            word=word,
            seconds_left=0.0,
            test_accuracy=test_accuracy,
            message=message or self.state.message,
        )
        self.run.tell(self.state)

    def resume(self) -> CheckpointReached | None:
        """Go back to the last whole epoch: what came after it is forgotten, and done again.

        Raises
        ------
        RunError : the checkpoint is damaged.
        """
        checkpoint = read_checkpoint(self.run)
        step = checkpoint.step if checkpoint else -1
        self._accuracy = {
            at: share
            for at, share in (self._network.card.accuracy if checkpoint else {}).items()
            if at <= step
        }
        film = Film(self.run.folder / "film")
        for frame in film.steps:
            if frame > step:
                film.file(frame).unlink(missing_ok=True)
        for name, column in (("history.csv", 1), ("samples.csv", 0)):
            self._forget(name, column, step)
        if checkpoint:
            self.describe()
        self.state = replace(
            self.state, step=max(step, 0), epoch=checkpoint.epoch if checkpoint else 0
        )
        return checkpoint

    def _forget(self, name: str, column: int, step: int) -> None:
        """Drop the rows of a file that came after a step, and a last row that is not whole."""
        file = self.run.folder / name
        if not file.exists():
            return
        text = file.read_text("utf-8")
        head, *lines = text[: text.rfind("\n") + 1].splitlines(keepends=True)
        kept = []
        for line in lines:
            at = next(itertools.islice(line.split(","), column, None), "")
            if is_whole(at) and int(at) <= step:  # else it came later, or is damaged
                kept.append(line)
        write_whole(file, "".join([head, *kept]).encode())


def packed_checkpoint(event: CheckpointReached) -> bytes:
    tensors = _flat("weights", event.weights)
    tensors |= {f"optimizer/{k}": np.atleast_1d(value) for k, value in enumerate(event.optimizer)}
    scalars = [k for k, value in enumerate(event.optimizer) if value.ndim == 0]
    return save(
        tensors,
        {
            "step": str(event.step),
            "epoch": str(event.epoch),
            "optimizer": str(len(event.optimizer)),
            "scalars": json.dumps(scalars),
        },
    )


def read_checkpoint(run: Run) -> CheckpointReached | None:
    """The run's last whole epoch; None if it has none yet. Raises `RunError`."""
    file = run.folder / "checkpoint.safetensors"
    if not file.exists():
        return None
    try:
        with safe_open(file, "numpy") as opened:
            facts = opened.metadata()
        tensors = load_file(file)
        scalars = json.loads(facts["scalars"])
        optimizer = [tensors[f"optimizer/{k}"] for k in range(int(facts["optimizer"]))]
        return CheckpointReached(
            int(facts["step"]),
            int(facts["epoch"]),
            _nested("weights", tensors),
            tuple(
                value.reshape(()) if k in scalars else value for k, value in enumerate(optimizer)
            ),
        )
    except UNREADABLE as error:
        raise RunError(f"The checkpoint of the run {run.id} is damaged: {error}.") from error


def packed_dissection(dissection: Dissection) -> bytes:
    tensors = {
        "images": dissection.images,
        "labels": dissection.labels,
        "probabilities": dissection.probabilities,
        "losses": dissection.losses,
        **_flat("before", dissection.before),
        **_flat("gradients", dissection.gradients),
        **_flat("after", dissection.after or {}),
    }
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    return save(contiguous, {"step": str(dissection.step)})


def read_dissection(run: Run) -> Dissection | None:
    """The run's last dissected step; None if there is none. Raises `RunError`."""
    file = run.folder / "dissection.safetensors"
    if not file.exists():
        return None
    try:
        with safe_open(file, "numpy") as opened:
            step = int(opened.metadata()["step"])
        tensors = load_file(file)
        return Dissection(
            step,
            tensors["images"],
            tensors["labels"],
            tensors["probabilities"],
            tensors["losses"],
            _nested("before", tensors),
            _nested("gradients", tensors),
            _nested("after", tensors) or None,
        )
    except UNREADABLE as error:
        raise RunError(f"The dissected step of the run {run.id} is damaged: {error}.") from error


def _flat(group: str, weights: Weights) -> dict[str, np.ndarray]:
    return {
        f"{group}/{layer}/{name}": np.ascontiguousarray(array)
        for layer, named in weights.items()
        for name, array in named.items()
    }


def _nested(group: str, tensors: dict[str, np.ndarray]) -> Weights:
    weights: Weights = {}
    for key, array in tensors.items():
        if key.startswith(f"{group}/"):
            layer, name = key.removeprefix(f"{group}/").rsplit("/", 1)
            weights.setdefault(layer, {})[name] = array
    return weights
