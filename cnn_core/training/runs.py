"""The runs kept on disk: one folder each, readable by any process. Needs no Keras.

    <home>/runs/<id>/  config.json     what was asked for, by whom, and the run's name
                       drawings.safetensors      people's own digits, if it is trained on some
                       state.json      how it is going; replaced whole, again and again
                       history.csv     a row a batch, a row an epoch; grows
                       samples.csv     gradient norms and dead shares by layer; grows
                       network.json    card and graph, as of every network
                       film/           its frames
                       checkpoint.safetensors    to go on from, replaced whole at each epoch
                       dissection.safetensors    the last step that was taken apart
                       model.keras     at the end
                       orders.jsonl    what was asked of it since it was last begun; grows
                       visit           touched while its owner looks at it on another server
                       training.lock   held by the process that trains it
    <home>/runs/.locks/     all        held while runs are created, deleted, begun
                       <id>            held while a run's description or card is changed
                       <id>.claim      held by the server in whose queue it is

Several processes, on several machines if they share the folder, may use it at once. The home is
``CONVSCOPE_HOME``, or the platform's folder for user data.
"""

import csv
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from cnn_core.data.datasets import DATASETS
from cnn_core.disk import home, write_whole
from cnn_core.errors import BadConfig, DataError, RunError, UnknownRun
from cnn_core.networks.zoo import Network
from cnn_core.training.beats import is_silent
from cnn_core.training.config import TrainingConfig
from cnn_core.training.inbox import Inbox

Drawings = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""People's own digits, `(n, 28, 28)` uint8, and their labels `(n,)`."""

FORMAT = 1
LIVING = ("waiting", "running", "paused")
ENDED = ("stopped", "finished", "failed", "interrupted")
_SILENT_SECONDS = 6.0  # after which a living run counts as interrupted
_LONGEST_NAME = 60
_LOCK_SECONDS = 30.0  # nobody holds one of the locks for long
_LEAVING_SECONDS = 10.0  # at most, between a run’s last word and its leaving the queue


def quota_bytes() -> int:
    """How much the saved runs may take: ``CONVSCOPE_RUNS_MB``, 2,000 by default."""
    text = os.environ.get("CONVSCOPE_RUNS_MB", "")
    return (int(text) if text.isdecimal() and 0 < int(text) < 10**7 else 2000) * 1_000_000


@dataclass(frozen=True)
class RunState:
    """How a run is going.

    Attributes
    ----------
    word : one of `LIVING` or `ENDED`.
    step, epoch : done so far.
    images_per_second : lately, pauses apart.
    seconds_left : by that speed.
    learning_rate : of the last step.
    message : why it ended, if there is something to say.
    test_accuracy : of 10,000 test digits, once it has finished.
    beat : the clock, seconds since 1970, when this was written.
    where : the machine of a cluster that trains it; empty for the server's own.
    """

    word: str = "waiting"
    step: int = 0
    epoch: int = 0
    images_per_second: float = 0.0
    seconds_left: float = 0.0
    learning_rate: float = 0.0
    message: str = ""
    test_accuracy: float | None = None
    beat: float = 0.0
    where: str = ""


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


HISTORY_COLUMNS = (
    "kind", "step", "epoch", "loss", "accuracy", "learning_rate", "val_loss", "val_accuracy",
)  # fmt: skip
SAMPLE_COLUMNS = ("step", "layer", "gradient_norm", "dead_share")


class Run:
    """One run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name

    def _lock(self, ending: str = "") -> Path:
        # Beside the folder, not in it: a lock's file must not bring a deleted run back.
        return self.folder.parent / ".locks" / f"{self.id}{ending}"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Nobody else changes its description or its card meanwhile. Raises `RunError`."""
        with _held(self._lock()):
            yield

    @property
    def inbox(self) -> Inbox:
        """The orders given to it, from the first; see `Inbox`."""
        return Inbox(self.folder, self._lock(".orders"))

    # Who sees to it

    def claim(self, seconds: float = _LEAVING_SECONDS) -> FileLock:
        """Take it into one's queue: the lock to release when it has left. Ends with the process.

        Only for those who hold `Runs.changing`. Raises `RunError` if another server has it.
        """
        lock = FileLock(self._lock(".claim"), timeout=seconds, thread_local=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunError("This run is going on already, on another server.") from error
        except OSError as error:
            raise RunError(f"The run {self.id} cannot be written: {error.strerror}.") from error
        return lock

    def is_claimed(self, seconds: float = 0.0) -> bool:
        """Whether some server has it in its queue. Only for those who hold `Runs.changing`."""
        try:
            self.claim(seconds).release()
        except RunError:
            return True
        return False

    @property
    def last_visit(self) -> float:
        """When somebody to whom it belongs last looked in elsewhere, by the disk's clock; or 0."""
        try:
            return (self.folder / "visit").stat().st_mtime
        except OSError:
            return 0.0

    def visit(self) -> None:
        """Its owner is here: who trains it elsewhere is to know."""
        try:
            (self.folder / "visit").touch()
        except OSError:
            pass  # deleted meanwhile; or the disk is full, as its training will notice

    @property
    def is_trained(self) -> bool:
        """Whether a process trains it at this moment, on whatever machine."""
        try:
            with FileLock(self.folder / "training.lock", blocking=False):
                return False
        except (Timeout, OSError):
            return True

    # What was asked for

    def _description(self) -> dict[str, Any]:
        try:
            description = json.loads((self.folder / "config.json").read_text("utf-8"))
            if description["format"] != FORMAT:
                raise ValueError(f"format {description['format']} is not {FORMAT}")
            _ = description["name"], description["config"], float(description["created"])
            return description
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"The run in the folder {self.id} is damaged and was left alone: {error}."
            ) from error

    @property
    def config(self) -> TrainingConfig:
        """Raises `RunError`."""
        try:
            return TrainingConfig.from_json(json.dumps(self._description()["config"]))
        except BadConfig as error:
            raise RunError(f"The run in the folder {self.id} is damaged: {error}") from error

    @property
    def name(self) -> str:
        return str(self._description()["name"])

    @property
    def created(self) -> float:
        return float(self._description()["created"])

    @property
    def kept(self) -> bool:
        """Whether somebody asked for it to be kept when room is needed."""
        return bool(self._description().get("kept"))

    @property
    def owner(self) -> str:
        """Whose it is; empty for everybody's."""
        return str(self._description().get("owner", ""))

    @property
    def drawings(self) -> Drawings | None:
        """People's own digits that it is trained on. Raises `RunError`."""
        file = self.folder / "drawings.safetensors"
        if not file.exists():
            return None
        try:
            tensors = load_file(file)
            return tensors["images"], tensors["labels"]
        except (OSError, SafetensorError, KeyError) as error:
            raise RunError(f"The drawings of the run {self.id} are damaged: {error}.") from error

    def _describe(self, **changes: object) -> None:
        description = {**self._description(), **changes}
        try:
            write_whole(self.folder / "config.json", json.dumps(description, indent=1).encode())
        except OSError as error:
            raise RunError(f"The run {self.id} cannot be written: {error.strerror}.") from error

    def rename(self, name: str) -> None:
        """The run, and the network that it is. Raises `RunError` if the name is empty or too
        long, or cannot be written."""
        with self.changing():
            self._describe(name=checked_name(name))
            network = Network(self.folder)
            try:
                network.describe(replace(network.card, title=self.name), network.graph)
            except DataError:
                pass  # it has none yet, or a damaged one; its recorder takes the name from here
            except OSError as error:
                raise RunError(f"The run {self.id} cannot be written: {error.strerror}.") from error

    def keep(self, kept: bool) -> None:
        """Raises `RunError` if that cannot be written."""
        with self.changing():
            self._describe(kept=kept)

    # How it goes

    @property
    def told(self) -> RunState:
        """What was last written of it, however long ago. Raises `RunError`."""
        try:
            return RunState(**json.loads((self.folder / "state.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise RunError(
                f"The run in the folder {self.id} is damaged and was left alone: {error}."
            ) from error

    @property
    def state(self) -> RunState:
        """What it last said; a living run that has long been silent was interrupted."""
        state = self.told
        if state.word in LIVING and is_silent(self.id, state.beat, _SILENT_SECONDS):
            words = "The process ended before it was done. It can go on from its last whole epoch."
            return replace(state, word="interrupted", message=words)
        return state

    def tell(self, state: RunState) -> None:
        """Write how it goes, with the clock."""
        beating = replace(state, beat=time.time())
        write_whole(self.folder / "state.json", json.dumps(asdict(beating)).encode())

    def history(self) -> History:
        """All rows written so far; a last row that is not whole is left out."""
        batches: list[list[float]] = []
        epochs: list[list[float]] = []
        for row in self._rows("history.csv", HISTORY_COLUMNS):
            numbers = [float(text) if text else float("nan") for text in row[1:]]
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

    def samples(self) -> dict[str, NDArray[np.float64]]:
        """By layer `(n, 3)`: step, gradient norm, dead share (NaN where the layer has no ReLU)."""
        found: dict[str, list[tuple[float, ...]]] = {}
        for step, layer, norm, dead in self._rows("samples.csv", SAMPLE_COLUMNS):
            numbers = float(step), float(norm), float(dead) if dead else float("nan")
            found.setdefault(layer, []).append(numbers)
        return {layer: np.array(rows) for layer, rows in found.items()}

    def _rows(self, name: str, columns: tuple[str, ...]) -> Iterable[list[str]]:
        file = self.folder / name
        if not file.exists():
            return
        text = file.read_text("utf-8")
        whole = text[: text.rfind("\n") + 1]
        for row in csv.reader(whole.splitlines()[1:]):
            if len(row) == len(columns):
                yield row

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


class Runs:
    """The runs in a folder; those of the home by default."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home() / "runs"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """No other process creates, begins or deletes runs meanwhile. Raises `RunError`."""
        with _held(self.folder / ".locks" / "all"):
            yield

    def create(
        self,
        config: TrainingConfig,
        name: str = "",
        drawings: Drawings | None = None,
        owner: str = "",
    ) -> Run:
        """A new run, waiting. Makes room: the oldest that nobody keeps go.

        Parameters
        ----------
        name : made of the config, with a number if there is one of that name, if it is empty.
        drawings : to be trained on as well.
        owner : whose it is; empty for everybody's.

        Raises
        ------
        RunError : the folder cannot be written.
        """
        with self.changing():
            run = self._create(config, name, drawings, owner)
            self._make_room()
        return run

    def _create(
        self, config: TrainingConfig, name: str, drawings: Drawings | None, owner: str
    ) -> Run:
        run = Run(self.folder / secrets.token_hex(8))
        description = {
            "format": FORMAT,
            "name": checked_name(name or self._free_name(config, owner)),
            "created": time.time(),
            "kept": False,
            "owner": owner,
            "config": json.loads(config.to_json()),
        }
        try:
            run.folder.mkdir(parents=True)
            if drawings is not None:
                content = save({"images": drawings[0], "labels": drawings[1]})
                write_whole(run.folder / "drawings.safetensors", content)
            write_whole(run.folder / "config.json", json.dumps(description, indent=1).encode())
            run.tell(RunState())
        except OSError as error:
            shutil.rmtree(run.folder, ignore_errors=True)
            raise _no_room(self.folder, error) from error
        return run

    def _free_name(self, config: TrainingConfig, owner: str) -> str:
        """What the config says, and a number that none of theirs has."""
        taken = {run.name for run in self.all(owner)[0]}
        data = "" if config.dataset == "mnist" else f", {DATASETS[config.dataset].title}"
        plain = f"{config.architecture}, {config.optimizer}{data}"
        numbered = (plain if k == 1 else f"{plain} {k}" for k in range(1, len(taken) + 2))
        return next(name for name in numbered if name not in taken)

    def __getitem__(self, id: str) -> Run:
        """Raises `UnknownRun`."""
        if not re.fullmatch(r"[0-9a-f]{16}", id) or not (self.folder / id).is_dir():
            raise UnknownRun(f"There is no run {id[:40]!r}; it may have been deleted.")
        return Run(self.folder / id)

    def all(self, owner: str = "") -> tuple[list[Run], list[str]]:
        """The runs that can be read, the newest first; and a sentence for each that cannot.

        Parameters
        ----------
        owner : only theirs; empty for all.
        """
        whole: list[tuple[float, Run]] = []
        damaged = []
        for folder in self.folder.glob("*"):
            if not re.fullmatch(r"[0-9a-f]{16}", folder.name):
                continue
            run = Run(folder)
            try:
                _ = run.config, run.state
                if not owner or run.owner == owner:
                    whole.append((run.created, run))
            except RunError as error:
                damaged.append(str(error))
        whole.sort(key=lambda pair: -pair[0])
        return [run for _, run in whole], [] if owner else damaged

    def delete(self, id: str) -> None:
        """Raises `UnknownRun`; `RunError` if it is still going on, or cannot be deleted."""
        with self.changing():
            self._delete(id, _LEAVING_SECONDS)

    def _delete(self, id: str, seconds: float) -> None:
        run = self[id]
        try:
            living = run.state.word in LIVING
        except RunError:
            living = False
        if living or run.is_claimed(seconds) or run.is_trained:
            raise RunError("This run is still going on. Stop it first.")
        try:
            # What has another name is no run any more, for nobody, even if it goes in two goes.
            going = self.folder / f".{id}.deleted"
            with run.changing():  # who gives it another name would make its folder anew
                os.replace(run.folder, going)
            shutil.rmtree(going)
            for lock in (self.folder / ".locks").glob(f"{id}*"):
                lock.unlink(missing_ok=True)
        except FileNotFoundError:
            pass  # somebody else was quicker
        except OSError as error:
            raise RunError(f"The run {id} cannot be deleted: {error.strerror}.") from error

    def make_room(self) -> list[str]:
        """Delete the oldest ended runs that nobody keeps until all fit the quota; their names."""
        with self.changing():
            return self._make_room()

    def _make_room(self) -> list[str]:
        for left in self.folder.glob(".*.deleted"):  # by a server that was killed meanwhile
            shutil.rmtree(left, ignore_errors=True)
        runs, _ = self.all()
        sizes = {run.id: run.size for run in runs}
        gone = []
        for run in reversed(runs):
            if sum(sizes.values()) <= quota_bytes():
                break
            if run.kept or run.state.word in LIVING:
                continue
            name = run.name
            try:
                self._delete(run.id, 0.0)
            except RunError:
                continue  # then a younger one
            gone.append(name)
            del sizes[run.id]
        return gone


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """Hold a lock among all processes, and all machines, that share its folder."""
    try:
        lock = FileLock(file, timeout=_LOCK_SECONDS).acquire()
    except Timeout as error:
        raise RunError(
            f"Another server has been at the runs in {file.parent.parent} for longer than "
            f"{_LOCK_SECONDS:.0f} seconds. Try again in a while."
        ) from error
    except OSError as error:
        raise _no_room(file.parent.parent, error) from error
    with lock:
        yield


def _no_room(folder: Path, error: OSError) -> RunError:
    return RunError(
        f"No run can be kept in {folder}: {error.strerror}. Make room there, or set "
        "CONVSCOPE_HOME to another folder."
    )


def checked_name(name: str) -> str:
    """A run's name without what does not belong in one line. Raises `RunError`."""
    clean = " ".join(name.split())
    if not clean or len(clean) > _LONGEST_NAME:
        raise RunError(f"A run's name has 1 to {_LONGEST_NAME} letters. Received: {len(clean)}.")
    return clean
