"""A real server, a real Chromium, and visitors who notice everything that goes wrong."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.browser.server import Server
from tests.browser.visitor import DRESS, Visitor

CHROMIUM_OPTIONS = [
    # A process for every visitor is a second for every visitor.
    "--renderer-process-limit=1",
    "--disable-site-isolation-trials",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


LONGEST = ("test_layers", "test_network_view", "test_lessons", "test_train", "test_server")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: at the end both processes have something to do."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


def find_chromium(playwright: Playwright) -> str | None:
    """A system Chromium, else Playwright's own, else None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    system = next(filter(None, map(shutil.which, names)), None)
    own = playwright.chromium.executable_path
    return system or (own if Path(own).exists() else None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = find_chromium(playwright)
        if chromium is None:
            pytest.exit(
                "No Chromium was found. Debian: sudo apt install chromium; "
                "elsewhere: .venv/bin/playwright install chromium",
                returncode=1,
            )
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for most tests, its lab ready. Its log must be clean in the end."""
    with Server() as server:
        server.wait_for_lab()
        yield server
        assert server.complaints() == []


@pytest.fixture
def fresh_server() -> Iterator[Server]:
    """A server just started, which nobody has visited."""
    with Server() as server:
        yield server
        assert server.complaints() == []


@pytest.fixture(scope="session")
def tabs() -> defaultdict[str, list[Page]]:
    """Tabs whose visitors have left, by the script that runs in them. They know Streamlit's code:
    to fetch and compile it anew is most of what it takes to come."""
    return defaultdict(list)


@pytest.fixture
def visit(browser: Browser, tabs: dict[str, list[Page]]) -> Iterator[Callable[..., Visitor]]:
    """Open pages as new visitors; in the end nothing may have gone wrong in their browsers."""
    visitors: list[Visitor] = []

    def new_visitor(server: Server, path: str = "", *, script: str = "", **options: Any) -> Visitor:
        """`script` is run on each page before all others; options are those of a context."""
        dress = {name: options.pop(name) for name in DRESS if name in options}
        pool = tabs[script]
        if pool and not options:
            page = pool.pop()
        else:
            context = browser.new_context(**options)
            if script:
                context.add_init_script(script)
            page = context.new_page()
        give_back = None if options else pool.append
        visitor = Visitor(page, server, path, give_back=give_back, **dress)
        visitors.append(visitor)
        return visitor

    yield new_visitor
    for visitor in visitors:
        visitor.leave()
    for visitor in visitors:
        assert visitor.foreign_requests == []
        assert visitor.complaints == []
