"""Runs on disk: what is written can be read, what is damaged is named, nothing else is touched."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from cnn_core.errors import RunError, UnknownRun
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.training.config import TrainingConfig
from cnn_core.training.events import (
    BatchDone,
    CheckpointReached,
    Dissected,
    Dissection,
    Ended,
    EpochDone,
    FrameTaken,
    Sampled,
)
from cnn_core.training.recorder import Recorder, read_checkpoint, read_dissection
from cnn_core.training.run import Run
from cnn_core.training.run_state import RunState
from cnn_core.training.runs import Runs

CONFIG = TrainingConfig(share=0.01, batch_size=32, epochs=2)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    return Runs()


def recorded(runs: Runs) -> Run:
    """A run of two batches, with everything that a training can tell."""
    run = runs.create(CONFIG, "Two batches")
    classic = open_network("classic")
    weights = weights_at(classic.last)
    recorder = Recorder(run, classic.graph)
    recorder(FrameTaken(0, weights, 0.1))
    recorder(Sampled(0, {"conv_1": 0.5, "output": 0.25}, {"conv_1": 0.125}))
    recorder(BatchDone(1, 0, 2.5, 0.25, 1e-3, 32))
    recorder(BatchDone(2, 0, 2.25, 0.5, 1e-3, 32))
    recorder(EpochDone(2, 0, 2.375, 0.375, 2.0, float("nan")))
    recorder(CheckpointReached(2, 1, weights, (np.array(2), np.ones((3, 4), np.float32))))
    recorder(FrameTaken(2, weights, 0.5))
    recorder(Ended(2, False))
    recorder.finish("finished", 0.75)
    return run


def test_what_a_training_tells_can_be_read_again(runs: Runs) -> None:
    run = recorded(runs)
    history = run.history()
    assert history.step.tolist() == [1, 2]
    assert history.loss.tolist() == [2.5, 2.25]
    assert history.learning_rate.tolist() == [1e-3, 1e-3]
    assert history.epoch_loss.tolist() == [2.375]
    assert history.val_loss.tolist() == [2.0]
    assert np.isnan(history.val_accuracy[0])
    assert run.samples()["conv_1"].tolist() == [[0, 0.5, 0.125]]
    assert np.isnan(run.samples()["output"][0, 2])
    assert (run.state.word, run.state.step, run.state.test_accuracy) == ("finished", 2, 0.75)
    assert run.config == CONFIG


def test_a_run_is_a_network_like_any_other(runs: Runs) -> None:
    run = recorded(runs)
    network = open_network(run.id)
    assert network.card.title == "Two batches"
    assert network.card.accuracy == {0: 0.1, 2: 0.75}  # the last, of the test digits
    assert network.film.steps == (0, 2)
    np.testing.assert_array_equal(
        weights_at(network.last)["conv_1"]["kernel"],
        weights_at(open_network("classic").last)["conv_1"]["kernel"],
    )


def test_a_checkpoint_survives_bit_by_bit(runs: Runs) -> None:
    checkpoint = read_checkpoint(recorded(runs))
    assert checkpoint is not None
    assert (checkpoint.step, checkpoint.epoch) == (2, 1)
    assert [value.shape for value in checkpoint.optimizer] == [(), (3, 4)]
    assert checkpoint.optimizer[0] == 2


def test_a_dissection_survives(runs: Runs) -> None:
    run = runs.create(CONFIG)
    arrays = {"layer": {"kernel": np.ones((2, 2), np.float32)}}
    images, labels = np.zeros((3, 28, 28, 1), np.float32), np.array([1, 2, 3], np.uint8)
    losses = np.zeros(3, np.float32)
    answers = np.zeros((3, 10), np.float32)
    dissection = Dissection(7, images, labels, answers, losses, arrays, arrays)
    Recorder(run, open_network("classic").graph)(Dissected(7, dissection))
    read = read_dissection(run)
    assert read is not None
    assert (read.step, read.after) == (7, None)
    np.testing.assert_array_equal(read.gradients["layer"]["kernel"], np.ones((2, 2)))


def test_resuming_forgets_what_came_after_the_last_whole_epoch(runs: Runs) -> None:
    run = recorded(runs)
    recorder = Recorder(run, open_network("classic").graph)
    recorder(BatchDone(3, 1, 9.0, 0.0, 1e-3, 32))
    recorder(FrameTaken(3, weights_at(open_network("classic").last), 0.6))
    recorder.finish("interrupted", None)
    with (run.folder / "history.csv").open("a") as file:
        file.write("batch,4,1,8.")  # the power went
    again = Recorder(run, open_network("classic").graph)
    checkpoint = again.resume()
    assert checkpoint is not None
    assert checkpoint.step == 2
    assert run.history().step.tolist() == [1, 2]
    assert open_network(run.id).film.steps == (0, 2)
    assert (again.state.step, again.state.epoch) == (2, 1)


def test_a_silent_run_counts_as_interrupted(runs: Runs) -> None:
    run = runs.create(CONFIG)
    run.tell(RunState("running", step=5))
    assert run.state.word == "running"
    file = run.folder / "state.json"
    state = json.loads(file.read_text())
    file.write_text(json.dumps({**state, "beat": time.time() - 60}))
    assert run.state.word == "interrupted"
    assert "can go on" in run.state.message


@pytest.mark.parametrize("file", ["config.json", "state.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 99}', '{"format": 1}'])
def test_a_damaged_folder_is_named_and_left_alone(runs: Runs, file: str, content: str) -> None:
    good, bad = recorded(runs), recorded(runs)
    (bad.folder / file).write_text(content)
    listed, damaged = runs.all()
    assert [run.id for run in listed] == [good.id]
    assert len(damaged) == 1
    assert bad.id in damaged[0]
    assert (bad.folder / "film").exists()


@pytest.mark.parametrize("file", ["checkpoint.safetensors", "dissection.safetensors"])
def test_a_damaged_checkpoint_or_dissection_is_a_run_error(runs: Runs, file: str) -> None:
    run = recorded(runs)
    (run.folder / file).write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    with pytest.raises(RunError, match="damaged"):
        (read_checkpoint if "check" in file else read_dissection)(run)


@pytest.mark.parametrize("id", ["", "..", "../../etc", "x" * 16, "0" * 16, "0" * 17, "0000/../000"])
def test_only_runs_are_opened_and_deleted(runs: Runs, id: str) -> None:
    recorded(runs)
    with pytest.raises(UnknownRun):
        runs[id]
    with pytest.raises(UnknownRun):
        runs.delete(id)


def test_rename_keep_and_delete(runs: Runs) -> None:
    run = recorded(runs)
    run.rename("  Another \n name ")
    assert run.name == "Another name"
    for wrong in ("", "  ", "x" * 61):
        with pytest.raises(RunError, match="1 to 60 letters"):
            run.rename(wrong)
    run.keep(True)
    assert run.kept
    runs.delete(run.id)
    assert runs.all() == ([], [])


def test_a_new_name_is_the_networks_too(runs: Runs) -> None:
    run = recorded(runs)
    run.rename("Mine")
    assert open_network(run.id).card.title == "Mine"
    assert open_network(run.id).card.accuracy == {0: 0.1, 2: 0.75}
    waiting = runs.create(CONFIG)  # has no network yet
    waiting.rename("Later")
    assert waiting.name == "Later"


def test_runs_nobody_named_can_be_told_apart(runs: Runs) -> None:
    names = [runs.create(CONFIG).name for _ in range(3)]
    assert names == ["classic, Adam", "classic, Adam 2", "classic, Adam 3"]
    assert runs.create(CONFIG, "Mine").name == runs.create(CONFIG, "Mine").name == "Mine"


def test_a_living_run_is_not_deleted(runs: Runs) -> None:
    run = runs.create(CONFIG)
    with pytest.raises(RunError, match="still going on"):
        runs.delete(run.id)


def test_the_oldest_runs_nobody_keeps_make_room(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, old, new = (recorded(runs) for _ in range(3))
    kept.keep(True)
    monkeypatch.setattr("cnn_core.training.runs.quota_bytes", lambda: int(2.5 * new.size))
    assert runs.make_room() == ["Two batches"]
    assert {run.id for run in runs.all()[0]} == {kept.id, new.id}
    assert not old.folder.exists()


def test_a_folder_that_cannot_be_written_is_said(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="CONVSCOPE_HOME"):
        Runs(tmp_path / "file" / "runs").create(CONFIG)


def full(file: Path, content: bytes) -> None:
    """A disk without room."""
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_said_and_leaves_nothing_half_done(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorded(runs)
    for module in ("run", "runs"):
        monkeypatch.setattr(f"cnn_core.training.{module}.write_whole", full)
    for change in (lambda: run.rename("Mine"), lambda: run.keep(True), lambda: runs.create(CONFIG)):
        with pytest.raises(RunError, match="No space left on device"):
            change()
    assert [one.name for one in runs.all()[0]] == ["Two batches"]
    assert runs.all()[1] == []


def test_a_run_that_cannot_be_deleted_is_said(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    run = recorded(runs)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cnn_core.training.runs.shutil.rmtree", refused)
    with pytest.raises(RunError, match="Permission denied"):
        runs.delete(run.id)


def test_half_a_file_is_never_seen(runs: Runs) -> None:
    run = recorded(runs)
    assert not [name for name in os.listdir(run.folder) if name.startswith(".")]
