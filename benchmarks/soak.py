"""Many strokes, pages, moments and test digits: does the server grow, is anything left behind?"""

import psutil

from benchmarks.browsing import CANVAS, chromium, stroke, watch
from tests.browser.server import Server

ROUNDS = 60
SEEN = [".st-key-probabilities"]


def main() -> None:
    with Server() as server, chromium() as browser:
        server.wait_for_lab()
        process = psutil.Process(server.process.pid)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(server.url)
        for number in range(ROUNDS):
            page.locator(CANVAS).wait_for()
            page.wait_for_timeout(500)
            watch(page, SEEN)
            for k in range(4):
                stroke(page, 4 * number + k, SEEN)
            page.locator(".st-key-random-digit button").click()
            page.wait_for_timeout(300)
            nav = page.get_by_test_id("stSidebarNav")
            nav.get_by_role("link", name="About").click()
            page.locator(".st-key-lab").wait_for()
            nav.get_by_role("link", name="Layers").click()
            page.get_by_test_id("unit-name").wait_for()
            for k in (0, number % 24, 23):
                page.get_by_test_id("moment-range").fill(str(k))
                page.wait_for_timeout(300)
            nav.get_by_role("link", name="Draw").click()
            if number % 10 == 9 or number == 4:
                memory = process.memory_info().rss / 1e6
                print(
                    f"{(number + 1) * 11:5} reruns: server {memory:6.1f} MB, "
                    f"{process.num_threads()} threads, {len(server.workers())} workers",
                    flush=True,
                )
        print(f"complaints in the log: {server.complaints()}")


if __name__ == "__main__":
    main()
