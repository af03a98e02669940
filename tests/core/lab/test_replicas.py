"""Several servers on one folder of runs: a queue each, and locks that know no difference."""

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from cnn_core.errors import RunError, UnknownRun
from cnn_core.lab.executor import LocalExecutor
from cnn_core.lab.process import Door
from cnn_core.lab.requests import TrainRequest
from cnn_core.lab.trainings import Trainings
from cnn_core.training.beats import is_silent
from cnn_core.training.config import TrainingConfig
from cnn_core.training.control import Order
from cnn_core.training.run import Run
from cnn_core.training.run_state import RunState
from cnn_core.training.runs import Runs

ROOT = Path(__file__).parents[3]
CONFIG = TrainingConfig(share=0.02, batch_size=16, epochs=3)


class Pretender(LocalExecutor):
    """Takes a seat of this machine, says that it trains, and does so until it is told to stop."""

    def run(self, request: TrainRequest, stop: Callable[[], bool]) -> None:
        run = Runs()[request.run]
        inbox = run.inbox
        with FileLock(run.folder / "training.lock"):
            state = RunState("running")
            run.tell(state)
            while not stop():
                orders = inbox.read()
                if Order("stop") in orders:
                    run.tell(RunState("stopped"))
                    return
                if Order("pause") in orders:
                    state = RunState("paused")
                run.tell(state)
                time.sleep(0.02)


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Trainings]]:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    door = Door()
    servers = [Trainings(Pretender(door)) for _ in range(2)]
    yield servers
    for server in servers:
        server.stop()
    door.close()


def wait_for(run: Run, word: str) -> None:
    end = time.monotonic() + 20
    while run.state.word != word:
        assert time.monotonic() < end, run.state
        time.sleep(0.01)


def test_a_run_is_in_one_queue_at_a_time_and_obeys_every_server(servers: list[Trainings]) -> None:
    one, other = servers
    run = Runs().create(CONFIG)
    one.start(TrainRequest(run.id))
    wait_for(run, "running")
    with pytest.raises(RunError, match="another server"):
        other.start(TrainRequest(run.id, resume=True))
    assert run.state.word == "running"
    with pytest.raises(RunError, match="Stop it first"):
        Runs().delete(run.id)
    run.rename("mine")
    other.give(run.id, Order("stop"))
    wait_for(run, "stopped")
    with pytest.raises(UnknownRun, match="not going on"):
        other.give(run.id, Order("resume"))
    other.start(TrainRequest(run.id, resume=True))  # it has left the first queue, or does now
    wait_for(run, "running")  # the stop was for the first time
    one.give(run.id, Order("stop"))
    wait_for(run, "stopped")
    Runs().delete(run.id)
    assert Runs().all() == ([], [])


def test_servers_of_a_machine_train_no_more_at_once_than_one_would(
    servers: list[Trainings],
) -> None:
    one, other = servers
    first, second = Runs().create(CONFIG), Runs().create(CONFIG)
    one.start(TrainRequest(first.id))
    wait_for(first, "running")
    other.start(TrainRequest(second.id))
    time.sleep(0.5)
    assert second.state.word == "waiting"
    assert other.place(second.id) == 1
    one.give(second.id, Order("stop"))  # out of the other's queue
    wait_for(second, "stopped")
    assert "out of the queue" in second.state.message
    third = Runs().create(CONFIG)
    other.start(TrainRequest(third.id))
    one.give(first.id, Order("stop"))
    wait_for(third, "running")


def test_an_owner_trains_once_at_a_time_on_all_servers(servers: list[Trainings]) -> None:
    one, other = servers
    mine, more = Runs().create(CONFIG, owner="me"), Runs().create(CONFIG, owner="me")
    one.start(TrainRequest(mine.id))
    with pytest.raises(RunError, match="Stop it first"):
        other.start(TrainRequest(more.id))


def test_who_looks_in_on_another_server_is_not_gone(
    servers: list[Trainings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnn_core.lab.trainings.GRACE_SECONDS", 1.0)
    monkeypatch.setattr("cnn_core.lab.trainings._SEEN_EVERY", 0.1)
    one, other = servers
    run = Runs().create(CONFIG, owner="me")
    one.start(TrainRequest(run.id))
    words = set()
    end = time.monotonic() + 3
    while time.monotonic() < end:
        other.seen("me")
        words.add(run.state.word)
        time.sleep(0.05)
    assert words <= {"waiting", "running"}
    wait_for(run, "stopped")


def test_who_starts_a_run_on_two_servers_at_once_starts_it_once(servers: list[Trainings]) -> None:
    run = Runs().create(CONFIG)
    refused: list[RunError] = []

    def start(server: Trainings) -> None:
        try:
            server.start(TrainRequest(run.id))
        except RunError as error:
            refused.append(error)

    clicks = [threading.Thread(target=start, args=(server,)) for server in servers]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert len(refused) == 1
    assert [server.knows(run.id) for server in servers].count(True) == 1


VISITOR = textwrap.dedent(
    """
    import random, sys
    from cnn_core.errors import RunError, UnknownRun
    from cnn_core.networks.zoo import Network, open_network
    from cnn_core.training.config import TrainingConfig
    from cnn_core.training.run_state import RunState
    from cnn_core.training.runs import Runs

    random.seed(int(sys.argv[1]))
    intro = open_network("intro")
    runs, config = Runs(), TrainingConfig(share=0.02, epochs=1)
    for k in range(12):
        run = runs.create(config)
        (run.folder / "model.keras").write_bytes(bytes(100_000))
        Network(run.folder).describe(intro.card, intro.graph)
        run.tell(RunState("finished"))
        some = random.choice(runs.all()[0])
        try:
            some.rename(f"run {k} of {sys.argv[1]}")
            some.keep(k == 5)
        except (RunError, UnknownRun) as error:
            assert "damaged" not in str(error) or not some.folder.exists(), error
        try:
            if k % 3 == 0:
                runs.delete(random.choice(runs.all()[0]).id)
            runs.make_room()
        except UnknownRun:
            pass  # another one was quicker
        except RunError as error:
            assert "still going on" in str(error), error  # another one has just created it
    """
)


def test_four_servers_create_rename_keep_delete_and_make_room_without_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    monkeypatch.setenv("CONVSCOPE_RUNS_MB", "1")  # room for eight or nine
    visitors = [
        subprocess.Popen([sys.executable, "-c", VISITOR, str(k)], cwd=ROOT, stderr=subprocess.PIPE)
        for k in range(4)
    ]
    for visitor in visitors:
        _, complaints = visitor.communicate(timeout=100)
        assert visitor.returncode == 0, complaints.decode()
    runs, damaged = Runs().all()
    assert damaged == []
    assert {file.name for file in (tmp_path / "runs").iterdir()} == (
        {run.id for run in runs} | {".locks"}
    )
    Runs().make_room()
    assert sum(run.size for run in Runs().all()[0]) <= 1_000_000
    assert len({run.name for run in runs}) > 1


def test_a_beat_by_a_wrong_clock_counts_if_it_is_seen_to_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("cnn_core.training.beats.time.time", lambda: 5_000.0)
    monkeypatch.setattr("cnn_core.training.beats.time.monotonic", lambda: now)
    assert not is_silent("right clock", 4_998.0, 6.0)
    assert is_silent("right clock, dead", 4_990.0, 6.0)
    assert is_silent("an hour behind", 1_400.0, 6.0)  # nobody can know yet
    now = 1001.0
    assert not is_silent("an hour behind", 1_401.0, 6.0)  # it has come
    now = 1006.0
    assert not is_silent("an hour behind", 1_401.0, 6.0)
    now = 1008.0
    assert is_silent("an hour behind", 1_401.0, 6.0)  # and comes no more
    assert is_silent("an hour ahead", 8_600.0, 6.0)
    now = 1100.0
    assert is_silent("an hour ahead", 8_690.0, 6.0)  # it came long ago, or just now


@pytest.mark.parametrize("kept", [False, True])
def test_who_pauses_for_long_gives_way_to_who_waits(
    servers: list[Trainings], monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    monkeypatch.setattr("cnn_core.lab.trainings.PAUSE_SECONDS", 2.0)
    line = servers[0]
    paused, waiting = (Runs().create(CONFIG, owner=who) for who in ("me", "them"))
    paused.keep(kept)
    line.start(TrainRequest(paused.id))
    wait_for(paused, "running")
    line.give(paused.id, Order("pause"))
    wait_for(paused, "paused")
    time.sleep(3.5)
    assert paused.state.word == "paused"  # nobody waits
    line.start(TrainRequest(waiting.id))
    wait_for(paused, "stopped")
    wait_for(waiting, "running")


def test_the_only_one_here_may_pause_as_long_as_they_like(
    servers: list[Trainings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnn_core.lab.trainings.PAUSE_SECONDS", 0.5)
    line = servers[0]
    paused, waiting = Runs().create(CONFIG), Runs().create(CONFIG)
    line.start(TrainRequest(paused.id))
    wait_for(paused, "running")
    line.give(paused.id, Order("pause"))
    wait_for(paused, "paused")
    line.start(TrainRequest(waiting.id))
    time.sleep(2.5)
    assert (paused.state.word, waiting.state.word) == ("paused", "waiting")


class Lost(LocalExecutor):
    """Has lost who trained, and looks for another machine."""

    def run(self, request: TrainRequest, stop: Callable[[], bool]) -> None:
        while not stop():
            time.sleep(0.02)


def test_what_looks_for_a_machine_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    door = Door()
    line, run = Trainings(Lost(door)), Runs().create(CONFIG)
    line.start(TrainRequest(run.id))
    time.sleep(0.5)
    line.give(run.id, Order("stop"))
    wait_for(run, "stopped")
    line.stop()
    door.close()
