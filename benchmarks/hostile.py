"""Every door of ConvScope, hammered at length: how many tried, how many crashed.

    python -m benchmarks.hostile [--examples 400] [--door NAME]

Each door is tried in a process of its own, with what somebody thought of and with what hypothesis
makes up. A crash is an exception outside the tree of `cnn_core.errors`, a process that ends, a
payload that takes longer than 20 seconds, or one that takes a gigabyte of memory.
"""

import argparse
import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

EXAMPLES = 400
SLOW_SHARE = {"fields of forms": 0.25, "what components send": 0.3, "folders of runs": 0.75}
"""Of the examples: these doors have whole pages or folders behind them."""

_SECONDS = 20.0
_MEMORY_KB = 1_000_000
_PATIENCE = 1_800  # seconds for a door


def doors() -> list[str]:
    """The names of all doors, without opening one."""
    command = (
        "from tests.hostile.core_doors import DOORS as a; from tests.hostile.app_doors import "
        "DOORS as b; import json; print(json.dumps([*a, *b]))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", command], check=True, capture_output=True, text=True
    ).stdout
    found: list[str] = json.loads(answer.splitlines()[-1])
    return found


class Tally:
    """What became of the payloads thrown at one door."""

    def __init__(self) -> None:
        self.tried = self.refused = 0
        self.slowest = 0.0
        self.crashes: list[str] = []

    def throw(self, knock: Any, door: Any, payload: Any) -> None:
        self.tried += 1
        began, before = time.monotonic(), _peak()
        try:
            self.refused += not knock(door, payload)
        except Exception as error:
            self.crashes.append(f"{type(error).__name__}: {error!s:.200} of {payload!r:.200}")
        taken = time.monotonic() - began
        self.slowest = max(self.slowest, taken)
        if taken > _SECONDS:
            self.crashes.append(f"{taken:.0f} s for {payload!r:.200}")
        if _peak() - before > _MEMORY_KB:
            self.crashes.append(f"{(_peak() - before) / 1e6:.1f} GB for {payload!r:.200}")


def _peak() -> int:
    """The most memory that this process has had, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def try_door(name: str, examples: int) -> dict[str, Any]:
    """Hammer one door in this process."""
    from tests.hostile.door import knock

    try:
        from tests.hostile.core_doors import open_door

        door = open_door(name)
    except KeyError:
        from tests.hostile.app_doors import open_door as open_page_door

        logging.disable(logging.CRITICAL)  # Streamlit talks much when no server is around it
        door = open_page_door(name)
    tally = Tally()
    for payload in (*door.good, *door.by_hand):
        tally.throw(knock, door, payload)

    @seed(1)
    @settings(
        max_examples=max(1, round(examples * SLOW_SHARE.get(name, 1.0))),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def at_random(data: st.DataObject) -> None:
        tally.throw(knock, door, data.draw(door.payloads))

    at_random()
    return {**vars(tally), "memory": _peak() / 1e3}


def in_a_process(name: str, examples: int) -> dict[str, Any]:
    """`try_door` in a process that may end."""
    with tempfile.TemporaryDirectory(prefix="convscope-hostile-") as home:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.hostile", "--door", name, "--examples",
             str(examples)],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            env={**os.environ, "CONVSCOPE_HOME": home},
        )  # fmt: skip
    if done.returncode != 0:
        why = f"the process ended ({done.returncode}): {done.stderr[-400:]}"
        return {"tried": 0, "refused": 0, "slowest": 0.0, "memory": 0.0, "crashes": [why]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="at random, a door")
    parser.add_argument("--door", help="only this one, in this process; answers JSON")
    asked = parser.parse_args()
    if asked.door:
        print(json.dumps(try_door(asked.door, asked.examples)))
        return
    print("| door | tried | refused with a sentence | crashed | slowest |")
    print("|---|---|---|---|---|")
    tried = crashed = 0
    for name in doors():
        found = in_a_process(name, asked.examples)
        tried, crashed = tried + found["tried"], crashed + len(found["crashes"])
        print(
            f"| {name} | {found['tried']:,} | {found['refused']:,} | {len(found['crashes'])} | "
            f"{found['slowest']:.1f} s |",
            flush=True,
        )
        for crash in found["crashes"][:5]:
            print(f"    {crash}", file=sys.stderr)
    print(f"| **all** | **{tried:,}** | | **{crashed}** | |")
    sys.exit(crashed > 0)


if __name__ == "__main__":
    main()
