"""The moment: one frame on Layers against a bare canvas round trip; frames a second when played."""

import statistics
from pathlib import Path

from benchmarks.browsing import CANVAS, chromium, stroke, watch
from benchmarks.measure import report
from cnn_core.networks.zoo import open_network
from tests.browser.server import Server

ROUNDS = 20
SEEN = [".st-key-layer-arithmetic"]
BARE = [".st-key-seen"]

# Moves the slider by one frame; resolves with the milliseconds until the arithmetic is painted.
_MOVE = """
([range, index]) => new Promise(done => {
  const start = performance.now();
  const before = document.querySelector('.st-key-layer-arithmetic').innerHTML;
  const observer = new MutationObserver(() => {
    const now = document.querySelector('.st-key-layer-arithmetic')?.innerHTML;
    if (!now || now === before) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
  });
  observer.observe(document.body, { subtree: true, childList: true, characterData: true });
  range.value = index;
  range.dispatchEvent(new Event('input'));
})
"""


def main() -> None:
    steps = open_network("classic").film.steps
    bare_page = Path(__file__).with_name("bare_canvas.py")
    with Server() as ours, Server(bare_page) as bare, chromium() as browser:
        ours.wait_for_lab()
        blank = browser.new_page(viewport={"width": 1440, "height": 900})
        blank.goto(bare.url)
        blank.locator(CANVAS).wait_for()
        blank.wait_for_timeout(2000)
        watch(blank, BARE)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{ours.url}/layers?layer=conv_2&unit=5,5,10")
        page.locator(SEEN[0]).wait_for()
        page.locator(".st-key-network-view").get_by_test_id("unit-why").wait_for()
        page.wait_for_timeout(3000)
        times: dict[str, list[float]] = {"bare": [], "ours": []}
        for number in range(ROUNDS + 2):
            blank.bring_to_front()
            times["bare"].append(stroke(blank, number, BARE))
            page.bring_to_front()
            handle = page.get_by_test_id("moment-range").element_handle()
            times["ours"].append(page.evaluate(_MOVE, [handle, number % len(steps)]) / 1000)
            page.wait_for_timeout(300)
        medians = {
            "bare: pen-up → text": statistics.median(times["bare"][2:]),
            "Layers: slider moved → arithmetic": statistics.median(times["ours"][2:]),
        }
        report(f"One frame, {ROUNDS} interleaved rounds", medians, next(iter(medians)))
        page.get_by_test_id("moment-range").fill("0")
        page.wait_for_url("**step=0&**")
        page.wait_for_timeout(1000)
        start = page.evaluate("performance.now()")
        page.get_by_test_id("moment-play").click()
        page.wait_for_url(f"**step={steps[-1]}&**")
        seconds = (page.evaluate("performance.now()") - start) / 1000
        print(f"  the film of {len(steps)} frames played in {seconds:.1f} s: "
              f"{(len(steps) - 1) / seconds:.1f} frames a second")  # fmt: skip


if __name__ == "__main__":
    main()
