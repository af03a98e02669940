"""A run's numbers: the two tables that grow while it trains, read as arrays.

history.csv     a row a batch, a row an epoch
samples.csv     gradient norms and dead shares by layer
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnn_core.disk import read_small
from cnn_core.errors import RunError

HISTORY_COLUMNS = (
    "kind", "step", "epoch", "loss", "accuracy", "learning_rate", "val_loss", "val_accuracy",
)  # fmt: skip
SAMPLE_COLUMNS = ("step", "layer", "gradient_norm", "dead_share")
MOST_STEPS = 10**9
_MOST_BYTES = 50_000_000  # most of a million batches


@dataclass(frozen=True)
class History:
    """A run's numbers, one array a column.

    Attributes
    ----------
    step, loss, accuracy, learning_rate : of each batch.
    epoch_step, epoch_loss, epoch_accuracy, val_loss, val_accuracy : of each epoch.
    """

    step: NDArray[np.int64]
    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    learning_rate: NDArray[np.float64]
    epoch_step: NDArray[np.int64]
    epoch_loss: NDArray[np.float64]
    epoch_accuracy: NDArray[np.float64]
    val_loss: NDArray[np.float64]
    val_accuracy: NDArray[np.float64]


def read_history(folder: Path) -> History:
    """All rows written so far; a last row that is not whole is left out. Raises `RunError`."""
    batches: list[list[float]] = []
    epochs: list[list[float]] = []
    for row in _rows(folder / "history.csv", HISTORY_COLUMNS):
        numbers = [_number(text, folder / "history.csv") for text in row[1:]]
        if not 0 <= numbers[0] < MOST_STEPS:
            raise _damaged(folder / "history.csv", f"{row[1]!r:.20} is no step")
        (batches if row[0] == "batch" else epochs).append(numbers)
    by_batch = np.array(batches, np.float64).reshape(-1, 7).T
    by_epoch = np.array(epochs, np.float64).reshape(-1, 7).T
    return History(
        step=by_batch[0].astype(np.int64),
        loss=by_batch[2],
        accuracy=by_batch[3],
        learning_rate=by_batch[4],
        epoch_step=by_epoch[0].astype(np.int64),
        epoch_loss=by_epoch[2],
        epoch_accuracy=by_epoch[3],
        val_loss=by_epoch[5],
        val_accuracy=by_epoch[6],
    )


def read_samples(folder: Path) -> dict[str, NDArray[np.float64]]:
    """By layer `(n, 3)`: step, gradient norm, dead share (NaN where the layer has no ReLU).
    Raises `RunError`."""
    found: dict[str, list[tuple[float, ...]]] = {}
    for step, layer, norm, dead in _rows(folder / "samples.csv", SAMPLE_COLUMNS):
        numbers = tuple(_number(text, folder / "samples.csv") for text in (step, norm, dead))
        found.setdefault(layer, []).append(numbers)
    return {layer: np.array(rows) for layer, rows in found.items()}


def _number(text: str, file: Path) -> float:
    try:
        return float(text) if text else float("nan")
    except ValueError as error:
        raise _damaged(file, f"{text!r:.20} is no number") from error


def _damaged(file: Path, why: object) -> RunError:
    return RunError(f"{file.name} of the run {file.parent.name} is damaged: {why}.")


def _rows(file: Path, columns: tuple[str, ...]) -> Iterable[list[str]]:
    if not file.exists():
        return
    try:
        text = read_small(file, _MOST_BYTES)
        whole = text[: text.rfind("\n") + 1]
        for row in csv.reader(whole.split("\n")[1:]):
            if len(row) == len(columns):
                yield row
    except (OSError, ValueError, csv.Error) as error:
        raise _damaged(file, error) from error
