"""Drawing with a mouse in Chromium against the real server."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnn_core.data.digit import Digit, mnist_digit
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.reference import reference_trace
from tests.browser.server import Server
from tests.browser.visitor import FOUR, ONE, SEVEN, Points, Visitor, expect, wait_for
from ui.state import FIRST_DIGIT

Visit = Callable[..., Visitor]


def expected_probabilities(digit: Digit, network: str = "classic") -> np.ndarray:
    chosen = open_network(network)
    pixels = chosen.card.fit(digit.pixels)
    return reference_trace(chosen.graph, weights_at(chosen.last), pixels).output


@pytest.mark.parametrize(("strokes", "answer"), [(SEVEN, "7"), (ONE, "1"), (FOUR, "4")])
def test_a_drawn_digit_is_read(
    server: Server, visit: Visit, strokes: list[Points], answer: str
) -> None:
    visitor = visit(server)
    visitor.draw(strokes)
    assert visitor.prediction() == answer
    assert visitor.digit().source == "drawn"
    np.testing.assert_allclose(
        visitor.probabilities(), expected_probabilities(visitor.digit()), atol=1e-5
    )


def test_a_new_visitor_finds_a_worked_example(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.wait_for_digit(mnist_digit(FIRST_DIGIT))
    assert visitor.prediction() == str(mnist_digit(FIRST_DIGIT).label)
    view = visitor.page.locator(".st-key-network-view")
    for layer in open_network("classic").graph:
        expect(view.get_by_role("button", name=layer.name)).to_be_visible()
    expect(view.locator(".view")).to_have_attribute("data-picture", re.compile("/test-30/keras"))
    expect(visitor.page.get_by_text("Computed by NumPy")).to_have_count(0)


def test_a_drawing_survives_another_page_and_a_reload(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.draw(FOUR)
    drawn = visitor.digit()
    visitor.go_to("About")
    expect(visitor.page.locator(".st-key-digit-card")).to_contain_text("Your drawing")
    visitor.go_to("Draw")
    visitor.wait_for_digit(drawn)
    assert visitor.canvas_digit() == drawn  # the strokes are back on the canvas
    visitor.page.wait_for_timeout(1000)  # nothing that arrives late may change it
    assert visitor.digit().pixels.tobytes() == drawn.pixels.tobytes()
    visitor.page.reload()
    visitor.wait_for_digit(drawn)
    assert visitor.digit().pixels.tobytes() == drawn.pixels.tobytes()
    assert visitor.prediction() == "4"


def test_pages_left_in_a_hurry_keep_the_link(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.draw(FOUR)
    drawn = visitor.digit()
    for _ in range(3):
        for name in ("About", "Layers", "About", "Draw"):
            nav = visitor.page.get_by_test_id("stSidebarNav")
            nav.get_by_role("link", name=name).click(no_wait_after=True)
        # The address of the page that was wanted last, with the digit in it.
        wait_for(visitor.page, "location.pathname === '/' && location.search.includes('digit=d.')")
        visitor.wait_for_digit(drawn)
    visitor.page.reload()
    visitor.wait_for_digit(drawn)


def test_drawing_goes_on_where_it_stopped_after_a_page_change(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.draw(FOUR[:1])
    visitor.go_to("About")
    visitor.go_to("Draw")
    visitor.wait_for_drawing()
    visitor.draw(FOUR[1:])
    assert visitor.prediction() == "4"


def test_undo_takes_one_stroke_back_and_clear_all(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.draw(FOUR[:1])
    first = visitor.digit()
    visitor.draw(FOUR[1:])
    visitor.page.locator(".st-key-undo button").click()
    visitor.wait_for_digit(first)
    assert visitor.canvas_digit() == first
    visitor.page.locator(".st-key-clear button").click()
    expect(visitor.page.locator(".st-key-clear button")).to_be_disabled()
    visitor.wait_for_digit(first)  # the last digit stays under the lens
    visitor.draw(ONE)
    assert visitor.prediction() == "1"


def test_another_digit_gives_a_fresh_canvas(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.draw(SEVEN)
    number = visitor.page.locator(".st-key-digit-number input")
    number.fill("1234")
    number.press("Enter")
    visitor.wait_for_digit(mnist_digit(1234))
    visitor.page.wait_for_timeout(1000)  # the emptied canvas reports itself, too late to matter
    assert visitor.digit() == mnist_digit(1234)
    visitor.draw(ONE)  # the seven is gone
    assert visitor.prediction() == "1"
    visitor.page.locator(".st-key-random-digit button").click()
    expect(visitor.page.locator(".st-key-digit-seen")).to_contain_text("MNIST test digit")
    visitor.wait_until_painted()
    assert visitor.digit().source.startswith("test-")


def test_strokes_made_while_an_answer_is_under_way_all_count(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    strokes: list[Points] = [[(30 + 55 * k, 40), (30 + 55 * k, 240)] for k in range(5)]
    visitor.draw(strokes, wait=False)
    visitor.wait_for_drawing()
    ink = visitor.digit().pixels.max(axis=0)
    rising = np.diff(np.concatenate([[0], ink > 0.5]).astype(int)) == 1
    assert rising.sum() == 5  # five bars, none lost


def test_a_wider_pen_draws_wider(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.draw(ONE)
    thin = visitor.digit().pixels.sum()
    slider = visitor.page.locator(".st-key-pen").get_by_role("slider")
    for _ in range(16):
        slider.press("ArrowRight")
    expect(visitor.page.locator(".st-key-pen")).to_contain_text("38")
    visitor.wait_until_painted()
    visitor.page.locator(".st-key-clear button").click()
    expect(visitor.page.locator(".st-key-clear button")).to_be_disabled()
    visitor.draw(ONE)
    assert visitor.digit().pixels.sum() > 1.3 * thin


def test_a_picture_is_uploaded_and_a_bad_one_refused(
    server: Server, visit: Visit, tmp_path: Path
) -> None:
    from PIL import Image

    seven = np.repeat(np.repeat(255 - mnist_digit(0).bytes, 10, axis=0), 10, axis=1)
    Image.fromarray(seven).save(tmp_path / "seven.png")
    (tmp_path / "bad.png").write_bytes(b"no picture at all")
    visitor = visit(server)
    visitor.page.get_by_role("button", name="Upload").first.click()
    visitor.page.locator(".st-key-upload input[type=file]").set_input_files(tmp_path / "seven.png")
    expect(visitor.page.locator(".st-key-digit-seen")).to_contain_text("Your picture")
    visitor.wait_until_painted()
    assert visitor.prediction() == "7"
    digit = visitor.digit()
    visitor.page.locator(".st-key-upload input[type=file]").set_input_files(tmp_path / "bad.png")
    expect(visitor.page.get_by_test_id("stAlert")).to_contain_text("not a picture")
    assert visitor.digit() == digit


def test_the_other_network_answers_when_chosen(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.draw(SEVEN)
    visitor.page.locator(".st-key-network-choice input").click()
    visitor.page.get_by_role("option", name="Intro").click()
    view = visitor.page.locator(".st-key-network-view")
    expect(view.get_by_role("button", name="conv_2")).to_have_count(0)
    visitor.wait_until_painted()
    np.testing.assert_allclose(
        visitor.probabilities(), expected_probabilities(visitor.digit(), "intro"), atol=1e-5
    )


def test_a_link_shows_the_same_picture_to_somebody_else(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.draw(SEVEN)
    wait_for(visitor.page, "location.search.includes('digit=d.')")
    other = visit(server, visitor.page.url.removeprefix(server.url + "/"))
    other.wait_for_digit(visitor.digit())
    np.testing.assert_array_equal(other.probabilities(), visitor.probabilities())


@pytest.mark.parametrize("width", [360, 390])
def test_the_canvas_fits_a_phone(server: Server, visit: Visit, width: int) -> None:
    visitor = visit(server, viewport={"width": width, "height": 800}, has_touch=True)
    box = visitor.page.locator(".st-key-canvas canvas.upper-canvas").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
    visitor.draw(SEVEN)
    assert visitor.prediction() == "7"
    for key in ("undo", "clear", "random-digit"):
        button = visitor.page.locator(f".st-key-{key} button").bounding_box()
        assert button
        assert button["height"] >= 40


def test_a_notice_that_comes_or_goes_leaves_the_canvas_alone(
    server: Server, visit: Visit, tmp_path: Path
) -> None:
    visitor = visit(server, "?digit=garbage")
    alert = visitor.page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("The digit in this link cannot be read")
    visitor.draw(FOUR[:1])
    expect(alert).to_have_count(0)
    visitor.draw(FOUR[1:])
    assert visitor.prediction() == "4"
    drawn = visitor.digit()
    (tmp_path / "bad.png").write_bytes(b"no picture at all")
    visitor.page.get_by_role("button", name="Upload").first.click()
    visitor.page.locator(".st-key-upload input[type=file]").set_input_files(tmp_path / "bad.png")
    expect(alert).to_contain_text("not a picture")
    assert visitor.canvas_digit() == drawn
