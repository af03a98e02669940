"""A classroom at one server: how long its pupils wait, while somebody trains.

    python -m benchmarks.classroom                 30 pupils, a training beside them
    python -m benchmarks.classroom --find          how many there may be
    python -m benchmarks.classroom --visits 200    people come and go: what stays behind

The pupils are real websocket sessions from a process of their own on the same machine, which takes
its share of the processors too: that share is printed.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from benchmarks.person import arrived
from benchmarks.pupil import Findings, Pupil
from tests.browser.server import Server

EVERY_SECONDS = 6.0
MEDIAN_LIMIT, SLOW_LIMIT = 0.5, 1.5
"""What the median and the 95th percentile of all answers may take, in seconds."""

_STAY_SECONDS = 120.0  # that Streamlit keeps the state of somebody who has left
_VISITORS_AT_ONCE = 5


async def lesson(
    url: str, pupils: int, seconds: float, *, training: bool, every: float = EVERY_SECONDS
) -> Findings:
    """A class at work.

    Parameters
    ----------
    url : the server's.
    pupils : how many.
    seconds : how long.
    training : whether somebody trains a network meanwhile, and watches it.
    every : seconds from one thing that a pupil does to the next.
    """
    findings = Findings()
    everybody = [Pupil(number, findings) for number in range(pupils)]
    until = asyncio.get_running_loop().time() + seconds
    async with asyncio.TaskGroup() as room:
        if training:
            room.create_task(_train(url, until, findings))
        for pupil in everybody:
            room.create_task(pupil.attend(url, until, every))
    return findings


async def _train(url: str, until: float, findings: Findings) -> None:
    """The teacher: starts a training, follows it, and stops it at the end."""
    try:
        async with arrived(url) as (person, _):
            await person.open("train")
            await person.press("train-start")
            while asyncio.get_running_loop().time() < until:
                await asyncio.sleep(1)
            state = person.text("train-state")
            if "running" not in state:
                findings.errors.append(f"the training: {state}")
            await person.press("train-stop")
            findings.errors += [f"the teacher: {text}" for text in person.trouble]
    except (OSError, TimeoutError, LookupError) as error:
        findings.errors.append(f"the teacher: {type(error).__name__} {error}")


async def visits(url: str, count: int, first: int = 0) -> Findings:
    """People who come, draw twice, look at Layers, and leave."""
    findings = Findings()
    turn = asyncio.Semaphore(_VISITORS_AT_ONCE)

    async def visit(number: int) -> None:
        async with turn:
            await Pupil(number, findings).pass_by(url)

    async with asyncio.TaskGroup() as street:
        for number in range(first, first + count):
            street.create_task(visit(number))
    return findings


def percentile(seconds: list[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def holds(findings: Findings) -> bool:
    """Whether everybody was answered rightly, and soon enough."""
    seconds = findings.all_seconds
    soon = statistics.median(seconds) <= MEDIAN_LIMIT and percentile(seconds, 0.95) <= SLOW_LIMIT
    return soon and not findings.errors and not findings.wrong


def report(title: str, findings: Findings) -> None:
    print(f"\n{title}")
    print(f"  {'':<16} {'answers':>8} {'median':>9} {'95 %':>9} {'99 %':>9} {'longest':>9}")
    for name, seconds in [*findings.seconds.items(), ("all", findings.all_seconds)]:
        shares = (statistics.median(seconds), *(percentile(seconds, s) for s in (0.95, 0.99, 1)))
        print(f"  {name:<16} {len(seconds):8} " + " ".join(f"{one:7.2f} s" for one in shares))
    print(
        f"  {findings.checked:,} things checked, {len(findings.wrong)} wrong, "
        f"{len(findings.errors)} errors; limits "
        f"{'met' if holds(findings) else 'NOT met'}",
        flush=True,
    )
    for text in (*findings.errors[:5], *findings.wrong[:5]):
        print(f"    {text}")


@contextmanager
def classroom_server() -> Iterator[Server]:
    """A server whose runs belong to whoever made them, with its lab ready."""
    os.environ["CONVSCOPE_CLASSROOM"] = "1"
    with Server() as server:
        server.wait_for_lab()
        asyncio.run(visits(server.url, 3, first=10_000))  # what comes first is slow once
        yield server


def _memory(server: Server) -> float:
    """MB of the server's process without its workers."""
    return psutil.Process(server.process.pid).memory_info().rss / 1e6


def _one_lesson(server: Server, pupils: int, seconds: float, training: bool) -> Findings:
    before, own = _memory(server), time.process_time()
    began = time.monotonic()
    findings = asyncio.run(lesson(server.url, pupils, seconds, training=training))
    share = (time.process_time() - own) / (time.monotonic() - began)
    report(
        f"{pupils} pupils, something every {EVERY_SECONDS:.0f} s, for {seconds:.0f} s"
        + (", beside a training" if training else ""),
        findings,
    )
    workers = sum(worker.memory_info().rss for worker in server.workers()) / 1e6
    print(
        f"  server {before:.0f} → {_memory(server):.0f} MB, its workers {workers:.0f} MB; the "
        f"pupils themselves took {share:.0%} of a core"
    )
    return findings


def _find(server: Server, seconds: float) -> None:
    """Ever more pupils, until the limits are not met."""
    most = 0
    for pupils in (10, 20, 30, 40, 50, 60, 80, 100):
        if not holds(_one_lesson(server, pupils, seconds, training=True)):
            break
        most = pupils
    print(f"\nThe most that met the limits: {most}")


def _come_and_go(server: Server, count: int) -> None:
    asyncio.run(visits(server.url, count // 4, first=20_000))
    time.sleep(_STAY_SECONDS + 10)
    asyncio.run(visits(server.url, 1, first=30_000))
    before = _memory(server)
    findings = asyncio.run(visits(server.url, count, first=40_000))
    full = _memory(server)
    time.sleep(_STAY_SECONDS + 10)
    asyncio.run(visits(server.url, 1, first=50_000))
    report(f"{count} visits, {_VISITORS_AT_ONCE} at a time", findings)
    print(
        f"  server {before:.0f} MB before, {full:.0f} MB at the end, {_memory(server):.0f} MB long "
        f"after all had gone: {_memory(server) - before:+.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pupils", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--find", action="store_true", help="ever more pupils")
    parser.add_argument("--visits", type=int, default=0, help="so many come and go instead")
    chosen = parser.parse_args()
    with classroom_server() as server:
        if chosen.visits:
            _come_and_go(server, chosen.visits)
        elif chosen.find:
            _find(server, chosen.seconds)
        else:
            _one_lesson(server, chosen.pupils, chosen.seconds, training=True)
        print(f"complaints in the log: {server.complaints()}")


if __name__ == "__main__":
    main()
