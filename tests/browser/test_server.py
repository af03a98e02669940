"""The server from outside: deep links, offline, faults, the end."""

import signal
import time
from collections.abc import Callable

import psutil
import pytest
from playwright.sync_api import expect

from cnn_core.data.digit import mnist_digit
from tests.browser.server import Server
from tests.browser.visitor import ONE, SEVEN, Visitor

Visit = Callable[..., Visitor]
PAGES = {"": "Draw a digit", "layers": "Layers", "about": "About ConvScope"}


def test_every_page_opens_by_deep_link_on_a_fresh_server(
    fresh_server: Server, visit: Visit
) -> None:
    for path, title in reversed(PAGES.items()):
        visitor = visit(fresh_server, path)
        expect(visitor.page.locator(".stApp h1")).to_have_text(title)
        expect(visitor.page.locator(".st-key-digit-card img")).to_be_visible()  # the shell is there


def test_the_first_answer_does_not_wait_for_tensorflow(fresh_server: Server, visit: Visit) -> None:
    """NumPy answers first and says so; the page follows by itself when the lab is ready."""
    visitor = visit(fresh_server)
    visitor.draw(SEVEN)
    assert visitor.prediction() == "7"
    line = visitor.page.get_by_text("Computed by NumPy")
    expect(line).to_be_visible()
    before = visitor.probabilities()
    expect(line).to_have_count(0, timeout=90_000)
    assert visitor.prediction() == "7"
    assert abs(visitor.probabilities() - before).max() < 1e-5


def test_a_page_recovers_by_itself_from_a_killed_worker(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.draw(SEVEN)
    for worker in server.workers():
        worker.send_signal(signal.SIGKILL)
    visitor.page.locator(".st-key-clear button").click()
    expect(visitor.page.locator(".st-key-clear button")).to_be_disabled()
    visitor.draw(ONE)
    assert visitor.prediction() == "1"
    expect(visitor.page.get_by_text("Computed by NumPy")).to_have_count(0, timeout=90_000)
    assert len(server.workers()) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_worker_outlives_its_server(how: signal.Signals) -> None:
    with Server() as server:
        end = time.monotonic() + 30
        while not server.workers():
            assert time.monotonic() < end
            time.sleep(0.05)
        workers = server.workers()
        server.process.send_signal(how)
        server.process.wait(30)
        _, alive = psutil.wait_procs(workers, timeout=20)
        assert alive == []


def test_it_listens_to_this_machine_only(server: Server) -> None:
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(server.process.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) <= {"127.0.0.1", "::1"}


def test_a_server_without_its_worker_still_answers(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """TensorFlow that cannot be imported: the page says so, and NumPy goes on answering."""
    broken = tmp_path_factory.mktemp("broken")
    (broken / "tensorflow.py").write_text("raise ImportError('this TensorFlow is broken')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    with Server() as server:
        visitor = visit(server, "?digit=test-0")
        expect(visitor.page.locator(".st-key-engine")).to_contain_text(
            "TensorFlow cannot be started", timeout=60_000
        )
        visitor.wait_for_digit(mnist_digit(0))
        assert visitor.prediction() == "7"
        visitor.draw(ONE)
        assert visitor.prediction() == "1"
        visitor.leave()  # before the server goes
