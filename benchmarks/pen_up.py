"""Pen-up → painted: the Draw page against a page of only the canvas and a text."""

import statistics
from pathlib import Path

from benchmarks.browsing import CANVAS, chromium, stroke, watch
from benchmarks.measure import report
from tests.browser.server import Server

STROKES = 30
OURS = [".st-key-digit-card", ".st-key-probabilities", ".st-key-network-view"]
BARE = [".st-key-seen"]


def main() -> None:
    bare_page = Path(__file__).with_name("bare_canvas.py")
    with Server() as ours, Server(bare_page) as bare, chromium() as browser:
        ours.wait_for_lab()
        pages = {}
        for name, server, seen in (("bare", bare, BARE), ("ours", ours, OURS)):
            pages[name] = browser.new_page(viewport={"width": 1440, "height": 900})
            pages[name].goto(server.url)
            pages[name].locator(CANVAS).wait_for()
            pages[name].wait_for_timeout(3000)
            watch(pages[name], seen)
        times: dict[str, list[float]] = {"bare": [], "ours": []}
        for number in range(STROKES + 3):
            for name, seen in (("bare", BARE), ("ours", OURS)):
                pages[name].bring_to_front()
                times[name].append(stroke(pages[name], number, seen))
        medians = {
            "bare: canvas and a text": statistics.median(times["bare"][3:]),
            "Draw: sidebar, probabilities, network view": statistics.median(times["ours"][3:]),
        }
        report(f"Pen-up → painted, {STROKES} interleaved strokes", medians, next(iter(medians)))


if __name__ == "__main__":
    main()
