"""Process start → canvas usable, against a page of only the canvas; and what follows."""

import statistics
import time
from pathlib import Path

from benchmarks.browsing import CANVAS, chromium
from benchmarks.measure import report
from tests.browser.server import ROOT, Server

RUNS = 5


def main() -> None:
    bare_page = Path(__file__).with_name("bare_canvas.py")
    times: dict[str, list[float]] = {}

    def note(name: str, since: float) -> None:
        times.setdefault(name, []).append(time.monotonic() - since)

    with chromium() as browser:
        for run in range(RUNS + 1):
            for name, script in (("bare", bare_page), ("ours", ROOT / "app.py")):
                with Server(script) as server:
                    page = browser.new_page(viewport={"width": 1440, "height": 900})
                    page.goto(server.url, wait_until="commit")
                    page.locator(".stApp h1, " + CANVAS).first.wait_for()
                    note(f"{name}: first paint", server.started)
                    page.locator(CANVAS).wait_for()
                    note(f"{name}: canvas usable", server.started)
                    if name == "ours":
                        page.locator(".st-key-prediction strong").wait_for()
                        note("ours: first prediction (NumPy)", server.started)
                        server.wait_for_lab()
                        note("ours: lab ready (within 0.6 s)", server.started)
                    page.close()
            if run == 0:
                times.clear()  # files come from disk, not from the cache
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    report(f"Process start → …, {RUNS} interleaved runs", medians, "bare: canvas usable")


if __name__ == "__main__":
    main()
