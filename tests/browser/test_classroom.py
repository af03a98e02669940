"""Many people at one server, by the websockets that their browsers would hold."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from benchmarks.classroom import lesson
from benchmarks.person import Person, arrived
from benchmarks.pupil import Pupil
from cnn_core.training.config import TrainingConfig
from cnn_core.training.run import Run
from cnn_core.training.run_state import ENDED, RunState
from cnn_core.training.runs import Runs
from tests.browser.server import Server

FIRST, SECOND = "a" * 32, "b" * 32


def ran(work: Coroutine[Any, Any, Any]) -> Any:
    """Its result; in a thread, because Playwright keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def test_everybody_is_answered_about_their_own_digit(server: Server) -> None:
    findings = ran(lesson(server.url, pupils=8, seconds=20, every=1.0, training=False))
    assert findings.errors == []
    assert findings.wrong == []
    done = {"draw", "to Layers", "step a layer", "another moment", "to Filters", "another filter"}
    assert done <= set(findings.seconds)
    assert findings.checked > 1000


async def another_pupils_picture(server: Server) -> list[str]:
    """What a pupil finds wrong when another's digit arrives in the place of the own one."""
    pupil, other = Pupil(1), Pupil(2)
    async with arrived(server.url) as (person, _), arrived(server.url) as (stranger, _):
        await pupil.draw(person)
        await other.draw(stranger)
        pupil.compare(stranger)
    return pupil.findings.wrong


def test_a_pupil_would_notice_anothers_picture(server: Server) -> None:
    wrong = ran(another_pupils_picture(server))
    assert {"pupil 1: the picture", "pupil 1: conv_1", "pupil 1: the probabilities"} <= set(wrong)


@pytest.fixture
def classroom(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("CONVSCOPE_CLASSROOM", "1")
    with Server() as server:
        yield server
        assert server.complaints() == []


@dataclass
class Seen:
    """Of a teacher's run: what the teacher, a pupil, and a pupil with a link see."""

    run: Run
    teachers_state: str
    pupils_page: str
    pupils_networks: list[str]
    linked_networks: list[str]


def run_has_network(run: Run) -> bool:
    """Whether there is something to look through: it comes with the first frame."""
    return (run.folder / "network.json").exists()


async def what_each_sees(server: Server) -> Seen:
    async with arrived(server.url) as (teacher, _), arrived(server.url) as (pupil, _):
        await teacher.send("owner-token", token=FIRST)
        await teacher.open("train")
        await teacher.press("train-start")
        (run,), _ = Runs(server.home / "runs").all()
        while "running" not in teacher.text("train-state") or not run_has_network(run):
            await asyncio.sleep(0.2)
        await pupil.send("owner-token", token=SECOND)
        await pupil.open("train")
        link = f"network={run.id}"
        async with arrived(server.url, link) as (guest, _):
            seen = Seen(
                run,
                teacher.text("train-state"),
                pupil.text(),
                pupil.options_of("network-choice"),
                guest.options_of("network-choice"),
            )
        await teacher.press("train-stop")
        while run.state.word not in ENDED:
            await asyncio.sleep(0.2)
        return seen


def test_a_run_is_seen_by_its_owner_and_by_whoever_has_its_link(classroom: Server) -> None:
    seen = ran(what_each_sees(classroom))
    assert "running" in seen.teachers_state
    assert seen.run.name not in seen.pupils_page
    assert not [name for name in seen.pupils_networks if name.startswith(seen.run.name)]
    assert [name for name in seen.linked_networks if name.startswith(seen.run.name)]


async def runs_after_the_session_was_lost(server: Server) -> str:
    """What Train shows to a pupil whose page has reconnected to a server that forgot it."""
    config = TrainingConfig(share=0.01, epochs=1)
    run = Runs(server.home / "runs").create(config, "my very own", owner=FIRST)
    run.tell(RunState("stopped"))
    async with arrived(server.url) as (pupil, _):
        await pupil.send("owner-token", token=FIRST)
        async with Person(server.url) as again:
            await again.come_back(pupil, "train")
            await again.press("recipe-Fast")
            return again.text()


def test_who_reconnects_is_still_the_owner(classroom: Server) -> None:
    assert "my very own" in ran(runs_after_the_session_was_lost(classroom))
