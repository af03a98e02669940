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

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors.numpy import save

from cnn_core.data.datasets import DATASETS
from cnn_core.disk import home, write_whole
from cnn_core.errors import RunError, TrainingError, UnknownRun
from cnn_core.settings import is_public, whole_number
from cnn_core.training.config import TrainingConfig
from cnn_core.training.locks import held, no_room
from cnn_core.training.run import FORMAT, LEAVING_SECONDS, Drawings, Run, checked_name
from cnn_core.training.run_state import LIVING, RunState


def quota_bytes() -> int:
    """How much the saved runs may take: ``CONVSCOPE_RUNS_MB``, 2,000 by default, 1,000 in
    public."""
    usual = 1_000 if is_public() else 2_000
    return whole_number("CONVSCOPE_RUNS_MB", usual, 1, 10**7 - 1) * 1_000_000


def share_bytes() -> int:
    """How much of that one owner's runs may take, where runs have owners: a tenth."""
    return quota_bytes() // 10


class Runs:
    """The runs in a folder; those of the home by default."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home() / "runs"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """No other process creates, begins or deletes runs meanwhile. Raises `RunError`."""
        with held(self.folder / ".locks" / "all"):
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
            raise no_room(self.folder, error) from error
        return run

    def _check_room(self, owner: str) -> None:
        """Raise `RunError` if what may not be deleted takes all there is, of theirs or of all."""
        shares = [(owner, share_bytes())] if owner else []
        for whose, most in [*shares, ("", quota_bytes())]:
            if sum(run.size for run in self.all(whose)[0]) > most:
                raise RunError(
                    "There is no room for another run: those that are kept, or are going on, take "
                    f"all of the {most / 1e6:,.0f} MB. Delete one, or keep one no longer."
                )

    def keep(self, id: str, kept: bool) -> None:
        """Never delete a run to make room, or do so again.

        Raises
        ------
        UnknownRun : there is no such run.
        RunError : its owner would keep more than their share, or it cannot be written.
        """
        run = self[id]
        if kept and run.owner:
            others = (one for one in self.all(run.owner)[0] if one.kept and one.id != id)
            if run.size + sum(one.size for one in others) > share_bytes():
                raise RunError(
                    f"You would keep more than your {share_bytes() / 1e6:,.0f} MB. Keep another "
                    "one no longer, or download this one."
                )
        run.keep(kept)

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
            self._delete(id, LEAVING_SECONDS)

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
        fixed = sum(sizes[run.id] for run in runs if self._stays(run))
        if fixed > quota_bytes():
            return gone  # no other's run makes room for those
        while sum(used.values()) > quota_bytes() and any(by_owner.values()):
            most = max((owner for owner in by_owner if by_owner[owner]), key=used.__getitem__)
            name = self._drop_oldest(by_owner[most], sizes, used)
            if name is not None:
                gone.append(name)
        return gone

    def _stays(self, run: Run) -> bool:
        """Whether it may not be deleted to make room."""
        try:
            return (run.kept and not is_public()) or run.state.word in LIVING
        except TrainingError:
            return False  # damaged, or gone

    def _drop_oldest(
        self, runs: list[Run], sizes: dict[str, int], used: dict[str, int]
    ) -> str | None:
        """Delete the first of an owner's runs that may go, and take those before it from the list,
        which may not; its name, None if there is none."""
        while runs:
            run = runs.pop(0)
            try:
                if self._stays(run):
                    continue
                name, owner = run.name, run.owner
                self._delete(run.id, 0.0)
            except TrainingError:
                continue  # then a younger one
            used[owner] -= sizes[run.id]
            return name
        return None
