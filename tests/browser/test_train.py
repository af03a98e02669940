"""Training in Chromium: started, watched, paused, taken apart, stopped."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator

from tests.browser.server import Server
from tests.browser.visitor import SEVEN, Visitor, expect

Visit = Callable[..., Visitor]


def fill(visitor: Visitor, name: str, value: str) -> None:
    field = visitor.page.locator(f".st-key-set-{name} input")
    field.fill(value)
    field.press("Enter")
    visitor.wait_until_painted()


def state_of(visitor: Visitor) -> Locator:
    return visitor.page.locator(".st-key-train-state")


def press(visitor: Visitor, key: str) -> None:
    visitor.page.locator(f".st-key-{key} button").first.click()


def opened(visit: Visit, server: Server, share: str = "0.1", epochs: str = "20") -> Visitor:
    visitor = visit(server, "train")
    visitor.page.locator(".st-key-train-start button").wait_for()
    visitor.wait_until_painted()
    fill(visitor, "share", share)
    fill(visitor, "epochs", epochs)
    return visitor


def test_a_training_is_watched_paused_taken_apart_and_stopped(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server)
    press(visitor, "train-start")
    expect(state_of(visitor)).to_contain_text("running", timeout=60_000)
    charts = visitor.page.locator(".st-key-train-charts").get_by_test_id("live-curve")
    expect(charts).to_have_count(5, timeout=30_000)  # loss, share right, gradients, dead, digit
    loss = charts.first.locator("canvas")
    before = loss.get_attribute("aria-label")
    expect(loss).not_to_have_attribute("aria-label", before or "")  # it moves
    expect(visitor.page.locator(".st-key-train-filters img")).to_be_visible()
    press(visitor, "train-pause")
    expect(state_of(visitor)).to_contain_text("paused")
    press(visitor, "train-dissect")
    step = visitor.page.locator(".st-key-train-step")
    expect(step).to_contain_text("taken apart")
    expect(step.locator("img")).to_have_count(64)
    for stage, words in (("Loss", "dearest"), ("Gradient", "how much the loss rises"),
                         ("Update", "has not moved")):  # fmt: skip
        step.get_by_text(stage, exact=True).click()
        expect(step).to_contain_text(re.compile(words, re.IGNORECASE))
    press(visitor, "train-make")
    expect(step).to_contain_text("has moved every weight")
    for name in ("before", "after", "change"):
        expect(step.locator("figcaption", has_text=name)).to_have_count(5)  # conv 3, dense 2
    press(visitor, "train-batch")
    expect(step).to_have_count(0)
    # Another page, on the half-trained network, while it is paused.
    press(visitor, "train-resume")
    expect(state_of(visitor)).to_contain_text("running")
    visitor.go_to("Draw")
    visitor.draw(SEVEN)
    visitor.page.locator(".st-key-network-choice input").click()
    visitor.page.get_by_role("option", name="classic, Adam").click()
    expect(visitor.page.locator(".st-key-network")).to_contain_text("Trained here")
    visitor.wait_until_painted()
    assert visitor.probabilities().sum() == pytest.approx(1, abs=1e-5)
    visitor.go_to("Train")
    press(visitor, "train-stop")
    expect(state_of(visitor)).to_contain_text("stopped", timeout=30_000)
    expect(state_of(visitor)).to_contain_text("of 10,000 test digits right")
    expect(visitor.page.locator(".st-key-train-charts .js-plotly-plot")).to_have_count(
        5, timeout=30_000
    )
