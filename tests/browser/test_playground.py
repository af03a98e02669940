"""Playground and Architectures in Chromium: kernels typed and painted, graphs drawn offline."""

from collections.abc import Callable

import numpy as np
from playwright.sync_api import Locator

from cnn_core.data.digit import mnist_digit
from tests.browser.server import Server
from tests.browser.visitor import Visitor, expect
from ui.state import FIRST_DIGIT

Visit = Callable[..., Visitor]
PIXELS = mnist_digit(FIRST_DIGIT).pixels


def cell(visitor: Visitor, row: int, column: int) -> Locator:
    return visitor.page.locator(f'input[data-row="{row}"][data-column="{column}"]')


def value_of(visitor: Visitor) -> float:
    value = visitor.page.locator(".st-key-try-convolution").get_by_test_id("unit-value")
    return float(value.get_attribute("data-value") or "nan")


def kernel_of(visitor: Visitor) -> np.ndarray:
    texts = (
        visitor.page.get_by_test_id("kernel")
        .locator("input")
        .evaluate_all("cells => cells.map(cell => Number(cell.value.replace('−', '-')))")
    )
    return np.array(texts).reshape(3, 3)


def test_a_number_that_is_typed_changes_every_sum(server: Server, visit: Visit) -> None:
    visitor = visit(server, "playground")
    page = visitor.page
    name = page.locator(".st-key-try-convolution").get_by_test_id("unit-name")
    expect(name).to_be_visible()
    visitor.wait_until_painted()
    cell(visitor, 0, 2).fill("-2,5")
    cell(visitor, 0, 2).press("Enter")
    expect(cell(visitor, 0, 2)).to_have_value("−2.5")
    page.wait_for_timeout(1000)
    visitor.wait_until_painted()
    kernel = np.array([[0, 0, -2.5], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(kernel_of(visitor), kernel)
    row, column, _ = map(int, name.inner_text().partition("[")[2].rstrip("]").split(","))
    by_hand = float((PIXELS[row : row + 3, column : column + 3] * kernel).sum())
    assert abs(value_of(visitor) - by_hand) < 1e-5
    # What is no number is marked, and the kernel stays.
    cell(visitor, 1, 1).fill("one")
    cell(visitor, 1, 1).press("Enter")
    expect(cell(visitor, 1, 1)).to_have_attribute("aria-invalid", "true")


def test_a_kernel_is_painted_with_a_brush(server: Server, visit: Visit) -> None:
    visitor = visit(server, "playground")
    page = visitor.page
    expect(cell(visitor, 2, 2)).to_be_visible()
    visitor.wait_until_painted()
    page.locator('button[data-brush="2"]').click()
    boxes = [cell(visitor, 2, column).bounding_box() for column in range(3)]
    middles = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes if box]
    page.mouse.move(*middles[0])
    page.mouse.down()
    for middle in middles[1:]:
        page.mouse.move(*middle, steps=5)
    page.mouse.up()
    page.wait_for_timeout(1000)
    visitor.wait_until_painted()
    expected = np.array([[0, 0, 0], [0, 1, 0], [2, 2, 2]])
    np.testing.assert_array_equal(kernel_of(visitor), expected)
    facts = page.locator(".st-key-try-facts")
    expect(facts).to_contain_text("Sum of the kernel")
    expect(facts).to_contain_text("7")


def test_a_block_is_drawn_without_the_internet(server: Server, visit: Visit) -> None:
    visitor = visit(server, "architectures?network=resnet_mini")
    drawn = visitor.page.get_by_test_id("stGraphVizChart").locator("svg")
    expect(drawn).to_contain_text("stage_1_block_1_add", timeout=30_000)
    expect(drawn).to_contain_text("sees 7 × 7")
    view = visitor.page.locator(".st-key-network-view")
    expect(view.get_by_role("button", name="stage_1_block_1_add")).to_be_visible()
    visitor.page.locator(".st-key-architecture").get_by_text("LeNet-5").click()
    expect(visitor.page.locator(".st-key-network")).to_contain_text("61,706 parameters")
    expect(view.get_by_role("button", name="c3")).to_be_visible()


def test_a_network_is_put_together_by_hand(server: Server, visit: Visit) -> None:
    visitor = visit(server, "architectures")
    page = visitor.page
    page.get_by_role("radio", name="Build your own").click()
    rows, figures = page.get_by_test_id("layer-row"), page.locator(".st-key-design-figures")
    expect(figures).to_contain_text("30,762 parameters")
    rows.nth(0).locator("[data-field=filters]").fill("8")
    expect(figures).to_contain_text(f"{80 + (8 * 9 + 1) * 32 + 801 * 32 + 330:,} parameters")
    page.get_by_role("button", name="+ Residual block").click()
    expect(rows).to_have_count(7)
    expect(rows.nth(4)).to_contain_text("Residual block")
    expect(rows.nth(4).locator(".shape")).to_have_text("5 × 5 × 32")
    # The flatten moves down behind the dense layer, by keyboard: there it breaks.
    rows.nth(5).locator(".handle").focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(5).locator(".why")).to_contain_text("maps of 5 × 5 × 32 come in")
    expect(figures).to_contain_text("It breaks at layer 6.")
    # Dragged back, it holds again.
    handle, target = rows.nth(6).locator(".handle").bounding_box(), rows.nth(5).bounding_box()
    assert handle
    assert target
    page.mouse.move(handle["x"] + 10, handle["y"] + 10)
    page.mouse.down()
    page.mouse.move(target["x"] + 20, target["y"] + 10, steps=8)
    page.mouse.up()
    expect(figures).to_contain_text("multiply-adds")
    expect(rows.nth(5)).to_contain_text("Flatten")
    page.get_by_role("button", name="Take out Dense, layer 7").click()
    expect(rows).to_have_count(6)
    expect(figures).to_contain_text(f"{80 + 73 * 32 + (2 * 9 * 32**2 + 8 * 32) + 8010:,} param")
    rows.nth(0).locator("[data-field=kernel]").fill("12")
    expect(page.locator(".said")).to_contain_text("from 1 to 11")


def test_a_position_is_chosen_by_pointing(server: Server, visit: Visit) -> None:
    visitor = visit(server, "playground")
    page = visitor.page
    page.get_by_role("radio", name="Flatten and dense").click()
    view = page.locator(".st-key-try-flatten")
    expect(view.get_by_role("button", name="conv_3")).to_be_visible(timeout=20_000)
    view.get_by_placeholder("conv_1[3, 4, 5]").fill("conv_3[1, 2, 7]")
    page.keyboard.press("Enter")
    facts = page.locator(".cs-facts")
    expect(facts).to_contain_text("row 1, column 2, map 7")
    expect(facts).to_contain_text(f"(1 · 3 + 2) · 64 + 7 = {(1 * 3 + 2) * 64 + 7}")
