"""The Lessons page in Chromium: walked through by keys alone, remembered by the browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from cnn_core.course.lesson import load_course
from cnn_core.course.text import load_glossary
from tests.browser.server import Server
from tests.browser.visitor import Visitor, expect, wait_for

Visit = Callable[..., Visitor]
COURSE = load_course()
CARDS = [(lesson, card) for lesson in COURSE for card in lesson.cards]
QUESTIONS = [k for k, (_, card) in enumerate(CARDS, start=1) if card.question]


def at(page: Page, place: int) -> None:
    """The page has come to a place, and shows what stands there."""
    expect(page.locator(".steps")).to_have_attribute("data-at", str(place))
    expect(page.locator(".cs-card-title")).to_contain_text(CARDS[place - 1][1].title)


def first_card(lesson: int) -> int:
    """Its place in the course; of the lesson after the last, one behind all cards."""
    return 1 + sum(len(one.cards) for one in COURSE[: lesson - 1])


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("first", "last"), [(1, 3), (14, 15), pytest.param(1, 15, marks=pytest.mark.soak)]
)
def test_lessons_are_walked_through_by_keyboard_alone(
    server: Server, visit: Visit, first: int, last: int
) -> None:
    """To every card, and every question answered; nothing may go wrong on the way, nor in the
    console. All fifteen without a break, in the soak."""
    places = range(first_card(first), first_card(last + 1))
    before = f"?lesson={first - 1}&card={len(COURSE[first - 2].cards)}" if first > 1 else ""
    visitor = visit(server, f"lessons{before}")
    page = visitor.page
    expect(page.get_by_test_id("card-next")).to_be_visible()
    visitor.wait_until_painted()
    for place in places:
        page.keyboard.press("ArrowRight")
        at(page, place)
        choices = page.locator(".st-key-lesson-choices button")
        expect(choices.first).to_have_count(int(place in QUESTIONS))
        page.keyboard.press("1")  # answers a question; means nothing elsewhere
        expect(page.locator(".st-key-answer-again")).to_have_count(int(place in QUESTIONS))
        expect(page.locator(".stException, [data-testid=stAlert]")).to_have_count(0)
    if last == len(COURSE):
        expect(page.get_by_test_id("card-next")).to_be_disabled()
    page.keyboard.press("ArrowLeft")
    at(page, places[-1] - 1)
    assert re.search(rf"lesson={last}&card=\d", page.url)


def test_progress_survives_a_reload_until_it_is_forgotten(server: Server, visit: Visit) -> None:
    visitor = visit(server, "lessons")
    page = visitor.page
    expect(page.get_by_test_id("card-next")).to_be_visible()
    visitor.wait_until_painted()
    page.get_by_role("button", name="Begin").click()
    at(page, 1)
    page.keyboard.press("ArrowRight")
    at(page, 2)
    wait_for(page, "() => localStorage.getItem('convscope-progress')?.includes('1.2')")
    # A new session of the same browser: by reload, and by another tab.
    page.goto(f"{server.url}/lessons")
    expect(page.locator(".st-key-lesson-open-1")).to_contain_text("2 of")
    other = visitor.context.new_page()
    other.goto(f"{server.url}/lessons")
    expect(other.locator(".st-key-lesson-open-1")).to_contain_text("2 of")
    other.close()
    page.get_by_test_id("forget-progress").click()
    expect(page.locator(".st-key-lesson-open-1")).to_contain_text("0 of")
    visitor.wait_until_painted()
    page.goto(f"{server.url}/lessons")
    expect(page.locator(".st-key-lesson-open-1")).to_contain_text("0 of")
    # Another browser never knew.
    stranger = visit(server, "lessons")
    expect(stranger.page.locator(".st-key-lesson-open-1")).to_contain_text("0 of")


def test_what_a_browser_keeps_may_be_garbage(server: Server, visit: Visit) -> None:
    visitor = visit(server, "lessons")
    page = visitor.page
    for kept in ('{"a": 1}', "[[1], null, 7]", "no json", '["99.99", "1.1"]'):
        page.evaluate("kept => localStorage.setItem('convscope-progress', kept)", kept)
        page.goto(f"{server.url}/lessons")
        expect(page.locator(".st-key-lesson-open-1")).to_be_visible()
        visitor.wait_until_painted()
    expect(page.locator(".st-key-lesson-open-1")).to_contain_text("1 of")


def test_a_term_is_explained_by_hover_by_tab_and_by_touch(server: Server, visit: Visit) -> None:
    address = "lessons?lesson=3&card=1"
    words = load_glossary()["kernel"]
    page = visit(server, address).page
    term, tip = page.locator(".cs-term").first, page.locator(".cs-tip").first
    expect(term).to_contain_text("kernel")
    expect(tip).to_have_text(words)
    expect(tip).to_be_hidden()
    term.hover()
    expect(tip).to_be_visible()
    page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    page.get_by_test_id("card-next").focus()
    page.keyboard.press("Tab")
    expect(term).to_be_focused()
    expect(tip).to_be_visible()
    phone = visit(
        server, address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ).page
    phone.locator(".cs-term").first.tap()
    expect(phone.locator(".cs-tip").first).to_be_visible()


def test_arrows_that_mean_something_else_turn_no_card(server: Server, visit: Visit) -> None:
    """In a field, on the moment's slider, in a picture: there they do what they do there."""
    visitor = visit(server, "lessons?lesson=3&card=3")
    page = visitor.page
    at(page, 19)
    visitor.wait_until_painted()
    page.get_by_test_id("picker-stage").first.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_test_id("moment-range").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_test_id("moment-read")).to_contain_text("7,504")
    visitor.wait_until_painted()
    at(page, 19)
    page.get_by_test_id("moment-range").evaluate("one => one.blur()")
    page.keyboard.press("ArrowRight")
    at(page, 20)


def test_a_link_reopens_the_card(server: Server, visit: Visit) -> None:
    visitor = visit(server, "lessons?lesson=5&card=3")
    at(visitor.page, 38)
    expect(visitor.page.locator(".stApp")).to_be_visible()
    visitor.wait_until_painted()
    address = visitor.page.url
    assert "layer=pool_1&unit=" in address
    again = visit(server, address.removeprefix(f"{server.url}/"))
    at(again.page, 38)
    again.wait_until_painted()
    expect(again.page).to_have_url(address)
