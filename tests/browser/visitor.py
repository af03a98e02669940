"""A person at a browser: opens pages, draws with the mouse, reads what is shown."""

import time
from collections.abc import Callable
from typing import Any, Literal, overload
from urllib.parse import urlparse

import numpy as np
import playwright.sync_api
from playwright.sync_api import (
    ConsoleMessage,
    Locator,
    LocatorAssertions,
    Page,
    PageAssertions,
    Request,
    ViewportSize,
    WebSocket,
)

from cnn_core.data.digit import Digit, digit_from_token
from cnn_core.data.ink import canvas_to_digit
from tests.browser.server import Server

Points = list[tuple[float, float]]

SEVEN: list[Points] = [[(80, 60), (200, 60), (130, 230)]]
ONE: list[Points] = [[(140, 40), (140, 240)]]
FOUR: list[Points] = [[(110, 50), (70, 150), (200, 150)], [(165, 90), (165, 240)]]


_LOOK = 40  # milliseconds
_PATIENCE = 20_000


class _Often:
    def __init__(self, assertions: Any) -> None:
        self._assertions = assertions

    def __getattr__(self, name: str) -> Callable[..., None]:
        check = getattr(self._assertions, name)

        def look(*args: Any, timeout: float = _PATIENCE, **options: Any) -> None:
            end = time.monotonic() + timeout / 1000
            while True:
                try:
                    return check(*args, timeout=_LOOK, **options)
                except AssertionError:
                    if time.monotonic() > end:
                        raise

        return look


@overload
def expect(what: Locator) -> LocatorAssertions: ...
@overload
def expect(what: Page) -> PageAssertions: ...
def expect(what: Any) -> Any:
    """Playwright's assertions, looked at often; its own come to look once a second only."""
    return _Often(playwright.sync_api.expect(what))


def wait_for(page: Page, condition: str, arg: object = None) -> None:
    """Until a condition, in JavaScript, holds on the page. Playwright's own way has the page itself
    evaluate texts, which the Content-Security-Policy forbids; and it is looked more often than
    once a second."""
    end = time.monotonic() + 30
    while not page.evaluate(condition, arg):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(20)


DRESS = ("viewport", "color_scheme", "reduced_motion")
"""What a page can be told that is in a browser already."""


class Visitor:
    """Somebody at a page of a browser context of its own, and all that went wrong in it.

    Parameters
    ----------
    give_back : takes the page for others, nothing left behind; None closes it.
    viewport, color_scheme, reduced_motion : as Playwright's contexts have them.
    """

    def __init__(
        self,
        page: Page,
        server: Server,
        path: str = "",
        *,
        give_back: Callable[[Page], None] | None = None,
        viewport: ViewportSize | None = None,
        color_scheme: Literal["dark", "light"] = "light",
        reduced_motion: Literal["no-preference", "reduce"] = "no-preference",
    ) -> None:
        self.page, self.context, self.server = page, page.context, server
        self._give_back = give_back
        self._is_here = True
        self.page.set_viewport_size(viewport or {"width": 1440, "height": 900})
        self.page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
        self.complaints: list[str] = []
        self.foreign_requests: list[str] = []
        self.frames_sent = 0
        self.bytes_received = 0
        self._ears: dict[Any, Callable[[Any], None]] = {
            "console": self._note,
            "pageerror": lambda error: self.complaints.append(str(error)),
            "request": self._watch,
            "websocket": self._listen,
        }
        for event, ear in self._ears.items():
            self.page.on(event, ear)
        self.page.goto(f"{server.url}/{path}")
        self.page.locator(".stApp h1").wait_for()

    def _note(self, message: ConsoleMessage) -> None:
        """Collect warnings and errors, but for the 404s of Streamlit's deep links and of a table's
        rows that it asks for when the table has gone, and what its Graphviz says of working
        without a helper."""
        known = ("/_stcore/health", "/_stcore/host-config")
        url = message.location.get("url", "")
        if "Not using web worker" in message.text:
            return
        if urlparse(url).path.startswith("/media/") and "404" in message.text:
            return
        if message.type in ("error", "warning") and not url.endswith(known):
            self.complaints.append(f"{message.type}: {message.text} {url}")

    def _watch(self, request: Request) -> None:
        url = urlparse(request.url)
        if url.scheme in ("http", "https", "ws", "wss") and url.netloc != (
            f"localhost:{self.server.port}"
        ):
            self.foreign_requests.append(request.url)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", self._count)
        socket.on("framereceived", self._weigh)

    def _count(self, _: object) -> None:
        self.frames_sent += 1

    def _weigh(self, frame: str | bytes) -> None:
        self.bytes_received += len(frame)

    def leave(self) -> None:
        if not self._is_here:
            return
        self._is_here = False
        if self._give_back is None:
            self.context.close()
            return
        for event, ear in self._ears.items():
            self.page.remove_listener(event, ear)
        self.page.unroute_all()
        self.page.mouse.move(0, 0)
        self.page.evaluate("localStorage.clear()")
        self.page.goto("about:blank")
        self.context.clear_cookies()
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        self._give_back(self.page)

    # Drawing

    def draw(self, strokes: list[Points], wait: bool = True) -> None:
        """Draw with the mouse, in canvas pixels; then wait until the page shows the drawing."""
        canvas = self.page.locator(".st-key-canvas canvas.upper-canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box
        for points in strokes:
            at = [(box["x"] + x, box["y"] + y) for x, y in points]
            self.page.mouse.move(*at[0])
            self.page.mouse.down()
            for x, y in at[1:]:
                self.page.mouse.move(x, y, steps=4)
            self.page.mouse.up()
        if wait:
            self.wait_for_drawing()

    def canvas_digit(self) -> Digit:
        """The digit that the ink on the canvas makes, read from the browser's own pixels."""
        url = self.page.locator(".st-key-canvas canvas.dc-canvas.lower-canvas").evaluate(
            """canvas => new Promise(done => requestAnimationFrame(
                 () => requestAnimationFrame(() => done(canvas.toDataURL("image/png")))))"""
        )
        return canvas_to_digit(url, 280)

    def wait_for_drawing(self) -> None:
        """Until the digit shown is that of the ink on the canvas."""
        self.wait_for_digit(self.canvas_digit())

    # Reading

    def wait_for_digit(self, digit: Digit) -> None:
        wait_for(
            self.page,
            "token => document.querySelector('.st-key-digit-seen [data-digit]')?.dataset.digit"
            " === token",
            digit.token,
        )
        self.wait_until_painted()

    def wait_until_painted(self) -> None:
        """Until the page's script has run to its end."""
        wait_for(
            self.page,
            "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState"
            " === 'notRunning'",
        )

    def digit(self) -> Digit:
        token = self.page.locator(".st-key-digit-seen [data-digit]").get_attribute("data-digit")
        assert token
        return digit_from_token(token)

    def prediction(self) -> str:
        return self.page.locator(".st-key-prediction").inner_text().split()[0]

    def probabilities(self) -> np.ndarray:
        rows = self.page.locator(".st-key-probabilities [data-value]")
        return np.array(rows.evaluate_all("rows => rows.map(row => Number(row.dataset.value))"))

    def go_to(self, page: str) -> None:
        """By the navigation in the sidebar."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=page).click()
        self.page.locator(".stApp h1").wait_for()
