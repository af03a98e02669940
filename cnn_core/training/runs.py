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
from safetensors.numpy import load_file, save

from cnn_core.data.datasets import DATASETS
from cnn_core.data.images import SIDE
from cnn_core.disk import folder_size, home, read_small, write_whole
from cnn_core.errors import BadConfig, DataError, RunError, TrainingError, UnknownRun
from cnn_core.networks.film import UNREADABLE
from cnn_core.networks.zoo import Network
from cnn_core.settings import is_public, whole_number
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
_MOST_TABLE_BYTES = 50_000_000  # of history.csv: most of a million batches
_MOST_STEPS = 10**9
_END_OF_TIME = 1e11  # seconds since 1970 that a calendar still knows
_LOCK_SECONDS = 30.0  # nobody holds one of the locks for long
_LEAVING_SECONDS = 10.0  # at most, between a run’s last word and its leaving the queue


def quota_bytes() -> int:
    """How much the saved runs may take: ``CONVSCOPE_RUNS_MB``, 2,000 by default, 1,000 in
    public."""
    usual = 1_000 if is_public() else 2_000
    return whole_number("CONVSCOPE_RUNS_MB", usual, 1, 10**7 - 1) * 1_000_000


def share_bytes() -> int:
    """How much of that one owner's runs may take, where runs have owners: a tenth."""
    return quota_bytes() // 10


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
            description = json.loads(read_small(self.folder / "config.json"))
            if description["format"] != FORMAT:
                raise ValueError(f"format {description['format']} is not {FORMAT}")
            _check_description(description)
            return description
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
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
            images, labels = tensors["images"], tensors["labels"]
            plain = images.dtype == labels.dtype == np.uint8 and not (labels > 9).any()
            if images.shape != (len(labels), SIDE, SIDE) or labels.ndim != 1 or not plain:
                raise ValueError(f"they are {images.shape} {images.dtype}")
            return images, labels
        except UNREADABLE as error:
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
            return _state_from(json.loads(read_small(self.folder / "state.json")))
        except (OSError, ValueError, TypeError, RecursionError) as error:
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
        """All rows written so far; a last row that is not whole is left out. Raises `RunError`."""
        batches: list[list[float]] = []
        epochs: list[list[float]] = []
        for row in self._rows("history.csv", HISTORY_COLUMNS):
            numbers = [self._number(text, "history.csv") for text in row[1:]]
            if not 0 <= numbers[0] < _MOST_STEPS:
                raise self._damaged("history.csv", f"{row[1]!r:.20} is no step")
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
        """By layer `(n, 3)`: step, gradient norm, dead share (NaN where the layer has no ReLU).
        Raises `RunError`."""
        found: dict[str, list[tuple[float, ...]]] = {}
        for step, layer, norm, dead in self._rows("samples.csv", SAMPLE_COLUMNS):
            numbers = tuple(self._number(text, "samples.csv") for text in (step, norm, dead))
            found.setdefault(layer, []).append(numbers)
        return {layer: np.array(rows) for layer, rows in found.items()}

    def _number(self, text: str, name: str) -> float:
        try:
            return float(text) if text else float("nan")
        except ValueError as error:
            raise self._damaged(name, f"{text!r:.20} is no number") from error

    def _damaged(self, name: str, why: object) -> RunError:
        return RunError(f"{name} of the run {self.id} is damaged: {why}.")

    def _rows(self, name: str, columns: tuple[str, ...]) -> Iterable[list[str]]:
        file = self.folder / name
        if not file.exists():
            return
        try:
            text = read_small(file, _MOST_TABLE_BYTES)
            whole = text[: text.rfind("\n") + 1]
            for row in csv.reader(whole.split("\n")[1:]):
                if len(row) == len(columns):
                    yield row
        except (OSError, ValueError, csv.Error) as error:
            raise self._damaged(name, error) from error

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return folder_size(self.folder)


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
        RunError : the folder cannot be written, or what is kept leaves no room.
        """
        with self.changing():
            self._make_room()
            self._check_room(owner)
            return self._create(config, name, drawings, owner)

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

    def _check_room(self, owner: str) -> None:
        """Raise `RunError` if what may not be deleted takes all there is."""
        runs, _ = self.all(owner)
        most = share_bytes() if owner else quota_bytes()
        if sum(run.size for run in runs) > most:
            raise RunError(
                f"There is no room for another run: those that are kept, or are going on, take all "
                f"of the {most / 1e6:,.0f} MB. Delete one, or keep one no longer."
            )

    def _free_name(self, config: TrainingConfig, owner: str) -> str:
        """What the config says, and a number that none of theirs has."""
        taken = {run.name for run in self.all(owner)[0]}
        data = "" if config.dataset == "mnist" else f", {DATASETS[config.dataset].title}"
        plain = f"{config.architecture}, {config.optimizer}{data}"
        numbered = (plain if k == 1 else f"{plain} {k}" for k in range(1, len(taken) + 2))
        return next(name for name in numbered if name not in taken)

    def __getitem__(self, id: str) -> Run:
        """Raises `UnknownRun`."""
        folder = self.folder / id[:40]
        if not re.fullmatch(r"[0-9a-f]{16}", id) or folder.is_symlink() or not folder.is_dir():
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
            if not re.fullmatch(r"[0-9a-f]{16}", folder.name) or folder.is_symlink():
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
        """Delete ended runs until all fit the quota, and each owner's fit their share; the names of
        those that went.

        Of an owner the oldest goes first, and the owner who has most is the first to lose one: one
        visitor cannot push out all others' runs. What somebody keeps stays; in public nothing is
        kept longer than there is room.
        """
        with self.changing():
            return self._make_room()

    def _make_room(self) -> list[str]:
        for left in self.folder.glob(".*.deleted"):  # by a server that was killed meanwhile
            shutil.rmtree(left, ignore_errors=True)
        runs, _ = self.all()
        sizes = {run.id: run.size for run in runs}
        by_owner: dict[str, list[Run]] = {}
        for run in reversed(runs):  # the oldest first
            by_owner.setdefault(run.owner, []).append(run)
        used = {owner: sum(sizes[run.id] for run in own) for owner, own in by_owner.items()}
        gone = []
        for owner in sorted(by_owner, key=lambda owner: -used[owner]):
            while owner and used[owner] > share_bytes():
                name = self._drop_oldest(by_owner[owner], sizes, used)
                if name is None:
                    break
                gone.append(name)
        while sum(used.values()) > quota_bytes() and any(by_owner.values()):
            most = max((owner for owner in by_owner if by_owner[owner]), key=used.__getitem__)
            name = self._drop_oldest(by_owner[most], sizes, used)
            if name is not None:
                gone.append(name)
        return gone

    def _drop_oldest(
        self, runs: list[Run], sizes: dict[str, int], used: dict[str, int]
    ) -> str | None:
        """Delete the first of an owner's runs that may go, and take those before it from the list,
        which may not; its name, None if there is none."""
        while runs:
            run = runs.pop(0)
            try:
                if (run.kept and not is_public()) or run.state.word in LIVING:
                    continue
                name, owner = run.name, run.owner
                self._delete(run.id, 0.0)
            except TrainingError:
                continue  # then a younger one
            used[owner] -= sizes[run.id]
            return name
        return None


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
    if not clean.isprintable():
        raise RunError("A run's name has letters, digits and signs that can be shown.")
    return clean


def _check_description(plain: dict[str, Any]) -> None:
    """Raise `ValueError` unless a run's config.json says what it should."""
    _ = plain["config"]
    if not isinstance(plain["name"], str) or checked_name(plain["name"]) != plain["name"]:
        raise ValueError("its name is none")
    created = plain["created"]
    if type(created) not in (int, float) or not 0 <= created < _END_OF_TIME:
        raise ValueError("it was made at no time")
    if not isinstance(plain.get("owner", ""), str):
        raise ValueError("its owner is nobody")


def _state_from(plain: Any) -> RunState:
    """The state that `Run.tell` wrote. Raises `ValueError`, `TypeError`."""
    state = RunState(**plain)
    words = (*LIVING, *ENDED)
    counts = (state.step, state.epoch)
    numbers = (state.images_per_second, state.seconds_left, state.learning_rate, state.beat)
    if state.word not in words or not isinstance(state.message, str):
        raise ValueError(f"{state.word!r:.20} is no state")
    if not all(type(count) is int and 0 <= count < _MOST_STEPS for count in counts):
        raise ValueError("its steps are no numbers")
    if not all(type(number) in (int, float) and abs(number) < _END_OF_TIME for number in numbers):
        raise ValueError("its speed is no number")
    share = state.test_accuracy
    if share is not None and not (type(share) in (int, float) and 0 <= share <= 1):
        raise ValueError("its accuracy is no share")
    return state
