"""Presenter mode on a projector: 1280 × 720, a clicker, a keyboard."""

import re
from collections.abc import Callable

import pytest

from cnn_core.course.lesson import load_course
from tests.browser.server import Server
from tests.browser.visitor import SEVEN, Visitor, expect, wait_for

Visit = Callable[..., Visitor]
COURSE = load_course()
PROJECTOR = {"viewport": {"width": 1280, "height": 720}}
TITLES = [
    "Draw a digit", "Lessons", "Layers", "Train", "Filters", "Evaluate", "Playground",
    "Architectures", "Explain", "About ConvScope",
]  # fmt: skip


def presented(visit: Visit, server: Server, path: str = "", more: str = "") -> Visitor:
    visitor = visit(server, f"{path}?present=1{more}", **PROJECTOR)
    listening(visitor)
    return visitor


def listening(visitor: Visitor) -> None:
    """Until the page has been painted and hears its keys."""
    expect(visitor.page.get_by_test_id("present-leave")).to_be_enabled()
    visitor.wait_until_painted()


def press(visitor: Visitor, key: str) -> None:
    listening(visitor)
    visitor.page.keyboard.press(key)


def type_size(visitor: Visitor) -> float:
    size = visitor.page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    return float(size)


def title(visitor: Visitor, words: str) -> None:
    expect(visitor.page.locator(".stApp h1")).to_have_text(words)
    visitor.wait_until_painted()


def layer(visitor: Visitor, name: str) -> None:
    expect(visitor.page.locator(".st-key-layer-facts h2")).to_contain_text(name)
    visitor.wait_until_painted()


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.soak), "dark"])
def test_a_clicker_goes_through_all_pages_each_dressed_for_a_projector(
    server: Server, visit: Visit, scheme: str
) -> None:
    # From the last layer, and the last card of the course, a step can only turn the page.
    end = f"layer=output&lesson={len(COURSE)}&card={len(COURSE[-1].cards)}"
    visitor = visit(server, f"?present=1&{end}", **PROJECTOR, color_scheme=scheme)
    for words in TITLES:
        title(visitor, words)
        expect(visitor.page.get_by_test_id("stSidebar")).to_be_hidden()
        for kind in ("export", "network-code", "other-digits"):
            expect(visitor.page.locator(f".st-key-{kind}")).to_be_hidden()
        assert type_size(visitor) == 20
        wait_for(visitor.page, "document.querySelector('.stMain').scrollWidth <= innerWidth")
        press(visitor, "PageDown")


def test_draw_shows_canvas_answer_and_network_without_scrolling(
    server: Server, visit: Visit
) -> None:
    visitor = presented(visit, server)
    visitor.draw(SEVEN)
    assert visitor.prediction() == "7"
    for place in (".st-key-canvas", ".st-key-probabilities", "[data-testid=view-stage]"):
        box = visitor.page.locator(place).first.bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 720


def test_the_network_is_whole_on_layers_without_scrolling(server: Server, visit: Visit) -> None:
    visitor = presented(visit, server, "layers")
    box = visitor.page.get_by_test_id("view-stage").bounding_box()
    assert box
    assert box["height"] > 400
    assert box["y"] + box["height"] <= 720


def test_a_clicker_steps_through_the_layers_and_then_turns_the_page(
    server: Server, visit: Visit
) -> None:
    visitor = presented(visit, server, "layers", "&layer=dense_1")
    press(visitor, "PageDown")
    layer(visitor, "output")
    press(visitor, "PageDown")
    title(visitor, "Train")
    press(visitor, "PageUp")
    title(visitor, "Layers")
    layer(visitor, "output")
    press(visitor, "ArrowLeft")
    layer(visitor, "dense_1")
    press(visitor, "ArrowRight")
    layer(visitor, "output")
    assert "present=1" in visitor.page.url


def test_a_clicker_turns_the_cards_of_a_lesson(server: Server, visit: Visit) -> None:
    visitor = presented(visit, server, "lessons", "&lesson=5&card=1")
    heading = visitor.page.locator(".cs-card-title")
    for key, card in (("PageDown", 2), ("PageDown", 3), ("PageUp", 2), ("ArrowRight", 3)):
        press(visitor, key)
        expect(heading).to_contain_text(COURSE[4].cards[card - 1].title)
        visitor.wait_until_painted()
    title(visitor, "Lessons")
    expect(visitor.page.get_by_test_id("stSidebar")).to_be_hidden()


def test_pages_turn_back_too_and_the_mode_stays(server: Server, visit: Visit) -> None:
    visitor = presented(visit, server, "layers", "&layer=input")
    press(visitor, "PageUp")
    title(visitor, "Lessons")
    press(visitor, "PageUp")
    title(visitor, "Draw a digit")
    press(visitor, "PageUp")  # there is none before it
    visitor.wait_until_painted()
    title(visitor, "Draw a digit")
    assert type_size(visitor) == 20


def test_keys_meant_for_a_text_or_a_picture_turn_no_page(server: Server, visit: Visit) -> None:
    visitor = presented(visit, server, "playground")
    field = visitor.page.locator(".stMain input").first
    field.focus()
    visitor.page.keyboard.press("PageDown")
    visitor.page.keyboard.press("ArrowRight")
    visitor.page.keyboard.press("Escape")
    visitor.page.wait_for_timeout(500)
    title(visitor, "Playground")
    assert type_size(visitor) == 20
    stage = visitor.page.get_by_test_id("view-stage")
    stage.focus()
    visitor.page.keyboard.press("ArrowRight")
    visitor.page.wait_for_timeout(500)
    title(visitor, "Playground")


def test_escape_leaves_and_the_switch_enters(server: Server, visit: Visit) -> None:
    visitor = presented(visit, server, "explain")
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_test_id("stSidebar")).to_be_visible()
    expect(visitor.page.get_by_test_id("present-leave")).to_have_count(0)
    visitor.wait_until_painted()
    assert type_size(visitor) == 16
    assert "present" not in visitor.page.url
    visitor.page.keyboard.press("PageDown")
    visitor.page.wait_for_timeout(500)
    title(visitor, "Explain")
    visitor.page.locator(".st-key-present label").click()
    expect(visitor.page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(visitor.page).to_have_url(re.compile("present=1"))


def test_the_way_out_shows_itself_when_the_pointer_moves(server: Server, visit: Visit) -> None:
    visitor = presented(visit, server, "about")
    leave = visitor.page.get_by_test_id("present-leave")
    expect(leave).to_have_css("opacity", "0")
    visitor.page.mouse.move(300, 300)
    visitor.page.mouse.move(340, 320)
    expect(leave).to_have_css("opacity", "1")
    expect(leave).to_have_css("opacity", "0")
    leave.focus()
    expect(leave).to_have_css("opacity", "1")
    leave.click()
    expect(visitor.page.get_by_test_id("stSidebar")).to_be_visible()


def test_a_link_hides_chosen_controls(server: Server, visit: Visit) -> None:
    visitor = visit(server, "?hide=network,moment,canvas,export", **PROJECTOR)
    page = visitor.page
    for key in ("network", "moment", "canvas", "export"):
        expect(page.locator(f".st-key-{key}")).to_be_hidden()
    for key in ("digit-card", "digit-seen", "probabilities"):
        expect(page.locator(f".st-key-{key}").first).to_be_visible()
    page.locator(".st-key-show-hidden button").first.click()
    for key in ("network", "moment", "canvas", "export"):
        expect(page.locator(f".st-key-{key}").first).to_be_visible()


def test_the_notebook_is_downloaded(server: Server, visit: Visit) -> None:
    visitor = visit(server, "layers?layer=conv_2")
    visitor.wait_until_painted()
    with visitor.page.expect_download(timeout=30_000) as download:
        visitor.page.locator(".st-key-notebook button").first.click()
    assert download.value.suggested_filename == "convscope-layers-classic-conv_2.ipynb"
    assert b'"nbformat": 4' in download.value.path().read_bytes()
