"""The server from outside: deep links, offline, faults, the end."""

import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import numpy as np
import psutil
import pytest
import safetensors.numpy

from cnn_core.data.digit import mnist_digit
from cnn_core.networks.zoo import open_network, weights_at
from tests.browser.policy import NOTE_VIOLATIONS, watched
from tests.browser.server import Server
from tests.browser.visitor import ONE, SEVEN, Visitor, expect
from ui.network_view.routes import MODULE, VERSION, weights_address

Visit = Callable[..., Visitor]
PAGES = {
    "": "Draw a digit",
    "lessons": "Lessons",
    "layers": "Layers",
    "train": "Train",
    "filters": "Filters",
    "evaluate": "Evaluate",
    "explain": "Explain",
    "playground": "Playground",
    "architectures": "Architectures",
    "about": "About ConvScope",
}


def test_every_page_opens_by_deep_link_on_a_fresh_server(
    fresh_server: Server, visit: Visit
) -> None:
    """And the Content-Security-Policy holds nothing of it back."""
    for path, title in reversed(PAGES.items()):
        visitor = visit(fresh_server, path, script=NOTE_VIOLATIONS)
        expect(visitor.page.locator(".stApp h1")).to_have_text(title)
        expect(visitor.page.locator(".st-key-digit-card img")).to_be_visible()  # the shell is there
        visitor.wait_until_painted()
        visitor.page.wait_for_timeout(500)  # pictures and charts are fetched after the script
        assert watched(visitor) == [], path
        visitor.leave()


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
    before = server.workers()
    for worker in before:
        worker.send_signal(signal.SIGKILL)
    visitor.page.locator(".st-key-clear button").click()
    expect(visitor.page.locator(".st-key-clear button")).to_be_disabled()
    visitor.draw(ONE)
    assert visitor.prediction() == "1"
    expect(visitor.page.get_by_text("Computed by NumPy")).to_have_count(0, timeout=90_000)
    after = server.workers()
    assert 1 <= len(after) <= len(before)  # the lane for long work may have had one too
    assert not {worker.pid for worker in after} & {worker.pid for worker in before}


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


def fetched(server: Server, path: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(f"{server.url}/{path}") as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {}, b""


def test_the_views_files_are_served_by_names_made_of_their_content(server: Server) -> None:
    status, headers, script = fetched(server, MODULE)
    assert status == 200
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]
    assert b"export function show" in script
    ref = open_network("classic").last
    status, headers, content = fetched(server, f"network-view/{weights_address(ref)}")
    assert status == 200
    assert "immutable" in headers["cache-control"]
    kernel = safetensors.numpy.load(content)["conv_1/kernel"]
    np.testing.assert_array_equal(kernel, weights_at(ref)["conv_1"]["kernel"])


@pytest.mark.parametrize(
    "path",
    [
        "network-view/0000/network_view.js",
        f"network-view/{VERSION}/nothing.js",
        f"network-view/{VERSION}/..%2f..%2fpayload.py",
        "network-view/weights/classic/8442/whole/0000000000000000",
        "network-view/weights/classic/7/whole/0000000000000000",
        "network-view/weights/classic/99999999999999999999999/whole/0000000000000000",
        "network-view/weights/..%2fshipped%2fclassic/8442/whole/0000000000000000",
        "network-view/weights/nobody/0/whole/0000000000000000",
        "network-view/weights/classic/8442/conv_9%3a1/0000000000000000",
        "network-view/weights/classic/8442/nonsense/0000000000000000",
    ],
)
def test_what_the_view_may_not_have_is_refused(server: Server, path: str) -> None:
    status, _, content = fetched(server, path)
    assert status in (400, 404)  # 400: Streamlit's own word for a path that leaves its folder
    assert content == b""
