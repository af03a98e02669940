"""Filters and Explain in Chromium: chosen, switched off everywhere, painted, printed."""

import re
from collections.abc import Callable

import numpy as np

from cnn_core.data.digit import digit_from_token, mnist_digit
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.reference import reference_trace
from tests.browser.server import Server
from tests.browser.view_reading import opened, random_units, read_units
from tests.browser.visitor import Visitor, expect, wait_for
from ui.state import FIRST_DIGIT

Visit = Callable[..., Visitor]
CLASSIC = open_network("classic")


def answers(ref: NetworkRef, pixels: np.ndarray) -> np.ndarray:
    image = CLASSIC.card.fit(pixels)
    return reference_trace(CLASSIC.graph, weights_at(ref), image).output


def test_a_filter_is_chosen_by_a_click_and_switched_off_everywhere(
    server: Server, visit: Visit
) -> None:
    visitor = visit(server, "filters?layer=conv_1")
    page = visitor.page
    detail = page.locator(".st-key-filter-detail h2")
    grid = page.locator(".st-key-filter-grid").get_by_test_id("picker-stage")
    grid.wait_for()
    visitor.wait_until_painted()
    box = grid.bounding_box()
    assert box
    # 4 rows of 8: the middle of the second row's third.
    grid.click(position={"x": box["width"] * 2.45 / 8, "y": box["height"] * 1.45 / 4})
    expect(detail).to_contain_text("conv_1, filter 10")
    page.locator(".st-key-lesion-switch button").first.click()
    expect(detail).to_contain_text("switched off")
    expect(page.locator(".st-key-lesion-after")).to_contain_text("With 1 unit off")
    visitor.wait_until_painted()
    ref = NetworkRef("classic", CLASSIC.last.step, (("conv_1", 10),))
    expected = answers(ref, mnist_digit(FIRST_DIGIT).pixels)
    np.testing.assert_allclose(visitor.probabilities(), expected, atol=1e-5)
    assert "off=conv_1:10" in page.url
    # In another browser, by the link.
    link = page.url.partition("?")[2]
    other = visit(server, f"layers?{link}")
    expect(other.page.locator(".st-key-lesion")).to_contain_text("conv_1 10")
    expect(other.page.locator(".st-key-network-view .names")).to_contain_text("1 off")


def test_the_views_arithmetic_is_that_of_the_lesioned_network(server: Server, visit: Visit) -> None:
    lesion = (("conv_1", 3), ("conv_2", 10), ("conv_2", 11), ("dense_1", 5))
    ref = NetworkRef("classic", CLASSIC.last.step, lesion)
    visitor = opened(
        visit, server, "layers?layer=conv_2&unit=2,6,36&off=conv_1:3;conv_2:10-11;dense_1:5"
    )
    image = CLASSIC.card.fit(mnist_digit(FIRST_DIGIT).pixels)
    trace = reference_trace(CLASSIC.graph, weights_at(ref), image)
    units = [*random_units(trace, 36), ("conv_2", (4, 4, 10)), ("dense_1", (5,))]
    shown = read_units(visitor, units)
    for (layer, index), read in zip(units, shown, strict=True):
        (value,) = read["value"]
        assert abs(value - float(trace[layer].output[index])) <= 1e-4, (layer, index)
    for read in shown[-2:]:
        assert read["value"] == [0]
        assert "switched off" in read["text"]


def test_pixels_are_painted_by_pointer_and_by_key(server: Server, visit: Visit) -> None:
    visitor = visit(server, "explain")
    canvas = visitor.page.get_by_test_id("painter")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    cell = box["width"] / 28
    visitor.page.mouse.move(box["x"] + 2.5 * cell, box["y"] + 3.5 * cell)
    visitor.page.mouse.down()
    visitor.page.mouse.move(box["x"] + 7.5 * cell, box["y"] + 3.5 * cell)
    visitor.page.mouse.up()
    visitor.page.wait_for_url(re.compile("digit=m"))
    visitor.wait_until_painted()
    expected = mnist_digit(FIRST_DIGIT).bytes.copy()
    expected[3, 2:8] = 255
    np.testing.assert_array_equal(digit_in_link(visitor), expected)
    first = visitor.page.url
    visitor.page.get_by_role("button", name="Erase").click()
    canvas.focus()
    canvas.press("ArrowRight")
    canvas.press("Space")
    wait_for(visitor.page, "url => location.href !== url", arg=first)
    visitor.wait_until_painted()
    changed = digit_in_link(visitor)
    assert np.count_nonzero(changed != expected) <= 1
    digit = changed.astype(np.float32) / np.float32(255)
    np.testing.assert_allclose(visitor.probabilities(), answers(CLASSIC.last, digit), atol=1e-5)


def digit_in_link(visitor: Visitor) -> np.ndarray:
    found = re.search(r"digit=([^&]+)", visitor.page.url)
    assert found
    return digit_from_token(found[1]).bytes


def test_a_picture_is_taken_along_for_paper(server: Server, visit: Visit) -> None:
    visitor = visit(server, "filters?layer=conv_1")
    for form, begins in (("png", b"\x89PNG"), ("svg", b"<?xml")):
        with visitor.page.expect_download(timeout=30_000) as download:
            visitor.page.locator(f".st-key-print-filters-{form} button").first.click()
        file = download.value
        assert file.suggested_filename == f"conv_1-32-filters.{form}"
        assert file.path().read_bytes().startswith(begins)
