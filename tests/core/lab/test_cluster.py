"""Trainings and studies on a real Dask cluster of two workers; machines and schedulers that die."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from cnn_core.errors import Cancelled, LabDown, RunError, RunLost, UnknownStep, WorkerLost
from cnn_core.lab.cluster import ClusterExecutor
from cnn_core.lab.errand import _see_runs, work
from cnn_core.lab.executor import LocalExecutor
from cnn_core.lab.process import Door
from cnn_core.lab.requests import Request, TrainRequest
from cnn_core.lab.scheduler import ClusterStatus, Scheduler
from cnn_core.lab.supervisor import Lab, LabSettings
from cnn_core.networks.film import Film
from cnn_core.networks.zoo import open_network
from cnn_core.training.config import TrainingConfig
from cnn_core.training.control import Order
from cnn_core.training.run import Run
from cnn_core.training.runs import Runs
from tests.core.lab.dask_cluster import ROOT, DaskCluster, crash, free_port
from tests.core.lab.odd_requests import Exit, Fail, Sleep, WhoAnswers

CONFIG = TrainingConfig("intro", share=0.02, batch_size=16, epochs=5)  # 60 steps an epoch
ENDLESS = replace(CONFIG, epochs=1000)
NOBODY = f"tcp://127.0.0.1:{free_port()}"


def wait(until: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def wait_for(run: Run, *words: str) -> None:
    wait(lambda: run.state.word in words)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVSCOPE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def machines(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with DaskCluster(tmp_path_factory.mktemp("dask"), home, "one", "two") as cluster:
        yield cluster


@pytest.fixture
def cluster(machines: DaskCluster) -> DaskCluster:
    """Whole, whatever the test before has done to it."""
    machines.mend()
    return machines


@pytest.fixture
def lab(cluster: DaskCluster) -> Iterator[Lab]:
    with Lab(LabSettings(workers=2), Scheduler(cluster.address)) as lab:
        wait(lambda: status_of(lab).places == 2)
        yield lab


def status_of(lab: Lab) -> ClusterStatus:
    assert lab.cluster is not None
    return lab.cluster


def own_workers() -> list[psutil.Process]:
    """Our worker processes that this process has started itself."""
    return [c for c in psutil.Process().children() if "cnn_core.lab.worker" in c.cmdline()]


@pytest.fixture(scope="module")
def whole(home: Path) -> Run:
    """A run that nobody disturbed: on this machine, since there is no such scheduler."""
    run = Runs().create(CONFIG)
    with Lab(LabSettings(workers=1), Scheduler(NOBODY)) as lab:
        lab.trainings.start(TrainRequest(run.id))
        assert f"{NOBODY} has not answered" in status_of(lab).sentence
        assert "is done on this machine" in status_of(lab).sentence
        assert lab.ask(Sleep(0.1), "study", time_limit=60) == 0.1
        wait_for(run, "finished")
    return run


def assert_same_training(one: Run, other: Run) -> None:
    for name, column in vars(one.history()).items():
        np.testing.assert_array_equal(vars(other.history())[name], column, err_msg=name)
    assert one.state.test_accuracy == other.state.test_accuracy
    assert Film(one.folder / "film").steps == Film(other.folder / "film").steps


def test_two_runs_train_at_once_and_one_outlives_its_machine(
    cluster: DaskCluster, lab: Lab, whole: Run
) -> None:
    ordered, broken = Runs().create(ENDLESS), Runs().create(CONFIG)
    for run in (ordered, broken):
        lab.trainings.start(TrainRequest(run.id))
    wait(lambda: ordered.state.step > 0 and broken.state.step > 0)
    assert {ordered.state.where, broken.state.where} == {"one", "two"}
    assert len(own_workers()) == 1  # the one that looks: this machine trains nothing

    lab.trainings.give(ordered.id, Order("pause"))
    wait_for(ordered, "paused")
    wait(lambda: broken.state.epoch > 0)
    crash(cluster.workers[broken.state.where])
    step = ordered.state.step
    lab.trainings.give(ordered.id, Order("batch"))
    wait(lambda: ordered.state.step == step + 1)
    # The other machine is taken; what waits for it says so, and is not given up.
    wait_for(broken, "waiting")
    assert "lost" in broken.state.message
    lab.trainings.give(ordered.id, Order("stop"))
    wait_for(ordered, "stopped")
    assert ordered.state.test_accuracy is not None
    film = open_network(ordered.id).film
    assert film.steps[0] == 0
    assert 0 < film.steps[-1] <= step + 1

    wait_for(broken, "finished")
    assert broken.state.where == ordered.state.where
    assert_same_training(whole, broken)
    wait(lambda: not lab.trainings.knows(broken.id))
    assert status_of(lab).machines == 1


def test_studies_are_worked_off_there_with_progress_errors_and_cancel(
    cluster: DaskCluster, lab: Lab
) -> None:
    assert lab.ask(WhoAnswers(), "study", time_limit=60) in workers_of(cluster)
    job = lab.submit(Sleep(2), "study", time_limit=60)
    seen = set()
    while not job.ended:
        seen.add(job.progress)
        time.sleep(0.02)
    assert job.result() == 2
    assert len(seen) > 3
    with pytest.raises(UnknownStep, match="step 7"):
        lab.ask(Fail("own"), "study", time_limit=60)
    with pytest.raises(WorkerLost, match="ended before"):
        lab.ask(Exit(), "study", time_limit=60)
    endless = lab.submit(Sleep(1000), "study", time_limit=60)
    wait(lambda: endless.progress > 0)
    before = workers_of(cluster)
    endless.cancel()
    with pytest.raises(Cancelled):
        endless.result()
    wait(lambda: len(before - workers_of(cluster)) == 1)  # it does not sleep on
    assert lab.status("study").state == "off"  # nothing was done here


def workers_of(cluster: DaskCluster) -> set[int]:
    """Our processes on its machines, by their ids."""
    machines = [psutil.Process(worker.pid) for worker in cluster.workers.values()]
    children = [child for machine in machines for child in machine.children(recursive=True)]
    found = set()
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            if "cnn_core.lab.worker" in child.cmdline():
                found.add(child.pid)
    return found


SERVER = """
import sys, time
from cnn_core.lab.scheduler import Scheduler
from cnn_core.lab.supervisor import Lab, LabSettings
from tests.core.lab.odd_requests import Sleep

with Lab(LabSettings(workers=1), Scheduler(sys.argv[1])) as lab:
    job = lab.submit(Sleep(1000), "study", time_limit=1000)
    while not job.progress:
        time.sleep(0.05)
    print("under way", flush=True)
    time.sleep(1000)
"""


def test_nothing_goes_on_for_a_server_that_was_killed(cluster: DaskCluster) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, cluster.address], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"under way\n"
    before = workers_of(cluster)
    server.kill()
    server.communicate()
    wait(lambda: len(before - workers_of(cluster)) == 1)


@pytest.mark.soak
def test_a_training_goes_on_here_when_its_scheduler_dies(
    cluster: DaskCluster, lab: Lab, whole: Run
) -> None:
    run = Runs().create(CONFIG)
    lab.trainings.start(TrainRequest(run.id))
    wait(lambda: run.state.epoch > 0)
    assert cluster.scheduler is not None
    crash(cluster.scheduler)
    wait(lambda: status_of(lab).state == "dead")
    assert "on this machine" in status_of(lab).sentence
    wait_for(run, "finished")
    assert run.state.where == ""
    assert_same_training(whole, run)


def test_with_a_dead_scheduler_it_trains_here(whole: Run) -> None:
    assert whole.state.word == "finished"
    assert whole.state.where == ""
    assert len(whole.history().val_loss) == CONFIG.epochs


def test_with_a_dead_scheduler_it_says_why_it_does_not_train_here(home: Path) -> None:
    with Lab(LabSettings(workers=1), Scheduler(NOBODY, falls_back=False)) as lab:
        run = Runs().create(CONFIG)
        with pytest.raises(LabDown, match=r"has not answered.*Nothing can be trained"):
            lab.trainings.start(TrainRequest(run.id))
        with pytest.raises(LabDown, match="has not answered"):
            lab.ask(Sleep(0.1), "study", time_limit=60)
        assert not lab.trainings.knows(run.id)


def test_a_scheduler_that_cannot_be_one_is_named(home: Path) -> None:
    with Lab(LabSettings(workers=1), Scheduler("localhost:8786")) as lab:
        wait(lambda: status_of(lab).state == "dead")
        assert "must look like tcp://" in status_of(lab).sentence


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # as if it were not installed
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        scheduler = Scheduler(f"tcp://127.0.0.1:{somebody.getsockname()[1]}")
        scheduler.start()
        assert not scheduler.is_there()
        scheduler.close()
    assert "pip install -r requirements-cluster.txt" in scheduler.status.sentence


def test_the_environment_says_which_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVSCOPE_SCHEDULER", raising=False)
    assert Scheduler.from_environment() is None
    monkeypatch.setenv("CONVSCOPE_SCHEDULER", "tcp://there:8786")
    monkeypatch.setenv("CONVSCOPE_SCHEDULER_FALLBACK", "0")
    scheduler = Scheduler.from_environment()
    assert scheduler is not None
    assert scheduler.status.address == "tcp://there:8786"
    assert not scheduler.status.falls_back


def test_a_machine_without_the_shared_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"does not see this run.*set CONVSCOPE_HOME there"):
        _see_runs(str(tmp_path), TrainRequest("0" * 16))


@pytest.mark.parametrize(
    ("request_", "kind"), [(TrainRequest("0" * 16), RunLost), (Sleep(1), WorkerLost)]
)
def test_a_machine_that_can_start_nothing_is_not_taken_for_a_lost_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: Request, kind: type[Exception]
) -> None:
    def cannot(*_: object) -> None:
        raise LabDown("A worker process did not start.")

    (tmp_path / "runs" / ("0" * 16)).mkdir(parents=True)
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    monkeypatch.setattr("cnn_core.lab.errand.WorkerProcess", cannot)
    dask = SimpleNamespace(
        name="one", get_current_task=lambda: "key", log_event=lambda topic, share: None
    )
    monkeypatch.setattr("distributed.get_worker", lambda: dask)
    word, error = work(request_, str(tmp_path), "topic")
    assert word == "failed"
    assert type(error) is kind
    assert "On one nothing could be started. A worker process did not start." in str(error)


class Counter(LocalExecutor):
    """Counts how many train at once on this machine."""

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self.now = self.most = self.done = 0

    def run(self, request: TrainRequest, stop: Callable[[], bool]) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        time.sleep(0.3)
        self.now -= 1
        self.done += 1


def test_trainings_that_lost_their_cluster_go_on_here_one_after_another(home: Path) -> None:
    door, scheduler = Door(), Scheduler(NOBODY)
    here = Counter(door)
    executor = ClusterExecutor(scheduler, here)
    scheduler.start()
    assert not scheduler.is_there()
    lost = [
        threading.Thread(target=executor.run, args=(TrainRequest(f"{k}"), lambda: False))
        for k in range(3)
    ]
    for training in lost:
        training.start()
    for training in lost:
        training.join()
    scheduler.close()
    door.close()
    assert (here.done, here.most) == (3, 1)
