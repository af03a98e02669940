"""Evaluate in Chromium: cells and digits by mouse and by key, a map that needs no server."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator

from cnn_core.data.mnist import load_mnist
from tests.browser.server import Server
from tests.browser.visitor import Visitor, expect

Visit = Callable[..., Visitor]


def opened(visit: Visit, server: Server, part: str, path: str = "evaluate") -> Visitor:
    visitor = visit(server, path)
    page = visitor.page
    # The first visit has it evaluated; by then the page has settled.
    expect(page.locator(".st-key-accuracy")).to_contain_text("right", timeout=60_000)
    page.locator(".st-key-evaluate-part").get_by_text(part, exact=True).click()
    visitor.wait_until_painted()
    return visitor


def cell(visitor: Visitor, row: int, column: int) -> Locator:
    return visitor.page.locator(f'button[data-row="{row}"][data-column="{column}"]')


def test_a_cell_shows_its_digits_and_one_of_them_opens_in_layers(
    server: Server, visit: Visit
) -> None:
    visitor = opened(visit, server, "Mistakes")
    page = visitor.page
    cells = page.get_by_test_id("confusion").locator("td button")
    expect(cells).to_have_count(100)
    counts = cells.all_inner_texts()
    table = np.array([0 if text == "·" else int(text) for text in counts]).reshape(10, 10)
    assert table.sum() == 10_000
    np.testing.assert_array_equal(table.sum(axis=1), np.bincount(load_mnist().y_test))
    wrong = table - np.diag(np.diag(table))
    row, column = (int(i) for i in np.unravel_index(int(wrong.argmax()), wrong.shape))
    cell(visitor, row, column).click()
    mistakes = page.locator(".st-key-mistakes")
    expect(mistakes).to_contain_text(f"{table[row, column]} of class {row} called {column}")
    expect(cell(visitor, row, column)).to_have_attribute("aria-pressed", "true")
    first = mistakes.locator("button[data-id]").first
    number = int(first.get_attribute("data-id") or -1)
    assert load_mnist().y_test[number] == row
    first.click()
    expect(page.locator(".stApp h1")).to_have_text("Layers")
    expect(page.locator(".st-key-digit-card")).to_contain_text(f"MNIST test digit {number}")


def test_the_matrix_is_walked_by_keys(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server, "Mistakes")
    cell(visitor, 0, 0).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp"):
        visitor.page.keyboard.press(key)
    focused = cell(visitor, 1, 2)
    expect(focused).to_be_focused()
    assert re.fullmatch(r"\d+ of 1135 1 called 2", focused.get_attribute("aria-label") or "")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator(".st-key-mistakes")).to_contain_text("of class 1 called 2")


def test_pointing_at_the_map_shows_digits_without_a_word_to_the_server(
    server: Server, visit: Visit
) -> None:
    visitor = opened(visit, server, "Map")
    page = visitor.page
    seen, plane = page.get_by_test_id("map-seen"), page.get_by_test_id("map")
    expect(seen).to_contain_text("Under the lens: MNIST test digit 30", timeout=60_000)
    plane.scroll_into_view_if_needed()
    visitor.wait_until_painted()
    box = plane.bounding_box()
    assert box
    page.wait_for_timeout(500)
    before, read = visitor.frames_sent, set()
    for k in range(60):
        page.mouse.move(
            box["x"] + box["width"] * (0.3 + 0.4 * (k % 10) / 10),
            box["y"] + box["height"] * (0.2 + 0.6 * (k // 10) / 6),
        )
        read.add(seen.inner_text())
    assert visitor.frames_sent == before
    digits = [text for text in read if text.startswith("Test digit")]
    assert len(digits) > 10
    for text in digits:
        found = re.match(r"Test digit (\d+): (\d), (rightly said|called \d)", text)
        assert found, text
        assert load_mnist().y_test[int(found[1])] == int(found[2])


def test_the_map_is_walked_by_keys_and_opens_a_digit(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server, "Map")
    page = visitor.page
    seen, plane = page.get_by_test_id("map-seen"), page.get_by_test_id("map")
    expect(seen).to_contain_text("Under the lens", timeout=60_000)
    visitor.wait_until_painted()
    plane.focus()
    page.keyboard.press("ArrowDown")
    expect(seen).to_contain_text("Test digit")
    first = seen.inner_text()
    page.keyboard.press("ArrowLeft")
    assert seen.inner_text() != first
    number = re.search(r"\d+", seen.inner_text())
    assert number
    page.keyboard.press("Enter")
    expect(page.locator(".stApp h1")).to_have_text("Layers")
    expect(page.locator(".st-key-digit-card")).to_contain_text(f"MNIST test digit {number[0]}")


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.soak), "dark"])
def test_the_map_plays_over_the_training(server: Server, visit: Visit, scheme: str) -> None:
    visitor = visit(server, "evaluate?network=classic_overfit", color_scheme=scheme)
    page = visitor.page
    expect(page.locator(".st-key-accuracy")).to_contain_text("94.38%", timeout=60_000)
    page.locator(".st-key-evaluate-part").get_by_text("Map", exact=True).click()
    expect(page.get_by_test_id("map-seen")).to_contain_text("Under the lens", timeout=60_000)
    page.locator(".st-key-map-film label").click()
    step, film = page.get_by_test_id("map-step"), page.get_by_test_id("map-range")
    begin = page.locator(".st-key-embedding-begin button")
    expect(begin.or_(film).filter(visible=True).first).to_be_visible()
    visitor.wait_until_painted()
    for button in begin.all()[:1]:
        button.click()  # the second time it has been laid out already
    expect(film).to_be_visible(timeout=60_000)
    visitor.wait_until_painted()

    def painted() -> str:
        return page.get_by_test_id("map").evaluate("canvas => canvas.toDataURL()")

    before = painted()
    film.press("Home")
    expect(step).to_have_text("Step 0")
    assert painted() != before
    page.get_by_test_id("map-play").click()
    expect(step).to_have_text("Step 16", timeout=10_000)
    expect(page.get_by_test_id("map-play")).to_have_attribute(
        "aria-label", "Play the training", timeout=20_000
    )
    expect(step).to_have_text("Step 960")
    assert painted() == before
