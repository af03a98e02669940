"""The network view while other things change: the network, the moment, the theme."""

import re
from collections.abc import Callable

from tests.browser.server import Server
from tests.browser.visitor import Visitor, expect

Visit = Callable[..., Visitor]


def choose(visitor: Visitor, title: str) -> None:
    visitor.page.locator(".st-key-network-choice input").click()
    visitor.page.get_by_role("option", name=re.compile(rf"^{title}, \d")).click()


def test_a_unit_that_the_other_network_lacks_is_let_go(server: Server, visit: Visit) -> None:
    visitor = visit(server, "layers?layer=conv_3&unit=1,1,5")
    view = visitor.page.locator(".st-key-network-view")
    name = view.get_by_test_id("unit-name")
    expect(name).to_have_text("conv_3[1, 1, 5]")
    visitor.wait_until_painted()
    stage = view.get_by_test_id("view-stage")
    stage.focus()
    stage.press("ArrowRight")
    stage.press("Enter")  # kept, just before
    choose(visitor, "Intro")
    expect(view.get_by_role("button", name="conv_3")).to_have_count(0)
    expect(name).to_contain_text("conv_1[")
    visitor.wait_until_painted()
    view.get_by_test_id("play").click()  # and the window slides while it is changed again
    choose(visitor, "Classic")
    expect(view.get_by_role("button", name="conv_3")).to_be_visible()


def test_the_film_plays_under_a_sliding_window(server: Server, visit: Visit) -> None:
    visitor = visit(server, "layers?layer=conv_2&unit=2,6,36&step=2345")
    view = visitor.page.locator(".st-key-network-view")
    expect(view.get_by_test_id("unit-name")).to_be_visible()
    visitor.wait_until_painted()
    view.get_by_test_id("play").click()
    visitor.page.get_by_test_id("moment-play").click()
    visitor.page.wait_for_url("**step=8442&**", timeout=30_000)
    expect(view.get_by_test_id("play")).to_have_attribute("aria-label", "Pause")
    expect(view.get_by_test_id("unit-value")).to_be_visible()


def test_what_is_looked_at_stays_while_the_moment_changes(server: Server, visit: Visit) -> None:
    visitor = visit(server, "layers?layer=conv_2&unit=2,6,36")
    view = visitor.page.locator(".st-key-network-view")
    name = view.get_by_test_id("unit-name")
    expect(name).to_be_visible()
    visitor.wait_until_painted()
    view.get_by_test_id("view-stage").press("ArrowRight")  # looked at, not kept
    last = view.get_by_test_id("unit-value").get_attribute("data-value")
    visitor.page.get_by_test_id("moment-range").fill("3")
    visitor.page.wait_for_url("**step=3&**")
    visitor.wait_until_painted()
    expect(view.locator(".view")).to_have_attribute("data-picture", re.compile("classic/3/"))
    expect(name).to_have_text("conv_2[2, 7, 36]")
    expect(view.get_by_test_id("unit-value")).not_to_have_attribute("data-value", last or "")


def test_another_theme_repaints_the_view(server: Server, visit: Visit) -> None:
    visitor = visit(server, "layers?layer=conv_2&unit=2,6,36", color_scheme="light")
    view = visitor.page.locator(".st-key-network-view")
    expect(view.get_by_test_id("unit-name")).to_be_visible()
    visitor.wait_until_painted()
    picture = "view => view.getRootNode().querySelector('canvas.picture').toDataURL()"
    light = view.locator(".view").evaluate(picture)
    visitor.page.emulate_media(color_scheme="dark")
    visitor.page.wait_for_timeout(1500)
    assert view.locator(".view").evaluate(picture) != light
