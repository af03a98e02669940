"""Two thousand reruns over all pages: does the server grow, is anything left behind?

    python -m benchmarks.soak

One person goes round and round through every page and its parts, by the websocket that a browser
would hold. What comes first does not count: every card of every lesson, and every part of every
page, once.
"""

import argparse
import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle

import psutil

from benchmarks.person import Person, arrived
from benchmarks.pupil import Findings, Pupil
from cnn_core.course.lesson import load_course
from tests.browser.server import Server

RERUNS = 2000
GROWTH_LIMIT = 50.0
"""MB that the server may grow by."""

_UNCOUNTED = 12  # rounds, until every part of every page has been seen
_CARDS = 1 + sum(len(lesson.cards) for lesson in load_course())  # the overview is one more
_PARTS = {
    "playground": (
        "play-part",
        ["Activation", "Pooling", "Flatten and dense", "Input", "Convolution"],
    ),
    "architectures": ("architectures-part", ["Build your own", "Open your own", "Famous networks"]),
    "evaluate": (
        "evaluate-part",
        ["Mistakes", "Guess", "Calibration", "Map", "Robustness", "Compare", "Scores"],
    ),
}
_NETWORKS = ["Intro", "LeNet-5", "VGG, small", "ResNet, small", "Inception, small"]

Act = Callable[[], Awaitable[float]]


class Walker:
    """Somebody who walks through all pages, a little differently each time."""

    def __init__(self, person: Person, pupil: Pupil) -> None:
        self._person, self._pupil = person, pupil
        self._cards = cycle(range(_CARDS))
        self._networks = cycle(_NETWORKS)
        self._parts = {page: cycle(parts) for page, (_, parts) in _PARTS.items()}

    def round(self) -> list[Act]:
        """What is done in one round, each a rerun."""
        person, draw = self._person, partial(self._pupil.draw, self._person)
        go = person.open
        visits: list[Act] = [partial(go, ""), draw, draw, draw]
        visits += [partial(person.press, "random-digit"), partial(go, "lessons"), self._card]
        visits += [self._card, partial(go, "layers"), self._network, self._moment]
        visits += [partial(person.press, "layer-next"), partial(go, "train")]
        visits += [partial(go, "filters"), partial(go, "explain")]
        for page in _PARTS:
            visits += [partial(go, page), partial(self._part, page)]
        return [*visits, self.classic, partial(go, "about")]

    async def _card(self) -> float:
        return await self._person.trigger("lesson-steps", "go", next(self._cards))

    async def _network(self) -> float:
        return await self._choose(next(self._networks))

    async def classic(self) -> float:
        """The network that the pupil compares with, at the moment that it compares."""
        return await self._choose("Classic")

    async def _choose(self, name: str) -> float:
        offered = self._person.options_of("network-choice")
        (title,) = [one for one in offered if re.match(rf"{name}, \d", one)]
        return await self._person.choose("network-choice", title)

    async def _moment(self) -> float:
        film = self._person.data_of("moment-slider")["steps"]
        return await self._person.send("moment-slider", step=film[len(film) // 2])

    async def _part(self, page: str) -> float:
        return await self._person.pick(_PARTS[page][0], next(self._parts[page]))


@dataclass(frozen=True)
class Standing:
    """How the server is at a moment."""

    megabytes: float
    threads: int
    processes: int

    @classmethod
    def of(cls, server: Server) -> "Standing":
        process = psutil.Process(server.process.pid)
        workers = process.children(recursive=True)
        return cls(process.memory_info().rss / 1e6, process.num_threads(), len(workers))

    def __str__(self) -> str:
        return f"{self.megabytes:6.1f} MB, {self.threads} threads, {self.processes} workers"


async def walk(server: Server, reruns: int) -> tuple[Findings, Standing, Standing]:
    """Round and round; what went wrong, and the server before and after what counts."""
    findings = Findings()
    async with arrived(server.url) as (person, _):
        walker = Walker(person, Pupil(0, findings))
        await person.open("lessons")
        for card in range(_CARDS):
            await person.trigger("lesson-steps", "go", card)
        await walker.classic()
        for _ in range(_UNCOUNTED):
            await _once_round(walker, person, findings)
        before = Standing.of(server)
        print(f"    0 reruns: {before}", flush=True)
        done = 0
        while done < reruns:
            for _ in range(10):
                done += await _once_round(walker, person, findings)
            print(f"{done:5} reruns: {Standing.of(server)}", flush=True)
    return findings, before, Standing.of(server)


async def _once_round(walker: Walker, person: Person, findings: Findings) -> int:
    """How many reruns it was."""
    acts = walker.round()
    for act in acts:
        await act()
    findings.errors += person.trouble
    person.trouble.clear()
    return len(acts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reruns", type=int, default=RERUNS)
    chosen = parser.parse_args()
    with Server() as server:
        server.wait_for_lab()
        began = time.monotonic()
        findings, before, after = asyncio.run(walk(server, chosen.reruns))
        print(
            f"grown by {after.megabytes - before.megabytes:+.1f} MB (limit {GROWTH_LIMIT:.0f}), "
            f"{after.threads - before.threads:+} threads, "
            f"{after.processes - before.processes:+} workers, in {time.monotonic() - began:.0f} s; "
            f"{findings.checked:,} things checked, {len(findings.wrong)} wrong, "
            f"{len(findings.errors)} errors"
        )
        for text in (*findings.errors[:5], *findings.wrong[:5]):
            print(f"  {text}")
        children = psutil.Process(server.process.pid).children(recursive=True)
        print(f"complaints in the log: {server.complaints()}")
    _, left = psutil.wait_procs(children, timeout=20)
    print(f"processes left behind when it was stopped: {len(left)}")


if __name__ == "__main__":
    main()
