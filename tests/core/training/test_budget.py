"""What a training may cost, who may wait, and what is kept of whom."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cnn_core.errors import BadConfig, RunError
from cnn_core.lab.requests import TrainRequest
from cnn_core.lab.trainings import Trainings
from cnn_core.networks.zoo import architectures
from cnn_core.probe.accounting import accounts
from cnn_core.training.budget import OWN, PUBLIC, check_cost, cost_of, multiply_adds
from cnn_core.training.config import COURSE, FAST, MOST_FRAMES, TrainingConfig, film_steps
from cnn_core.training.run import Run
from cnn_core.training.run_state import RunState
from cnn_core.training.runs import Runs


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    return tmp_path


# Costs


@pytest.mark.parametrize("name", architectures())
def test_multiply_adds_are_those_of_the_accounts(name: str) -> None:
    graph = architectures()[name].graph
    assert multiply_adds(graph) == sum(one.multiply_adds for one in accounts(graph))


def test_the_cost_of_the_courses_recipe() -> None:
    cost = cost_of(COURSE)
    # By hand: 3×3×1×32 · 26² + 3×3×32×64 · 11² + 3×3×64×64 · 3² + 576×64 + 64×10 a digit,
    # 60,000 digits looked at in each of 5 epochs; 93,322 parameters of 4 bytes a frame.
    digit = 288 * 676 + 18_432 * 121 + 36_864 * 9 + 36_864 + 640
    assert cost.multiply_adds == digit * 60_000 * 5
    assert cost.steps == 3_750
    assert cost.film_bytes == 4 * 93_322 * len(film_steps(COURSE))


@pytest.mark.parametrize("most", [OWN, PUBLIC])
@pytest.mark.parametrize("recipe", [COURSE, FAST])
def test_the_recipes_stay_within_every_budget(most: object, recipe: TrainingConfig) -> None:
    check_cost(recipe, most)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"epochs": 21}, "At most 20 epochs"),
        ({"epochs": 20, "batch_size": 16}, "60,000 steps; at most 20,000"),
        ({"epochs": 20, "batch_size": 512, "architecture": "densenet_mini"}, "multiply-adds"),
        ({"epochs": 18, "batch_size": 128, "architecture": "intro"}, "film would take"),
    ],
)
def test_in_public_a_dear_training_is_refused(
    changes: dict[str, object], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(COURSE, **changes)  # type: ignore[arg-type]
    check_cost(config)
    monkeypatch.setenv("CONVSCOPE_PUBLIC", "1")
    with pytest.raises(BadConfig, match=why):
        check_cost(config)


def test_no_film_has_more_frames_than_there_may_be() -> None:
    long = TrainingConfig(epochs=1_000, batch_size=4_800)
    steps = film_steps(long)
    assert len(steps) <= MOST_FRAMES
    assert steps[-1] == long.total_steps == 10_000


# The queue


class OnlySeat:
    """A place to train at that one can have."""

    def __init__(self) -> None:
        self.taken = threading.Event()

    def release(self) -> None:
        self.taken.clear()


class Standing:
    """An executor whose trainings go on until they are stopped, one at a time."""

    def __init__(self) -> None:
        self.only = OnlySeat()

    def check(self) -> None: ...

    def warm(self) -> None: ...

    def seat(self) -> OnlySeat | None:
        if self.only.taken.is_set():
            return None
        self.only.taken.set()
        return self.only

    def run(self, request: object, stop: object) -> None:
        while not stop():  # type: ignore[operator]
            time.sleep(0.01)

    def close(self) -> None: ...


def test_a_full_queue_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_WAITING", "2")
    executor = Standing()
    line = Trainings(executor)
    try:
        line.start(TrainRequest(Runs().create(FAST).id))
        assert executor.only.taken.wait(10)
        for _ in range(2):
            line.start(TrainRequest(Runs().create(FAST).id))
        with pytest.raises(RunError, match="2 trainings wait for their turn"):
            line.start(TrainRequest(Runs().create(FAST).id))
    finally:
        line.stop()


# Room on the disk


def run_of(owner: str, megabytes: int, kept: bool = False) -> Run:
    run = Runs().create(FAST, owner=owner)
    (run.folder / "film").mkdir()
    (run.folder / "film" / "0.safetensors").write_bytes(bytes(megabytes * 1_000_000))
    run.tell(RunState("finished"))
    run.keep(kept)
    return run


def ids() -> set[str]:
    return {run.id for run in Runs().all()[0]}


def test_whoever_has_most_loses_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine megabytes in ten: the old run of a modest visitor stays."""
    monkeypatch.setenv("CONVSCOPE_RUNS_MB", "9")
    monkeypatch.setattr("cnn_core.training.runs.share_bytes", lambda: 10**9)
    modest = run_of("a" * 32, 1)
    first, second, third = (run_of("b" * 32, 3) for _ in range(3))
    Runs().make_room()
    assert ids() == {modest.id, second.id, third.id}
    assert not first.folder.exists()


def test_an_owners_runs_stay_within_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_RUNS_MB", "50")  # five for one
    old, new = run_of("a" * 32, 3), run_of("a" * 32, 3)
    others = run_of("b" * 32, 3)
    Runs().make_room()
    assert ids() == {new.id, others.id}
    assert not old.folder.exists()


def test_who_keeps_all_has_no_room_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_RUNS_MB", "4")
    run_of("", 5, kept=True)
    with pytest.raises(RunError, match="no room for another run"):
        Runs().create(FAST)


def test_in_public_nothing_is_kept_longer_than_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONVSCOPE_PUBLIC", "1")
    monkeypatch.setenv("CONVSCOPE_RUNS_MB", "5")
    monkeypatch.setattr("cnn_core.training.runs.share_bytes", lambda: 10**9)
    old = run_of("a" * 32, 4, kept=True)
    new = run_of("b" * 32, 3, kept=True)
    Runs().make_room()
    assert ids() == {new.id}
    assert not old.folder.exists()


def test_what_is_kept_beyond_the_quota_costs_nobody_else_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONVSCOPE_RUNS_MB", "20")
    theirs = run_of("me", 1)
    hoarded = [run_of(f"owner {k}", 11, kept=True) for k in range(2)]
    assert Runs().make_room() == []
    assert ids() == {run.id for run in (*hoarded, theirs)}
    with pytest.raises(RunError, match="no room for another run"):
        Runs().create(FAST, owner="me")


def test_an_owner_keeps_no_more_than_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_RUNS_MB", "50")  # 5 for each
    first, second = run_of("me", 3), run_of("me", 4)
    Runs().keep(first.id, True)
    with pytest.raises(RunError, match="more than your 5 MB"):
        Runs().keep(second.id, True)
    Runs().keep(first.id, False)
    Runs().keep(second.id, True)
    assert (first.kept, second.kept) == (False, True)
    nobodys = run_of("", 30)
    Runs().keep(nobodys.id, True)
    assert nobodys.kept
