"""One run's folder: what was asked for, how it goes, and who sees to it. Needs no Keras."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from safetensors.numpy import load_file

from cnn_core.data.images import SIDE
from cnn_core.disk import folder_size, read_small, write_whole
from cnn_core.errors import BadConfig, DataError, RunError
from cnn_core.networks.film import UNREADABLE
from cnn_core.networks.zoo import Network
from cnn_core.training.beats import is_silent
from cnn_core.training.config import TrainingConfig
from cnn_core.training.inbox import Inbox
from cnn_core.training.locks import held
from cnn_core.training.run_state import END_OF_TIME, LIVING, RunState, state_from
from cnn_core.training.tables import History, read_history, read_samples

Drawings = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""People's own digits, `(n, 28, 28)` uint8, and their labels `(n,)`."""

FORMAT = 1
LEAVING_SECONDS = 10.0
"""At most, between a run's last word and its leaving the queue."""

_SILENT_SECONDS = 6.0  # after which a living run counts as interrupted
_LONGEST_NAME = 60


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
        with held(self._lock()):
            yield

    @property
    def inbox(self) -> Inbox:
        """The orders given to it, from the first; see `Inbox`."""
        return Inbox(self.folder, self._lock(".orders"))

    # Who sees to it

    def claim(self, seconds: float = LEAVING_SECONDS) -> FileLock:
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
            return state_from(json.loads(read_small(self.folder / "state.json")))
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
        return read_history(self.folder)

    def samples(self) -> dict[str, NDArray[np.float64]]:
        """By layer `(n, 3)`: step, gradient norm, dead share (NaN where the layer has no ReLU).
        Raises `RunError`."""
        return read_samples(self.folder)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return folder_size(self.folder)


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
    if type(created) not in (int, float) or not 0 <= created < END_OF_TIME:
        raise ValueError("it was made at no time")
    if not isinstance(plain.get("owner", ""), str):
        raise ValueError("its owner is nobody")
