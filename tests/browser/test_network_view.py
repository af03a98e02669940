"""The network view in Chromium: its numbers are the network's, and pointing asks no server."""

import base64
import itertools
import json
import re
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Route
from safetensors.numpy import save

from cnn_core.data.digit import mnist_digit
from cnn_core.lab.requests import TraceRequest
from cnn_core.lab.supervisor import Lab, LabSettings
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.arithmetic import explain_unit
from cnn_core.probe.geometry import Index, receptive_field
from cnn_core.probe.reference import reference_trace
from cnn_core.probe.trace import Trace
from tests.browser.branched_network import BranchedTrace
from tests.browser.server import ROOT, Server
from tests.browser.view_reading import (
    READ,
    named,
    opened,
    random_units,
    read_units,
    shown_unit,
    view_of,
)
from tests.browser.visitor import FOUR, Visitor, expect, wait_for
from ui.network_view.payload import view_payload
from ui.network_view.routes import VERSION, weights_address
from ui.state import FIRST_DIGIT

Visit = Callable[..., Visitor]
STYLE = ROOT / "ui" / "network_view" / "network_view.css"

# Shows a payload in a view of its own, apart from any page, and hands back its element.
_MOUNT = """
async ([version, bytes]) => {
  const base = new URL('/network-view/', location.href).href;
  const { View } = await import(`${base}${version}/view.js`);
  const home = document.createElement('div');
  home.className = 'view';
  document.body.prepend(home);
  home.style.width = '1000px';
  window.view = new View(home, base);
  window.view.update(Uint8Array.from(atob(bytes), letter => letter.charCodeAt(0)), () => {});
  return home;
}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Keras itself, in a worker of the tests' own."""
    with Lab(LabSettings(workers=1)) as lab:
        yield lab


def assert_is_kerass(shown: dict[str, Any], trace: Trace, layer: str, index: Index) -> None:
    """The read-out's value is Keras's own; its terms and bias make Keras's pre-activation."""
    traced = trace[layer]
    assert shown["value"] == [float(traced.output[index])]
    expected = explain_unit(trace, layer, index)
    tolerance = expected.tolerance
    weighs = expected.rule in ("weighted sum", "scale and shift")
    if weighs or expected.rule in ("sum", "mean"):
        assert shown["terms"] == [pytest.approx(expected.terms.sum(), abs=1e-9)]
    if weighs:
        total = shown["terms"][0] + shown["bias"][0]
        assert shown["sum"] == [pytest.approx(total, abs=1e-12)]
        before = traced.output if traced.pre_activation is None else traced.pre_activation
        assert total == pytest.approx(float(before[index]), abs=tolerance)
    if expected.rule in ("weighted sum", "sum"):
        assert sum(shown["partial"]) == pytest.approx(shown["terms"][0], abs=1e-9)


def stage_of(visitor: Visitor) -> Locator:
    return view_of(visitor).get_by_test_id("view-stage")


def mounted(visitor: Visitor, payload: bytes) -> Any:
    text = base64.b64encode(payload).decode()
    return visitor.page.evaluate_handle(_MOUNT, [VERSION, text])


@pytest.mark.parametrize("count", [50, pytest.param(150, marks=pytest.mark.soak)])
def test_every_number_of_classic_is_kerass(
    server: Server, visit: Visit, lab: Lab, count: int
) -> None:
    ref = open_network("classic").last
    pixels = open_network("classic").card.fit(mnist_digit(FIRST_DIGIT).pixels)
    trace = lab.ask(TraceRequest(ref, pixels), time_limit=60).with_weights(weights_at(ref))
    visitor = opened(visit, server)
    units = random_units(trace, count)
    found = read_units(visitor, units)
    for shown, (layer, index) in zip(found, units, strict=True):
        assert_is_kerass(shown, trace, layer, index)


@pytest.mark.parametrize("times", [2, pytest.param(7, marks=pytest.mark.soak)])
def test_every_number_of_a_branched_network_is_kerass(
    server: Server, visit: Visit, lab: Lab, times: int
) -> None:
    trace = lab.ask(BranchedTrace(), time_limit=60)
    weights = {
        f"{layer.spec.owner}/{name}": array
        for layer in trace
        for name, array in layer.weights.items()
    }
    visitor = visit(server, "about")

    def send_weights(route: Route) -> None:
        route.fulfill(body=save(weights), content_type="application/octet-stream")

    visitor.page.route("**/network-view/weights/branched", send_weights)
    payload = view_payload(
        trace, tuple("abcd"), picture="1", weights="weights/branched", selected=None, compact=False
    )
    home = mounted(visitor, payload)
    units = random_units(trace, times * len(trace.layers))
    found = visitor.page.evaluate(READ, [home, [named(*unit) for unit in units]])
    for shown, (layer, index) in zip(found, units, strict=True):
        assert_is_kerass(shown, trace, layer, index)
    seen = visitor.page.evaluate(
        """async ([version, units]) => {
          const { receptiveField } = await import(`/network-view/${version}/geometry.js`);
          return units.map(([layer, index]) =>
            Array.from(receptiveField(window.view.network, { layer, index })));
        }""",
        [VERSION, [[layer, list(index)] for layer, index in units]],
    )
    for pixels, (layer, index) in zip(seen, units, strict=True):
        expected = receptive_field(trace.graph, layer, index)
        np.testing.assert_array_equal(np.reshape(pixels, (12, 12)), expected)


def test_pointing_sends_nothing_and_moves_nothing(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server)
    visitor.page.wait_for_timeout(500)
    stage = stage_of(visitor)
    stage.scroll_into_view_if_needed()
    before = visitor.frames_sent
    place = (
        view_of(visitor)
        .locator(".stage, .detail")
        .evaluate_all("parts => parts.map(part => part.getBoundingClientRect().top)")
    )
    box = stage.bounding_box()
    assert box
    names = set()
    for k in range(40):
        visitor.page.mouse.move(box["x"] + 20 + k * (box["width"] - 40) / 40, box["y"] + 200)
        names.add(view_of(visitor).get_by_test_id("view-readout").inner_text().partition("[")[0])
    assert {"input", "conv_1", "pool_1", "conv_2"} <= names
    assert visitor.frames_sent == before > 0
    assert place == view_of(visitor).locator(".stage, .detail").evaluate_all(
        "parts => parts.map(part => part.getBoundingClientRect().top)"
    )
    visitor.page.mouse.move(5, 5)
    expect(shown_unit(visitor)).to_have_text("conv_2[2, 6, 36]")  # back to what is kept


def test_a_click_keeps_the_unit_and_tells_the_page(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server)
    stage_of(visitor).get_by_role("button", name="pool_2").click()
    expect(visitor.page.locator(".st-key-layer-facts h2")).to_contain_text("pool_2")
    name = shown_unit(visitor).inner_text()
    expect(visitor.page.locator(".st-key-layer-arithmetic").get_by_test_id("unit-name")
           ).to_contain_text(name)  # fmt: skip
    layer, index = name.rstrip("]").split("[")
    visitor.page.wait_for_url(f"**layer={layer}&unit={index.replace(', ', ',')}")


def test_the_view_is_walked_by_keyboard_and_says_where_it_is(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server)
    stage, name = stage_of(visitor), shown_unit(visitor)
    stage.focus()
    for key, expected in (
        ("ArrowRight", "conv_2[2, 7, 36]"),
        ("ArrowDown", "conv_2[3, 7, 36]"),
        ("Shift+ArrowDown", "conv_2[3, 7, 37]"),
        ("Shift+ArrowUp", "conv_2[3, 7, 36]"),
        ("ArrowUp", "conv_2[2, 7, 36]"),
        ("ArrowLeft", "conv_2[2, 6, 36]"),
        (".", "conv_2[2, 7, 36]"),
        (",", "conv_2[2, 6, 36]"),
    ):
        stage.press(key)
        expect(name).to_have_text(expected)
    expect(view_of(visitor).locator(".spoken")).to_contain_text("conv_2, Conv2D, row 2, column 6")
    stage.press("Shift+ArrowRight")
    expect(name).to_have_text("pool_2[1, 3, 36]")
    stage.press("Shift+ArrowLeft")
    expect(name).to_have_text("conv_2[2, 6, 36]")  # it is the winner there
    stage.press("ArrowRight")
    stage.press("Enter")
    visitor.page.wait_for_url("**layer=conv_2&unit=2,7,36")


def test_why_this_number_leads_back_to_the_ink(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server, "layers?layer=pool_2&unit=1,3,36")
    view_of(visitor).get_by_test_id("unit-why").click()
    steps = view_of(visitor).locator(".chain button").all_inner_texts()
    assert [step.partition("[")[0] for step in steps] == [
        "pool_2", "conv_2", "pool_1", "conv_1", "input",
    ]  # fmt: skip
    pixels = mnist_digit(FIRST_DIGIT).pixels
    row, column, _ = json.loads(steps[-1].removeprefix("input"))
    assert pixels[row, column] > 0
    view_of(visitor).locator(".chain button").nth(1).click()
    visitor.page.wait_for_url("**layer=conv_2**")


def test_the_window_slides_and_fills_the_map(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server)
    view = view_of(visitor)
    view.get_by_test_id("play").click()
    expect(shown_unit(visitor)).to_have_text(re.compile(r"conv_2\[0, [2-9], 36]"))
    view.get_by_test_id("play").click()
    paused = shown_unit(visitor).inner_text()
    visitor.page.wait_for_timeout(300)
    assert shown_unit(visitor).inner_text() == paused
    view.get_by_test_id("play-speed").fill("4")
    view.get_by_test_id("play").click()
    expect(shown_unit(visitor)).to_have_text("conv_2[10, 10, 36]", timeout=10_000)
    expect(view.get_by_test_id("play")).to_have_attribute("aria-label", "Slide the window")


def test_a_map_half_filled_is_whole_again_when_another_layer_is_chosen(
    server: Server, visit: Visit
) -> None:
    visitor = opened(visit, server)
    view_of(visitor).get_by_test_id("play").click()
    expect(shown_unit(visitor)).to_have_text(re.compile(r"conv_2\[0, [2-9], 36]"))
    view_of(visitor).get_by_test_id("play").click()
    visitor.page.locator(".st-key-layer-next button").click()
    expect(shown_unit(visitor)).to_contain_text("pool_2[")
    other = visit(server, "layers?layer=pool_2")
    expect(shown_unit(other)).to_have_text(shown_unit(visitor).inner_text())
    large = "view => view.querySelector('[data-testid=closeup-map]').toDataURL()"
    for each in (visitor, other):
        expect(view_of(each).get_by_test_id("view-readout")).to_have_attribute(
            "data-complete", "true"
        )
        each.wait_until_painted()
    mine, theirs = (view_of(each).locator(".view").evaluate(large) for each in (visitor, other))
    assert mine == theirs


def test_who_wants_no_motion_steps_by_hand(server: Server, visit: Visit) -> None:
    path = "layers?layer=conv_2&unit=2,6,36"
    visitor = visit(server, path, reduced_motion="reduce")
    expect(shown_unit(visitor)).to_be_visible()
    visitor.wait_until_painted()
    view_of(visitor).get_by_test_id("play").click()
    expect(shown_unit(visitor)).to_have_text("conv_2[2, 7, 36]")
    visitor.page.wait_for_timeout(400)
    expect(shown_unit(visitor)).to_have_text("conv_2[2, 7, 36]")


def test_edges_carry_the_sum_and_the_norm_of_their_kernels(server: Server, visit: Visit) -> None:
    ref = open_network("classic").last
    trace = reference_trace(open_network("classic").graph, weights_at(ref), np.zeros((28, 28, 1)))
    payload = view_payload(
        trace, tuple("0123456789"), picture="1", weights=weights_address(ref), selected=None,
        compact=False,
    )  # fmt: skip
    visitor = visit(server, "about")
    mounted(visitor, payload)
    wait_for(visitor.page, "Boolean(window.view.weights)")
    edges = visitor.page.evaluate(
        """async version => {
          const { incoming, outgoing } = await import(`/network-view/${version}/edges.js`);
          const plain = ({ from, to, weight, size }) =>
            [from.index.at(-1), to.index.at(-1), weight, size];
          const { network, weights } = window.view;
          return {
            read: incoming(network, weights, { layer: 'conv_2', index: [2, 6, 36] }).map(plain),
            feeds: outgoing(network, weights, { layer: 'pool_1', index: [0, 0, 5] }).map(plain),
            dense: incoming(network, weights, { layer: 'output', index: [3] }).map(plain),
          };
        }""",
        VERSION,
    )
    kernel = weights_at(ref)["conv_2"]["kernel"].astype(float)  # (3, 3, 32, 64)
    sums, norms = kernel.sum(axis=(0, 1)), np.sqrt((kernel**2).sum(axis=(0, 1)))
    dense = weights_at(ref)["output"]["kernel"].astype(float)[:, 3]
    for found, weights, sizes in (
        (edges["read"], sums[:, 36], norms[:, 36]),
        (edges["feeds"], sums[5], norms[5]),
        (edges["dense"], dense, np.abs(dense)),
    ):
        np.testing.assert_allclose([edge[2] for edge in found], weights, atol=1e-6)
        np.testing.assert_allclose([edge[3] for edge in found], sizes / sizes.max(), atol=1e-6)
    assert [edge[:2] for edge in edges["read"]] == [[channel, 36] for channel in range(32)]
    assert [edge[:2] for edge in edges["feeds"]] == [[5, map] for map in range(64)]


def test_the_picture_grows_by_button_by_key_and_by_two_fingers(
    server: Server, visit: Visit
) -> None:
    visitor = opened(visit, server)
    view, world = view_of(visitor), view_of(visitor).locator(".world")

    def width() -> float:
        box = world.bounding_box()
        assert box
        return box["width"]

    least = width()
    view.get_by_test_id("zoom-in").click()
    assert width() > 1.2 * least
    view.get_by_test_id("zoom-out").click()
    assert width() == least
    stage_of(visitor).press("+")
    assert width() > 1.2 * least
    stage_of(visitor).press("-")
    stage_of(visitor).evaluate(
        """stage => {
          const finger = (type, pointerId, clientX) => stage.dispatchEvent(new PointerEvent(
            type, { pointerId, clientX, clientY: 300, pointerType: 'touch', bubbles: true }));
          finger('pointerdown', 1, 400);
          finger('pointerdown', 2, 500);
          finger('pointermove', 2, 600);
          finger('pointerup', 1, 400);
          finger('pointerup', 2, 600);
        }"""
    )
    assert width() > 1.2 * least


def test_each_map_on_its_own_scale_is_said_and_painted(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server)
    view = view_of(visitor)
    picture = "view => view.querySelector('canvas.picture').toDataURL()"
    shared = view.locator(".view").evaluate(picture)
    view.get_by_test_id("view-scale").select_option("map")
    expect(view.get_by_text("own scales")).to_have_count(5)  # the layers with several maps
    assert view.locator(".view").evaluate(picture) != shared
    view.get_by_test_id("view-scale").select_option("shared")
    expect(view.get_by_text("own scales")).to_have_count(0)
    assert view.locator(".view").evaluate(picture) == shared


def test_a_finger_points_first_and_keeps_second(server: Server, visit: Visit) -> None:
    path = "layers?layer=conv_2&unit=2,6,36"
    visitor = visit(server, path, viewport={"width": 390, "height": 800}, has_touch=True)
    expect(shown_unit(visitor)).to_be_visible()
    visitor.wait_until_painted()
    stage = stage_of(visitor)
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    at = (box["x"] + 30, box["y"] + 190)
    visitor.page.touchscreen.tap(*at)
    expect(shown_unit(visitor)).to_contain_text("input[")
    assert "layer=conv_2" in visitor.page.url
    visitor.page.touchscreen.tap(*at)
    visitor.page.wait_for_url("**layer=input&unit=**")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_stroke_sends_the_numbers_and_never_the_weights(server: Server, visit: Visit) -> None:
    visitor = visit(server)
    visitor.draw(FOUR[:1])
    fetched: list[str] = []
    visitor.page.on("request", lambda request: fetched.append(request.url))
    received = visitor.bytes_received
    visitor.draw(FOUR[1:])
    numbers = 4 * sum(prod(layer.output_shape) for layer in open_network("classic").graph)
    sent = visitor.bytes_received - received
    assert numbers < sent < numbers + 60_000
    assert not [url for url in fetched if "/weights/" in url]


@pytest.mark.parametrize("cut", [4, 100, 60_000])
def test_a_truncated_payload_is_said_in_a_sentence(server: Server, visit: Visit, cut: int) -> None:
    ref = open_network("classic").last
    network = open_network("classic")
    trace = reference_trace(network.graph, weights_at(ref), np.zeros((28, 28, 1)))
    payload = view_payload(
        trace, tuple("0123456789"), picture="1", weights="weights/none", selected=None, compact=True
    )
    visitor = visit(server, "about")
    mounted(visitor, payload[:-cut])
    expect(visitor.page.get_by_test_id("view-trouble")).to_contain_text(
        "The network cannot be shown: what arrived is damaged."
    )


def test_a_damaged_payload_does_not_leave_the_last_digit_standing(
    server: Server, visit: Visit
) -> None:
    network = open_network("classic")
    trace = reference_trace(network.graph, weights_at(network.last), np.zeros((28, 28, 1)))
    payload = view_payload(
        trace, tuple("0123456789"), picture="1", weights=weights_address(network.last),
        selected=None, compact=True,
    )  # fmt: skip
    visitor = visit(server, "about")
    visitor.page.add_style_tag(path=STYLE)
    mounted(visitor, payload)
    stage = visitor.page.get_by_test_id("view-stage")
    again = "text => view.update(Uint8Array.from(atob(text), c => c.charCodeAt(0)), () => {})"
    expect(stage).to_be_visible()
    visitor.page.evaluate(again, base64.b64encode(payload[:-100]).decode())
    expect(visitor.page.get_by_test_id("view-trouble")).to_be_visible()
    expect(stage).to_be_hidden()
    visitor.page.evaluate(again, base64.b64encode(payload).decode())
    expect(visitor.page.get_by_test_id("view-trouble")).to_be_hidden()
    expect(stage).to_be_visible()


def test_who_listens_hears_the_way_back_to_the_ink(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server, "layers?layer=pool_2&unit=1,3,36")
    stage_of(visitor).press("w")
    spoken = view_of(visitor).locator(".spoken")
    expect(spoken).to_contain_text("pool_2, row 1, column 3, map 36")
    for layer in ("conv_2", "pool_1", "conv_1", "input"):
        expect(spoken).to_contain_text(f"from {layer}, row")


@pytest.mark.parametrize("layer", ["conv_3", "output"])
def test_the_chosen_unit_is_in_sight_on_a_phone(server: Server, visit: Visit, layer: str) -> None:
    visitor = visit(server, f"layers?layer={layer}", viewport={"width": 390, "height": 844})
    expect(shown_unit(visitor)).to_contain_text(layer)
    visitor.wait_until_painted()
    box = stage_of(visitor).get_by_role("button", name=layer).bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_the_calculation_stands_beside_the_maps_on_a_small_screen(
    server: Server, visit: Visit
) -> None:
    visitor = visit(
        server, "layers?layer=conv_2&unit=2,6,36", viewport={"width": 1024, "height": 768}
    )
    expect(shown_unit(visitor)).to_be_visible()
    visitor.wait_until_painted()
    grids = view_of(visitor).locator(".channel .grids").first
    expect(grids).to_be_visible()
    maps = view_of(visitor).locator(".closeup").bounding_box()
    readout = view_of(visitor).get_by_test_id("view-readout").bounding_box()
    products = grids.bounding_box()
    assert maps
    assert readout
    assert products
    assert abs(maps["y"] - readout["y"]) < 8
    assert maps["x"] + maps["width"] <= readout["x"]
    assert products["height"] < 90  # patch, kernel and products in one line


@pytest.mark.parametrize("network", ["classic", "intro"])
def test_a_shipped_network_is_seen_whole_on_a_small_screen(
    server: Server, visit: Visit, network: str
) -> None:
    viewport = {"width": 1024, "height": 768}
    visitor = visit(server, f"layers?network={network}", viewport=viewport)
    expect(shown_unit(visitor)).to_be_visible()
    visitor.wait_until_painted()
    width, needed = stage_of(visitor).evaluate("stage => [stage.clientWidth, stage.scrollWidth]")
    assert needed <= width


def test_no_name_stands_on_another(server: Server, visit: Visit, lab: Lab) -> None:
    trace = lab.ask(BranchedTrace(), time_limit=60)
    payload = view_payload(
        trace, tuple("abcd"), picture="1", weights="weights/branched", selected=None, compact=False
    )
    visitor = visit(server, "about")
    visitor.page.route(
        "**/network-view/weights/branched", lambda route: route.fulfill(body=save({}))
    )
    visitor.page.add_style_tag(path=STYLE)
    mounted(visitor, payload)
    boxes = visitor.page.locator(".names > *").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().toJSON())"
    )
    assert len(boxes) == 2 * len(trace.layers)
    for one, other in itertools.combinations(boxes, 2):
        apart = (
            one["right"] <= other["left"] + 1
            or other["right"] <= one["left"] + 1
            or one["bottom"] <= other["top"] + 1
            or other["bottom"] <= one["top"] + 1
        )
        assert apart, (one, other)


def test_everything_that_reads_a_unit_can_be_reached(server: Server, visit: Visit) -> None:
    visitor = visit(server, "about")
    listed = visitor.page.evaluate(
        """async version => {
          const { readersList } = await import(`/network-view/${version}/readout.js`);
          const home = document.createElement('div');
          home.innerHTML = readersList(Array.from({ length: 200 }, (_, k) =>
            ({ unit: { layer: 'dense', index: [k] }, weight: k })));
          return home.querySelectorAll('[data-unit]').length;
        }""",
        VERSION,
    )
    assert listed == 200


def test_what_rounds_to_nothing_has_no_sign(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server)
    cells = view_of(visitor).locator(".grids span").all_inner_texts()
    assert "0.00" in cells
    assert "\N{MINUS SIGN}0.00" not in cells


def test_the_keys_are_told_on_the_spot(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server)
    place = stage_of(visitor).bounding_box()
    view_of(visitor).get_by_text("Keys", exact=True).click()
    expect(view_of(visitor).get_by_text("Why this number: back to the ink")).to_be_visible()
    assert stage_of(visitor).bounding_box() == place


def test_what_is_no_unit_changes_nothing(server: Server, visit: Visit) -> None:
    visitor = opened(visit, server)
    field = view_of(visitor).get_by_test_id("unit-goto")
    for nonsense in ("nothing[1, 2]", "conv_2[99, 0, 0]", "conv_2", "]["):
        field.fill(nonsense)
        field.press("Enter")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(shown_unit(visitor)).to_have_text("conv_2[2, 6, 36]")
    field.fill("pool_1 3 4 5")
    field.press("Enter")
    visitor.page.wait_for_url("**layer=pool_1&unit=3,4,5")
