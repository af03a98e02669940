"""Trainings in real worker processes: queued, ordered about, killed and resumed."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from filelock import FileLock

from cnn_core.disk import home
from cnn_core.errors import RunError, UnknownRun
from cnn_core.lab.executor import Seat
from cnn_core.lab.requests import TrainRequest
from cnn_core.lab.supervisor import Lab, LabSettings
from cnn_core.lab.trainings import Training, Trainings
from cnn_core.networks.film import Film
from cnn_core.networks.zoo import open_network
from cnn_core.training.config import TrainingConfig
from cnn_core.training.control import Order
from cnn_core.training.recorder import read_dissection
from cnn_core.training.run import Run
from cnn_core.training.runs import Runs

CONFIG = TrainingConfig("intro", share=0.02, batch_size=16, epochs=3)  # 60 steps an epoch
SHORT = TrainingConfig("intro", share=0.005, epochs=1)


@pytest.fixture(scope="module")
def one_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVSCOPE_HOME", str(tmp_path_factory.mktemp("home")))
        with Lab(LabSettings(workers=1)) as lab:
            yield lab


@pytest.fixture
def lab(one_lab: Lab) -> Iterator[Lab]:
    """With nothing in its queue."""
    yield one_lab
    going = [run for run in Runs().all()[0] if one_lab.trainings.knows(run.id)]
    for run in going:
        one_lab.trainings.give(run.id, Order("stop"))
    for run in going:
        wait(run, lambda run: not one_lab.trainings.knows(run.id))


def wait(run: Run, until: Callable[[Run], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not until(run):
        assert time.monotonic() < end, run.state
        time.sleep(0.02)


def is_(*words: str) -> Callable[[Run], bool]:
    return lambda run: run.state.word in words


def workers() -> set[psutil.Process]:
    """Those that this process has started, and that live."""
    found = set()
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # a killed one, too
            if "cnn_core.lab.worker" in child.cmdline():
                found.add(child)
    return found


def training_worker() -> psutil.Process:
    """The one that leaves the others the first turn."""
    return max(workers(), key=psutil.Process.nice)


def test_a_training_goes_through_pause_batch_dissection_and_stop(lab: Lab) -> None:
    lab.trainings.warm()
    run = Runs().create(CONFIG)
    lab.trainings.start(TrainRequest(run.id))
    wait(run, lambda run: run.state.step > 3)
    lab.trainings.give(run.id, Order("pause"))
    wait(run, is_("paused"))
    step = run.state.step
    time.sleep(0.5)
    assert run.state.step == step
    lab.trainings.give(run.id, Order("batch"))
    wait(run, lambda run: run.state.step == step + 1 and run.state.word == "paused")
    lab.trainings.give(run.id, Order("dissect"))
    wait(run, lambda run: read_dissection(run) is not None)
    dissection = read_dissection(run)
    assert dissection is not None
    assert dissection.step == step + 1
    lab.trainings.give(run.id, Order("epoch"))
    wait(run, lambda run: run.state.word == "paused" and run.state.epoch == 1)
    assert run.state.step == 60
    lab.trainings.give(run.id, Order("stop"))
    wait(run, is_("stopped"))
    assert run.state.test_accuracy is not None
    network = open_network(run.id)
    assert network.film.steps[-1] == 60
    assert len(run.history().val_loss) == 1
    wait(run, lambda run: not lab.trainings.knows(run.id))
    with pytest.raises(UnknownRun, match="not going on"):
        lab.trainings.give(run.id, Order("resume"))


class LongInComing:
    """An executor whose process needs its time to start, as on a busy machine."""

    def check(self) -> None:
        pass

    def warm(self) -> None:
        pass

    def seat(self) -> Seat:
        return FileLock(home() / "seat", thread_local=False).acquire().lock

    def run(self, request: TrainRequest, stop: Callable[[], bool]) -> None:
        time.sleep(4)

    def close(self) -> None:
        pass


def test_a_run_whose_process_is_long_in_coming_waits_and_is_not_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    monkeypatch.setattr("cnn_core.training.run._SILENT_SECONDS", 2.0)
    line, run = Trainings(LongInComing()), Runs().create(CONFIG)
    line.start(TrainRequest(run.id))
    words = set()
    end = time.monotonic() + 3.5
    while time.monotonic() < end:
        words.add(run.state.word)
        time.sleep(0.05)
    line.stop()
    assert words == {"waiting"}


def test_a_run_is_trained_by_one_process_at_a_time(lab: Lab) -> None:
    """One that was killed may still be dying."""
    run = Runs().create(SHORT)
    with FileLock(run.folder / "training.lock"):
        lab.trainings.start(TrainRequest(run.id))
        wait(run, is_("waiting"))
        time.sleep(6)  # a worker is up by then, and would have begun
        assert run.state.step == 0
        assert not (run.folder / "history.csv").exists()
    wait(run, is_("finished"))


def test_one_trains_the_others_wait_and_can_leave(lab: Lab) -> None:
    first, second, third = (Runs().create(CONFIG) for _ in range(3))
    for run in (first, second, third):
        lab.trainings.start(TrainRequest(run.id))
    with pytest.raises(RunError, match="already"):
        lab.trainings.start(TrainRequest(second.id))
    wait(first, is_("running"))
    assert [lab.trainings.place(run.id) for run in (first, second, third)] == [0, 1, 2]
    assert second.state.word == "waiting"
    lab.trainings.give(second.id, Order("stop"))
    wait(second, is_("stopped"))
    assert "out of the queue" in second.state.message
    wait(second, lambda run: not lab.trainings.knows(run.id))
    assert lab.trainings.place(third.id) == 1
    lab.trainings.give(first.id, Order("stop"))
    wait(first, is_("stopped"))
    wait(third, is_("running"))


@pytest.fixture(scope="module")
def whole(one_lab: Lab) -> Run:
    """A run that nobody disturbed."""
    run = Runs().create(CONFIG)
    one_lab.trainings.start(TrainRequest(run.id))
    wait(run, is_("finished"))
    return run


@pytest.mark.parametrize(
    "steps",
    [61, *(pytest.param(steps, marks=pytest.mark.soak) for steps in (1, 59, 100))],
)
def test_a_killed_worker_loses_at_most_the_epoch_in_progress(
    lab: Lab, whole: Run, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever reads that its run has ended can start it anew at once."""
    broken = Runs().create(CONFIG)
    leave = lab.trainings._leave

    def leave_late(training: Training) -> None:
        time.sleep(0.5)  # between its last word and its leaving the queue
        leave(training)

    monkeypatch.setattr(lab.trainings, "_leave", leave_late)
    lab.trainings.start(TrainRequest(broken.id))
    wait(broken, lambda run: run.state.step >= steps)
    os.kill(training_worker().pid, signal.SIGKILL)
    wait(broken, is_("interrupted"))
    assert "go on" in broken.state.message
    lab.trainings.start(TrainRequest(broken.id, resume=True))
    wait(broken, is_("finished"))
    for name, column in vars(whole.history()).items():
        np.testing.assert_array_equal(vars(broken.history())[name], column, err_msg=name)
    assert broken.state.test_accuracy == whole.state.test_accuracy
    assert open_network(broken.id).film.steps == Film(whole.folder / "film").steps


def test_a_closing_lab_interrupts_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    run = Runs().create(CONFIG)
    before = workers()
    with Lab(LabSettings(workers=1)) as lab:
        lab.trainings.start(TrainRequest(run.id))
        wait(run, lambda run: run.state.step > 0)
    assert run.state.word == "interrupted"
    assert not workers() - before


def test_a_damaged_run_is_refused_in_a_sentence(lab: Lab) -> None:
    run = Runs().create(CONFIG)
    (run.folder / "config.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        lab.trainings.start(TrainRequest(run.id, resume=True))
    assert not lab.trainings.knows(run.id)


def test_an_owner_trains_once_at_a_time(lab: Lab) -> None:
    mine, more, theirs = (Runs().create(CONFIG, owner=who) for who in ("me", "me", "them"))
    lab.trainings.start(TrainRequest(mine.id))
    with pytest.raises(RunError, match="Stop it first"):
        lab.trainings.start(TrainRequest(more.id))
    lab.trainings.start(TrainRequest(theirs.id))
    assert [run.id for run in Runs().all("them")[0]] == [theirs.id]
    assert {run.id for run in Runs().all("me")[0]} == {mine.id, more.id}


def test_who_is_long_gone_trains_no_more(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnn_core.lab.trainings.GRACE_SECONDS", 3.0)
    run = Runs().create(replace(CONFIG, epochs=1000), owner="me")
    lab.trainings.start(TrainRequest(run.id))

    def running(run: Run) -> bool:
        lab.trainings.seen("me")  # here, again and again
        return run.state.word == "running"

    wait(run, running)
    for _ in range(8):
        assert running(run)
        time.sleep(0.5)
    assert run.state.word == "running"
    wait(run, is_("stopped"))
    assert run.state.test_accuracy is not None  # what it learned is kept


def test_a_folder_that_cannot_be_written_fails_in_a_sentence(lab: Lab) -> None:
    drawings = np.zeros((2, 28, 28), np.uint8), np.array([1, 2], np.uint8)
    run, other = Runs().create(SHORT), Runs().create(SHORT, drawings=drawings)
    (run.folder / "film").write_text("in the way")
    for each in (run, other):
        lab.trainings.start(TrainRequest(each.id))
    wait(run, is_("failed"))
    assert "cannot be written" in run.state.message
    wait(other, is_("finished"))  # the others are unharmed
    kept = other.drawings  # which it was trained on
    assert kept is not None
    np.testing.assert_array_equal(kept[1], drawings[1])
