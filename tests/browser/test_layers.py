"""Layers, the moment and links in Chromium."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Locator

from cnn_core.data.digit import mnist_digit
from cnn_core.lab.requests import TraceRequest
from cnn_core.lab.supervisor import Lab, LabSettings
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.reference import reference_trace
from cnn_core.probe.trace import Trace
from tests.browser.server import Server
from tests.browser.visitor import FOUR, Visitor, expect, wait_for
from ui.state import FIRST_DIGIT

Visit = Callable[..., Visitor]


def expected_trace(visitor: Visitor, ref: NetworkRef) -> Trace:
    network = open_network(ref.id)
    pixels = network.card.fit(visitor.digit().pixels)
    return reference_trace(network.graph, weights_at(ref), pixels)


def arithmetic(visitor: Visitor) -> Locator:
    return visitor.page.locator(".st-key-layer-arithmetic")


def read(visitor: Visitor, testid: str) -> float:
    value = arithmetic(visitor).get_by_test_id(testid).first.get_attribute("data-value")
    assert value
    return float(value)


def unit_name(visitor: Visitor) -> Locator:
    return arithmetic(visitor).get_by_test_id("unit-name")


def test_a_click_on_a_map_takes_its_unit_apart(server: Server, visit: Visit) -> None:
    visitor = visit(server, "?layer=conv_2")
    visitor.draw(FOUR)
    trace = expected_trace(visitor, open_network("classic").last)
    visitor.go_to("Layers")
    stage = visitor.page.locator(".st-key-layer-maps").get_by_test_id("picker-stage")
    box = stage.bounding_box()
    assert box
    # 8 maps in a row, 12 pixels apart, 95 in all: map 10 is the third of the second row.
    size = box["width"] / 95
    stage.click(position={"x": (2 * 12 + 4.5) * size, "y": (12 + 6.5) * size})
    expect(unit_name(visitor)).to_contain_text("conv_2[6, 4, 10]")
    visitor.wait_until_painted()
    value = float(trace["conv_2"].output[6, 4, 10])
    assert read(visitor, "unit-value") == pytest.approx(value, abs=1e-5)
    assert "layer=conv_2&unit=6,4,10" in visitor.page.url
    large = visitor.page.locator(".st-key-layer-map").get_by_test_id("picker-stage")
    large.focus()
    large.press("ArrowRight")
    large.press("ArrowDown")
    large.press("Enter")
    expect(unit_name(visitor)).to_contain_text("conv_2[7, 5, 10]")


def test_pointing_reads_values_without_the_server(server: Server, visit: Visit) -> None:
    visitor = visit(server, "layers?layer=conv_1&unit=3,4,5")
    expect(unit_name(visitor)).to_contain_text("conv_1[3, 4, 5]")
    visitor.wait_until_painted()
    large = visitor.page.locator(".st-key-layer-map").get_by_test_id("picker-stage")
    large.hover(position={"x": 5, "y": 40})  # which also waits until nothing moves
    visitor.page.wait_for_timeout(500)
    before = visitor.frames_sent
    for k in range(20):
        large.hover(position={"x": 5 + 10 * k, "y": 40})
    expect(visitor.page.locator(".st-key-layer-map .read")).to_contain_text("row 2, column")
    assert visitor.frames_sent == before > 0
    expect(unit_name(visitor)).to_contain_text("conv_1[3, 4, 5]")


def test_layers_are_stepped_through_by_key(server: Server, visit: Visit) -> None:
    visitor = visit(server, "layers")
    heading = visitor.page.locator(".st-key-layer-facts h2")
    expect(heading).to_contain_text("conv_1")
    # The keys belong to the buttons, whose code the browser fetches after the page's script ended.
    visitor.page.locator(".st-key-layer-next button").wait_for()
    for name in ("pool_1", "conv_2", "pool_2", "conv_3", "flatten", "dense_1", "output"):
        visitor.page.keyboard.press("n")
        expect(heading).to_contain_text(name)
        visitor.wait_until_painted()
    visitor.page.keyboard.press("p")
    expect(heading).to_contain_text("dense_1")


def test_the_moment_changes_prediction_maps_and_arithmetic(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.draw(FOUR)
    steps = open_network("classic").film.steps
    moment = visitor.page.get_by_test_id("moment-range")
    for k in (0, 11, 5):
        moment.fill(str(k))
        visitor.page.wait_for_url(f"**step={steps[k]}&**")
        visitor.wait_until_painted()
        trace = expected_trace(visitor, NetworkRef("classic", steps[k]))
        np.testing.assert_allclose(visitor.probabilities(), trace.output, atol=1e-5)
    visitor.go_to("Layers")
    expect(unit_name(visitor)).to_contain_text("conv_1")
    visitor.wait_until_painted()
    assert read(visitor, "unit-value") == pytest.approx(
        float(trace["conv_1"].output.max()), abs=1e-5
    )


def test_on_a_phone_a_layer_is_told_in_its_order(server: Server, visit: Visit) -> None:
    visitor = visit(server, "layers?layer=conv_2", viewport={"width": 390, "height": 844})
    expect(unit_name(visitor)).to_be_visible()
    visitor.wait_until_painted()
    places = (
        ".st-key-layer-facts", ".st-key-layer-maps", ".st-key-layer-map",
        ".st-key-layer-arithmetic", ".st-key-layer-code .stCode",
    )  # fmt: skip
    boxes = [visitor.page.locator(place).bounding_box() for place in places]
    tops = [box["y"] for box in boxes if box]
    assert len(tops) == len(places)
    assert tops == sorted(tops)


def test_the_film_plays_to_its_end_and_can_be_paused(server: Server, visit: Visit) -> None:
    visitor = visit(server, "layers?step=0")
    expect(unit_name(visitor)).to_be_visible()
    visitor.wait_until_painted()
    play = visitor.page.get_by_test_id("moment-play")
    play.click()
    wait_for(visitor.page, "!location.search.includes('step=0&')")
    play.click()
    expect(play).to_have_attribute("aria-label", "Play the training")
    paused = ""
    while paused != visitor.page.url:  # what was asked for before is answered yet
        paused = visitor.page.url
        visitor.page.wait_for_timeout(1_500)
    assert "step=8442&" not in paused
    play.click()
    visitor.page.wait_for_url("**step=8442&**", timeout=30_000)
    expect(play).to_have_attribute("aria-label", "Play the training")
    assert "unit=" not in visitor.page.url  # nobody chose one


def test_a_link_reproduces_the_page_elsewhere(server: Server, visit: Visit) -> None:
    visitor = visit(server, "?network=intro&step=1876&layer=pool_1&unit=3,4,5")
    visitor.draw(FOUR)
    visitor.go_to("Layers")
    expect(unit_name(visitor)).to_contain_text("pool_1[3, 4, 5]")
    visitor.page.wait_for_url("**/layers?v=1&digit=d.**")
    visitor.wait_until_painted()
    other = visit(server, visitor.page.url.removeprefix(server.url + "/"))
    expect(unit_name(other)).to_contain_text("pool_1[3, 4, 5]")
    other.wait_until_painted()
    pictures = "images => images.map(image => image.src)"
    for place in (".st-key-layer-maps img", ".st-key-layer-map img", ".st-key-digit-card img"):
        mine, theirs = (each.page.locator(place) for each in (visitor, other))
        expect(theirs).to_have_count(1)
        assert mine.evaluate_all(pictures) == theirs.evaluate_all(pictures)
    assert read(other, "unit-value") == read(visitor, "unit-value")
    assert other.page.url == visitor.page.url


def test_the_link_can_be_copied(server: Server, visit: Visit) -> None:
    visitor = visit(server, permissions=["clipboard-read", "clipboard-write"])
    visitor.draw(FOUR)
    button = visitor.page.get_by_test_id("copy-link")
    button.click()
    expect(button).to_have_text("Copied")
    assert visitor.page.evaluate("navigator.clipboard.readText()") == visitor.page.url
    assert "digit=d." in visitor.page.url


def test_after_ten_strokes_back_leaves_the_page(server: Server, visit: Visit) -> None:
    visitor = visit(server, "about")
    visitor.go_to("Draw")
    for k in range(10):
        visitor.draw([[(30 + 20 * k, 60), (50 + 20 * k, 200)]])
    visitor.page.go_back()
    expect(visitor.page.locator(".stApp h1")).to_have_text("About ConvScope")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Keras itself, in a worker of the tests' own."""
    with Lab(LabSettings(workers=1)) as lab:
        yield lab


def kerass_trace(lab: Lab, ref: NetworkRef) -> Trace:
    pixels = open_network(ref.id).card.fit(mnist_digit(FIRST_DIGIT).pixels)
    return lab.ask(TraceRequest(ref, pixels), time_limit=60)


def at_moment(visit: Visit, server: Server, ref: NetworkRef) -> Visitor:
    visitor = visit(server, f"layers?network={ref.id}&step={ref.step}")
    visitor.page.locator(".st-key-network-view").get_by_test_id("unit-goto").wait_for()
    visitor.wait_until_painted()
    return visitor


def open_unit(visitor: Visitor, layer: str, unit: tuple[int, ...]) -> None:
    """By its name; until its arithmetic stands there."""
    name = f"{layer}[{', '.join(map(str, unit))}]"
    field = visitor.page.locator(".st-key-network-view").get_by_test_id("unit-goto")
    field.fill(name)
    field.press("Enter")
    expect(unit_name(visitor)).to_contain_text(name)
    visitor.wait_until_painted()


@pytest.mark.soak
@pytest.mark.parametrize("network", ["classic", "intro"])
@pytest.mark.parametrize("moment", [0, 0.5, 1])
def test_every_layer_opens_at_every_moment(
    server: Server, visit: Visit, lab: Lab, network: str, moment: float
) -> None:
    steps = open_network(network).film.steps
    ref = NetworkRef(network, steps[int(moment * (len(steps) - 1))])
    visitor = at_moment(visit, server, ref)
    for layer in kerass_trace(lab, ref):
        middle = tuple(n // 2 for n in layer.output.shape)
        open_unit(visitor, layer.name, middle)
        expect(visitor.page.locator(".st-key-layer-maps img")).to_be_visible()
        shown = read(visitor, "unit-value")
        assert shown == pytest.approx(float(layer.output[middle]), abs=1e-5)


@pytest.mark.parametrize("count", [20, pytest.param(50, marks=pytest.mark.soak)])
def test_the_arithmetic_of_random_units_is_kerass(
    server: Server, visit: Visit, lab: Lab, count: int
) -> None:
    rng = np.random.default_rng(4)
    ref = open_network("classic").last
    trace = kerass_trace(lab, ref)
    names = [layer.name for layer in trace]
    visitor = at_moment(visit, server, ref)
    for k in range(count):
        layer = trace[names[k % len(names)]]
        unit = tuple(int(rng.integers(n)) for n in layer.output.shape)
        open_unit(visitor, layer.name, unit)
        tolerance = 1e-5 * max(1.0, float(np.abs(layer.output).max()))
        value = float(layer.output[unit])
        assert read(visitor, "unit-value") == pytest.approx(value, abs=tolerance)


def test_terms_and_bias_on_the_page_make_kerass_pre_activation(
    server: Server, visit: Visit, lab: Lab
) -> None:
    ref = open_network("classic").last
    trace = kerass_trace(lab, ref)
    visitor = at_moment(visit, server, ref)
    for layer in ("conv_1", "conv_2", "conv_3", "dense_1", "output"):
        before = trace[layer].pre_activation
        assert before is not None
        middle = tuple(n // 2 for n in before.shape)
        open_unit(visitor, layer, middle)
        total = read(visitor, "unit-terms") + read(visitor, "unit-bias")
        assert total == pytest.approx(read(visitor, "unit-sum"))
        assert total == pytest.approx(float(before[middle]), abs=1e-4)
