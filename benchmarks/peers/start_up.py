"""`streamlit run` → first page, → first prediction: ConvScope, a page that says hello, and a page
that imports TensorFlow.

    python -m benchmarks.peers.start_up
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from benchmarks.browsing import chromium
from benchmarks.peers.command import run, versions_of
from benchmarks.peers.figures import Disagreement, Findings, compared
from cnn_core.data.digit import mnist_digit
from cnn_core.networks.keras_model import load_model
from cnn_core.networks.zoo import open_network
from tests.browser.conftest import find_chromium
from tests.browser.server import ROOT, Server

RUNS = 3
FIRST_DIGIT = 30  # ConvScope's own first digit
HERE = Path(__file__).parent
OURS, HELLO, USUAL = "`streamlit run app.py`", "a page of one title", "TensorFlow in the page"
SCRIPTS = {
    OURS: ROOT / "app.py",
    HELLO: HERE / "hello_page.py",
    USUAL: HERE / "tensorflow_page.py",
}

Times = dict[str, list[float]]


def put_network(folder: Path) -> None:
    """What the page with TensorFlow opens: `classic` and the digit, as Keras wants them."""
    network = open_network("classic")
    load_model(network.last).save(folder / "classic.keras")
    np.save(folder / "digit.npy", network.card.fit(mnist_digit(FIRST_DIGIT).pixels)[None])


def one_start(browser: Browser, name: str, titles: Times, answers: Times, labs: list) -> str:
    """Start a server, look at its page, note the seconds; what it predicted, if it predicts."""
    with Server(SCRIPTS[name]) as server:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(90_000)
        page.goto(server.url, wait_until="commit")
        page.locator(".stApp h1").first.wait_for()
        titles[name].append(time.monotonic() - server.started)
        predicted = ""
        if name != HELLO:
            answer = page.locator(".st-key-prediction strong")
            answer.wait_for()
            answers[name].append(time.monotonic() - server.started)
            predicted = answer.inner_text()
        if name == OURS:
            server.wait_for_lab()
            labs.append(time.monotonic() - server.started)
        page.close()
    return predicted


def compare() -> Findings:
    with sync_playwright() as playwright:
        if find_chromium(playwright) is None:
            note = "There is no Chromium: starting up is left out (`playwright install chromium`)."
            return Findings((), "Starting up: not measured.", (note,), versions_of("Streamlit"))
    titles: Times = {name: [] for name in SCRIPTS}
    answers: Times = {name: [] for name in (OURS, USUAL)}
    labs: list[float] = []
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        os.environ["PAGE_FOLDER"] = folder
        put_network(Path(folder))
        for _ in range(RUNS + 1):
            said = {one_start(browser, name, titles, answers, labs) for name in SCRIPTS} - {""}
            if len(said) != 1:
                raise Disagreement(f"Expected one prediction of the same digit, received {said}.")
    # The first round reads from the disk what later ones find in the cache.
    first_page, first_answer = (
        {name: statistics.median(seconds[1:]) for name, seconds in times.items()}
        for times in (titles, answers)
    )
    return Findings(
        (
            compared("process start → first page painted", first_page, RUNS),
            compared("process start → first prediction painted", first_answer, RUNS),
        ),
        f"Starting up: both predict the same digit, a {said.pop()}. ConvScope’s first prediction "
        "is NumPy’s; its TensorFlow, in a process of its own, stood ready after "
        f"{statistics.median(labs[1:]):.1f} s (to 0.6 s), while the page could be used.",
        (),
        versions_of("Streamlit", "TensorFlow"),
    )


if __name__ == "__main__":
    run(compare)
