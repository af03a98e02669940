"""Public mode, the crowd, held uploads and headers: limits that visitors meet."""

import asyncio
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.digit import mnist_digit
from cnn_core.errors import Crowded, LabError
from cnn_core.lab.jobs import Job
from cnn_core.lab.requests import EvaluationRequest, SynthesisRequest
from cnn_core.lab.supervisor import LaneStatus
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import SHIPPED, open_network
from tests.app.conftest import SHELL
from tests.app.read import texts
from ui import ask, crowd, held_uploads
from ui.crowd import Crowd
from ui.headers import SecurityHeaders, content_security_policy, frame_ancestors
from ui.held_uploads import HeldUploads


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_PUBLIC", "1")
    ask.use(None)


def opened(page: str) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=60)
    app.switch_page(f"../pages/{page}.py")
    return app.run()


# Public mode


def test_in_public_no_model_is_uploaded_and_the_page_says_why(public: None) -> None:
    page = opened("architectures")
    page.button_group(key="architectures-part").set_value("Open your own").run()
    assert not page.exception
    assert "models are not uploaded here" in texts(page)
    assert not [button for button in page.button if button.key == "own-model-open"]
    assert not page.get("file_uploader")


def test_in_public_pictures_may_still_be_uploaded(public: None) -> None:
    assert len(opened("draw").get("file_uploader")) == 1


def test_in_public_nobody_names_this_machines_files(public: None) -> None:
    page = opened("about")
    assert not page.exception
    assert not [field for field in page.text_input if field.key == "fashion-place"]


# The crowd


def test_one_more_than_there_is_room_for_is_asked_to_come_back() -> None:
    here = Crowd()
    first = here.enter(2)
    here.enter(2)
    with pytest.raises(Crowded, match="2 visitors are here"):
        here.enter(2)
    here.leave(first)
    here.enter(2)
    here.leave(first)  # whoever has left cannot leave again
    assert len(here) == 2


def test_the_page_says_that_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Crowd()
    full.enter(1)
    monkeypatch.setattr(crowd, "_place", lambda: full.enter(1))
    page = opened("draw")
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith("1 visitors are here")
    assert "Reload the page" in error.value


# Studies


class Busy:
    """A lab whose studies never end."""

    def submit(self, request: object, lane: str, time_limit: float) -> Job:
        return Job(request, time_limit)  # type: ignore[arg-type]


@pytest.fixture
def busy() -> Any:
    ask.use(Busy())  # type: ignore[arg-type]
    yield
    ask.use(None)


def studies(first: int, count: int) -> list[SynthesisRequest]:
    ref = NetworkRef("classic", 0)
    return [SynthesisRequest(ref, "conv_1", k) for k in range(first, first + count)]


def test_one_visitor_has_so_many_studies_at_once(busy: None) -> None:
    jobs = [ask.begin(one, "a" * 32) for one in studies(0, 6)]
    with pytest.raises(LabError, match="6 studies of yours"):
        ask.begin(EvaluationRequest(NetworkRef("classic", 0)), "a" * 32)
    ask.begin(EvaluationRequest(NetworkRef("classic", 0)), "b" * 32)
    jobs[0].cancel()
    ask.begin(EvaluationRequest(NetworkRef("intro", 0)), "a" * 32)


def test_all_together_have_so_many(busy: None) -> None:
    for one in studies(0, 24):
        ask.begin(one)
    with pytest.raises(LabError, match="24 studies are under way or waiting"):
        ask.begin(EvaluationRequest(NetworkRef("classic", 0)))


def test_a_study_is_cancelled_when_nobody_asks_for_it_any_more(busy: None) -> None:
    (request,) = studies(0, 1)
    job = ask.begin(request, "a" * 32)
    assert not ask.asks_for(request, "b" * 32)
    ask.leave(request, "b" * 32)  # a stranger's word does not count
    assert not job.ended
    ask.join(request, "b" * 32)
    ask.leave(request, "a" * 32)
    assert not job.ended
    assert not ask.asks_for(request, "a" * 32)
    ask.leave(request, "b" * 32)
    assert job.ended


def test_only_who_asked_is_offered_to_cancel(busy: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_CLASSROOM", "1")

    def page(owner: str) -> None:
        from cnn_core.lab.requests import SynthesisRequest
        from cnn_core.networks.ref import NetworkRef
        from ui import state
        from ui.panels.study import study

        state.take_owner(owner)
        study(SynthesisRequest(NetworkRef("classic", 0), "conv_1", 0), "Begin", "it")

    mine, theirs = (AppTest.from_function(page, args=(who * 32,)).run() for who in "ab")
    mine.button(key="it-begin").click().run()
    theirs.run()
    assert [one.key for one in mine.button] == ["it-cancel"]
    assert list(theirs.button) == []


class OneWorker(Busy):
    """A lab whose one worker has a study in hand."""

    looks_wait_for_studies = True

    def status(self, lane: str = "look") -> LaneStatus:
        return LaneStatus("ready", "", (), 0)


def test_numpy_answers_while_the_only_worker_studies() -> None:
    ask.use(OneWorker())  # type: ignore[arg-type]
    try:
        (request,) = studies(0, 1)
        job = ask.begin(request)
        answer = ask.trace(open_network("classic").last, mnist_digit(0))
        assert answer.trace.engine == "numpy"
        assert answer.passing
        assert "busy with a study" in answer.trouble
        with pytest.raises(LabError, match="busy with a study"):
            ask.look(request, "key")
        job.cancel()
    finally:
        ask.use(None)


class Counting(Busy):
    """Answers each question with its number."""

    looks_wait_for_studies = False

    def __init__(self) -> None:
        self.asked = 0

    def ask(self, *request: object) -> int:
        self.asked += 1
        return self.asked


def test_what_is_kept_of_a_frame_goes_when_it_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a run goes on from its last whole epoch."""
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    id = "fedcba9876543210"
    shutil.copytree(SHIPPED / "intro", tmp_path / "runs" / id)
    request = EvaluationRequest(open_network(id).last)
    ask.use(Counting())  # type: ignore[arg-type]
    try:
        assert [ask.look(request, "key") for _ in range(2)] == [1, 1]
        job = ask.begin(request)
        assert ask.begun(request) is job
        os.utime(open_network(id).film.file(request.ref.step), ns=(1, 1))
        assert ask.look(request, "key") == 2
        assert ask.begun(request) is None
    finally:
        ask.use(None)


# Held uploads


def asked(
    app: Callable[..., Any], path: str, headers: list[tuple[bytes, bytes]], method: str = "PUT"
) -> list[Any]:
    """What is answered to a request; ``reached`` if it came through."""
    answers: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        answers.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    asyncio.run(app(scope, receive, send))
    return answers


async def inner(scope: Any, receive: Any, send: Any) -> None:
    await send(
        {"type": "http.response.start", "status": 204, "headers": [(b"x-frame-options", b"?")]}
    )
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize(
    ("mine", "all_", "length", "status"),
    [(0, 0, b"50", 204), (60, 60, b"50", 413), (0, 180, b"50", 503), (0, 0, b"-5", 411)],
)
def test_files_are_counted_before_another_comes_in(
    mine: int, all_: int, length: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_uploads, "held", lambda session: (mine, all_))
    app = HeldUploads(inner, of_a_visitor=100, of_all=200)
    answers = asked(app, "/_stcore/upload_file/s/f", [(b"content-length", length)])
    assert answers[0]["status"] == status


def test_files_on_their_way_count_for_who_sends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_uploads, "held", lambda session: (0, 0))
    statuses: list[int] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        statuses.extend(answers_to("s")[:1])
        statuses.extend(answers_to("t")[:1])
        await inner(scope, receive, send)

    app = HeldUploads(slow, of_a_visitor=100, of_all=200)

    def answers_to(session: str) -> list[int]:
        """What becomes of a second file that comes meanwhile."""
        second = HeldUploads(inner, of_a_visitor=100, of_all=200)
        second._coming = app._coming
        with ThreadPoolExecutor(1) as thread:
            headers = [(b"content-length", b"60")]
            path = f"/_stcore/upload_file/{session}/g"
            return [thread.submit(asked, second, path, headers).result()[0]["status"]]

    asked(app, "/_stcore/upload_file/s/f", [(b"content-length", b"60")])
    assert statuses == [413, 204]
    assert app._coming == {}


def test_what_streamlit_holds_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the store that Streamlit really has: another version may keep files otherwise."""
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
    from streamlit.runtime.uploaded_file_manager import UploadedFileRec

    store = MemoryUploadedFileManager("/upload")
    store.add_file("s", UploadedFileRec("1", "a", "b", bytes(30)))
    store.add_file("t", UploadedFileRec("2", "a", "b", bytes(12)))
    monkeypatch.setattr(held_uploads.runtime, "exists", lambda: True)
    there = SimpleNamespace(uploaded_file_mgr=store)
    monkeypatch.setattr(held_uploads.runtime, "get_instance", lambda: there)
    assert held_uploads.held("s") == (30, 42)
    assert held_uploads.held("nobody") == (0, 42)


# Headers


def test_headers_are_set_once_and_the_websocket_is_left_alone() -> None:
    answers = asked(SecurityHeaders(inner), "/", [(b"host", b"localhost:8501")], "GET")
    names = [name for name, _ in answers[0]["headers"]]
    assert len(names) == len(set(names))
    assert dict(answers[0]["headers"])[b"x-frame-options"] == b"SAMEORIGIN"
    scopes: list[Any] = []

    async def socket(scope: Any, receive: Any, send: Any) -> None:
        scopes.append((scope, receive, send))

    given = ({"type": "websocket"}, object(), object())
    asyncio.run(SecurityHeaders(socket)(*given))  # type: ignore[arg-type]
    assert scopes == [given]


@pytest.mark.parametrize("host", ["evil; script-src *", "a b", "a\r\nb", "", "x" * 300, "ü"])
def test_a_host_that_is_none_does_not_come_into_the_policy(host: str) -> None:
    assert "ws:" not in content_security_policy(host)


def test_who_may_frame_it_is_said_by_origins_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_FRAMES", "https://school.example *; javascript:x http://a:80")
    assert frame_ancestors() == ("'self'", "https://school.example", "http://a:80")
    answers = asked(SecurityHeaders(inner), "/", [], "GET")
    headers = dict(answers[0]["headers"])
    assert b"frame-ancestors 'self' https://school.example" in headers[b"content-security-policy"]
