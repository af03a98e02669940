"""Runs' and networks' folders that were damaged, or written by somebody else."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from safetensors.numpy import save

from cnn_core.data.digit import Digit, mnist_digit
from cnn_core.errors import ConvScopeError
from cnn_core.insight.kept import keep_evaluation, kept_evaluation
from cnn_core.insight.scores import Evaluation
from cnn_core.networks.design import FIRST_DESIGN
from cnn_core.networks.designs import save_design, saved_designs
from cnn_core.networks.source import model_code
from cnn_core.networks.upload.kept import remarks_on
from cnn_core.networks.zoo import open_network, own_networks, weights_at
from cnn_core.probe.accounting import accounts
from cnn_core.probe.reference import reference_trace
from cnn_core.training.config import TrainingConfig
from cnn_core.training.diagnosis import smoothed, warnings_of
from cnn_core.training.events import BatchDone, CheckpointReached, EpochDone, FrameTaken, Sampled
from cnn_core.training.recorder import Recorder, read_checkpoint, read_dissection
from cnn_core.training.run import Run
from cnn_core.training.runs import Runs
from cnn_core.views.charts import training_chart
from cnn_core.views.figures import figure
from tests.hostile.door import DEEP, HUGE, Door, altered, as_json, damaged, plain

NETWORK = "lenet5"
DATA = ("config.json", "state.json", "network.json")
TABLES = ("history.csv", "samples.csv")
TENSORS = ("film/0.safetensors", "checkpoint.safetensors", "drawings.safetensors")


def _good_run(home: Path) -> Path:
    """A run as a short training leaves it, made without one."""
    image = np.full((2, 28, 28), 7, np.uint8)
    drawings = image, np.array([1, 2], np.uint8)
    config = TrainingConfig(NETWORK, share=0.002, epochs=1)
    run = Runs(home / "runs").create(config, drawings=drawings)
    ref = open_network(NETWORK).last
    weights = weights_at(ref)
    recorder = Recorder(run, open_network(NETWORK).graph)
    for step in range(3):
        recorder(BatchDone(step, 0, 2.3, 0.1, 0.001, 64))
    recorder(Sampled(2, {"conv_1": 0.1, "dense_1": 0.2}, {"conv_1": 0.5}))
    recorder(FrameTaken(0, weights, 0.1))
    recorder(EpochDone(step=2, epoch=0, loss=2.0, accuracy=0.2, val_loss=2.1, val_accuracy=0.3))
    recorder(CheckpointReached(2, 1, weights, (np.array(3), np.ones(4, np.float32))))
    recorder.finish("finished", 0.5)
    return run.folder


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """A home of its own that holds a copy of the run, under a name that nobody has read yet."""
    before = os.environ.get("CONVSCOPE_HOME")
    with tempfile.TemporaryDirectory(prefix="convscope-hostile-") as name:
        home = Path(name)
        target = home / "runs" / os.urandom(8).hex()
        shutil.copytree(folder, target)
        os.environ["CONVSCOPE_HOME"] = str(home)
        try:
            yield target
        finally:
            os.environ.pop("CONVSCOPE_HOME")
            if before is not None:
                os.environ["CONVSCOPE_HOME"] = before


Damage = tuple[str, Any]
"""Which file, and what becomes of it: bytes, or one of `_ODD`."""

_ODD = {
    "missing": lambda file: file.unlink(),
    "folder": lambda file: (file.unlink(), file.mkdir()),
    "link to nothing": lambda file: (file.unlink(), file.symlink_to("/nowhere/at/all")),
    "link to itself": lambda file: (file.unlink(), file.symlink_to(file)),
    "link outside": lambda file: (file.unlink(), file.symlink_to("/etc/hostname")),
    "sparse": lambda file: os.truncate(file, 3_000_000_000),
}


def damage(run: Path, what: Damage) -> None:
    name, content = what
    file = run / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.touch()
        _ODD[content](file)


def look_through(run: Path) -> None:
    """All that pages read of a run's folder. Each part may refuse; none may crash."""
    runs = Runs()
    found, sentences = runs.all()
    assert len(found) + len(sentences) == 1, (found, sentences)
    runs.make_room()
    refused: list[ConvScopeError] = []
    for part in (_tables, _files, _network, lambda run: runs[run.id], _change):
        try:
            part(Run(run))
        except ConvScopeError as error:
            refused.append(error)
    own_networks()
    if refused:
        raise refused[0]


def _tables(run: Run) -> None:
    _ = run.config, run.state, run.name, run.created, run.kept, run.owner, run.size
    history = run.history()
    warnings_of(history)
    figure(training_chart(
        "Loss", history.step, history.loss, smoothed(history.loss),
        history.epoch_step, history.val_loss,
    ))  # fmt: skip
    run.samples()


def _files(run: Run) -> None:
    drawings = run.drawings
    if drawings is not None:
        for image, _ in zip(*drawings, strict=True):
            Digit.of_bytes(image, "drawn")
    read_checkpoint(run)
    read_dissection(run)


def _network(run: Run) -> None:
    network = open_network(run.id)
    _ = network.card, network.graph, network.owner, network.graph_text
    remarks_on(network)
    ref = network.last
    digit = network.card.fit(mnist_digit(0).pixels)
    reference_trace(network.graph, weights_at(ref), digit)
    accounts(network.graph)
    model_code(network.graph)
    kept_evaluation(ref)


def _change(run: Run) -> None:
    run.rename("Another name")
    run.keep(True)


class RunFolders:
    """The door, with a good run made when it is first asked for."""

    def __init__(self) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="convscope-run-")
        self.good = _good_run(Path(self._place.name))

    def content(self, name: str) -> bytes:
        return (self.good / name).read_bytes()

    def payloads(self) -> SearchStrategy[Damage]:
        data = [
            st.tuples(
                st.just(name),
                st.one_of(
                    altered(json.loads(self.content(name))).map(as_json),
                    plain.map(as_json),
                    damaged(self.content(name)),
                ),
            )
            for name in DATA
        ]
        rest = [
            st.tuples(st.just(name), damaged(self.content(name))) for name in (*TABLES, *TENSORS)
        ]
        return st.one_of([*data, *rest])

    def by_hand(self) -> tuple[Damage, ...]:
        odd_film = save({"no slash": np.zeros(3, np.float32)})
        wide = b'\x60\0\0\0\0\0\0\0{"a/b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
        kept = [(name, how) for name in (*DATA, *TABLES, *TENSORS) for how in _ODD]
        state = {"word": "running", "beat": 0.0}
        return (
            *kept,
            *((name, as_json(DEEP)) for name in DATA),
            *((name, b"[" * 100_000) for name in DATA),
            *((name, b"\xff\xfe\0") for name in (*DATA, *TABLES)),
            *(("state.json", as_json({**state, "beat": beat})) for beat in (HUGE, "x", None, [])),
            *(("state.json", as_json({**state, "word": word})) for word in ([], {}, HUGE, "dead")),
            ("state.json", as_json({**state, "step": HUGE})),
            ("state.json", b'{"word": "paused", "learning_rate": NaN, "beat": Infinity}'),
            *(("history.csv", b"kind\n" + row) for row in (
                b"batch,x,0,1,1,1,,\n", b"batch,nan,0,1,1,1,,\n", b"batch,1e999,0,1,1,1,,\n",
                b"epoch,-9,0,1,1,1,,\n", b'batch,"' + b"x" * 200_000 + b"\n", b"batch,\0,,,,,,\n",
                b"batch,1,0,nan,inf,1,,\n", b",,,,,,,\n",
            )),
            ("samples.csv", b"step\nx,conv_1,1,1\n"),
            ("film/x.safetensors", b""), ("film/-1.safetensors", b""),
            ("film/" + "9" * 200 + ".safetensors", b""), ("film/\u0663.safetensors", b""),
            ("film/0.safetensors", odd_film), ("film/0.safetensors", wide),
            ("checkpoint.safetensors", odd_film),
            ("drawings.safetensors", save({"images": np.zeros(3), "labels": np.zeros(2)})),
            ("dissection.safetensors", odd_film), ("dissection.safetensors", b""),
        )  # fmt: skip

    def enter(self, what: Damage) -> None:
        with copied(self.good) as run:
            damage(run, what)
            look_through(run)

    def door(self) -> Door:
        return Door(
            "folders of runs",
            self.payloads(),
            self.by_hand(),
            (("anything else", b"may lie there"),),
            self.enter,
        )


class KeptFiles:
    """Evaluations and designs on disk: what is damaged counts as none."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        shares = rng.dirichlet(np.ones(10), 50).astype(np.float32)
        labels, ones = rng.integers(0, 10, 50).astype(np.uint8), np.ones(10)
        self.evaluation = Evaluation(shares, labels, ones, ones, ones)
        self.ref = open_network("classic").last
        with self._home() as home:
            keep_evaluation(self.ref, self.evaluation)
            (self.file,) = (file.name for file in (home / "evaluations").iterdir())
            self.kept = (home / "evaluations" / self.file).read_bytes()
            saved = save_design(FIRST_DESIGN)
            self.design = (home / "designs" / f"{saved.id}.json").read_bytes()

    @contextmanager
    def _home(self) -> Iterator[Path]:
        before = os.environ.get("CONVSCOPE_HOME")
        with tempfile.TemporaryDirectory(prefix="convscope-kept-") as name:
            os.environ["CONVSCOPE_HOME"] = name
            try:
                yield Path(name)
            finally:
                os.environ.pop("CONVSCOPE_HOME")
                if before is not None:
                    os.environ["CONVSCOPE_HOME"] = before

    def enter(self, what: tuple[str, bytes]) -> None:
        room, content = what
        with self._home() as home:
            (home / room).mkdir()
            name = self.file if room == "evaluations" else f"{'0' * 16}.json"
            (home / room / name).write_bytes(content)
            kept_evaluation(self.ref)
            saved_designs()

    def door(self) -> Door:
        return Door(
            "evaluations and designs on disk",
            st.one_of(
                damaged(self.kept).map(lambda content: ("evaluations", content)),
                damaged(self.design).map(lambda content: ("designs", content)),
                plain.map(lambda value: ("designs", as_json({"owner": "", "design": value}))),
            ),
            (
                ("evaluations", b""), ("designs", b"[" * 100_000), ("designs", as_json(DEEP)),
            ),
            (("evaluations", self.kept), ("designs", self.design)),
            self.enter,
        )  # fmt: skip
