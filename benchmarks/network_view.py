"""The network view by itself: what a pointer's move costs, and how repainting grows with size."""

import base64
import statistics
from math import prod
from typing import Any

import numpy as np
from playwright.sync_api import Page

from benchmarks.browsing import chromium
from benchmarks.measure import report
from cnn_core.networks.graph import LayerSpec
from cnn_core.probe.trace import LayerTrace, Trace
from tests.browser.server import Server
from ui.network_view.payload import view_payload
from ui.network_view.routes import VERSION

# A pointer wandering over conv_2, 64 maps. Each time is of the handlers, styles and layout.
_HOVER = """
async root => {
  const { sheetOf, drawBlock } = await import(`/network-view/VERSION/picture.js`);
  const view = root.querySelector('.view');
  const stage = view.querySelector('.stage');
  const [, head] = [...view.querySelectorAll('.names button')].map(b => b.getBoundingClientRect())
    .entries().find(([k]) => k === 3);
  const times = [];
  for (let k = 0; k < 600; k++) {
    const event = new PointerEvent('pointermove', {
      clientX: head.x + head.width / 2 - 40 + (k * 7.3) % 80,
      clientY: head.bottom + 10 + (k * 13.7) % 220, pointerType: 'mouse', bubbles: true });
    const start = performance.now();
    stage.dispatchEvent(event);
    void view.offsetHeight;
    times.push(performance.now() - start);
    if (k % 4 === 3) await new Promise(requestAnimationFrame);
  }
  return times;
}
""".replace("VERSION", VERSION)

# Repaints a network of its own, several times; milliseconds each.
_REPAINT = """
async ([payloads, version]) => {
  const base = new URL('/network-view/', location.href).href;
  const { View } = await import(`${base}${version}/view.js`);
  const bytes = payloads.map(text => Uint8Array.from(atob(text), c => c.charCodeAt(0)));
  const views = bytes.map(() => {
    const home = document.createElement('div');
    home.className = 'view';
    home.style.width = '1000px';
    document.body.prepend(home);
    return new View(home, base);
  });
  const times = bytes.map(() => []);
  for (let round = 0; round < 12; round++) {
    for (const [k, view] of views.entries()) {
      if (view.network) view.network.picture = '';
      const start = performance.now();
      view.update(bytes[k], () => {});
      view.picture.getContext('2d').getImageData(0, 0, 1, 1); // until it is really drawn
      if (round > 1) times[k].push(performance.now() - start);
    }
  }
  return times;
}
"""

# Repaints one column of 64 maps, as a scale switch would.
_COLUMN = """
async ([payload, version]) => {
  const base = new URL('/network-view/', location.href).href;
  const { Network } = await import(`${base}${version}/network.js`);
  const { layOut } = await import(`${base}${version}/layout.js`);
  const { sheetOf, drawBlock } = await import(`${base}${version}/picture.js`);
  const network = new Network(Uint8Array.from(atob(payload), c => c.charCodeAt(0)));
  const plan = layOut(network, 1000, 400);
  const canvas = document.createElement('canvas');
  canvas.width = plan.width;
  canvas.height = plan.height;
  const context = canvas.getContext('2d');
  const block = plan.blocks.get('conv_2');
  const look = { text: '#000', faint: '#888', font: 'sans-serif' };
  const times = [];
  for (let k = 0; k < 60; k++) {
    const start = performance.now();
    drawBlock(context, block, sheetOf(block.layer, false), look, [], []);
    context.getImageData(0, 0, 1, 1);
    times.push(performance.now() - start);
  }
  return times;
}
"""


def stack(shapes: dict[str, tuple[int, int, int]]) -> Trace:
    """A trace of layers that hand on random maps of the given shapes; arithmetic aside."""
    rng = np.random.default_rng(0)
    layers: list[LayerTrace] = []
    for name, shape in shapes.items():
        inputs = (layers[-1].name,) if layers else ()
        kind = "Lambda" if layers else "InputLayer"
        spec = LayerSpec(name, kind, inputs, {}, shape, {})
        layers.append(LayerTrace(spec, rng.uniform(0, 1, shape).astype(np.float32)))
    return Trace(tuple(layers), engine="numpy")


CLASSIC = {
    "input": (28, 28, 1), "conv_1": (26, 26, 32), "pool_1": (13, 13, 32), "conv_2": (11, 11, 64),
    "pool_2": (5, 5, 64), "conv_3": (3, 3, 64),
}  # fmt: skip
LARGE = {"input": (28, 28, 1)} | {f"conv_{k}": (28, 28, 128) for k in range(1, 7)}


def payload(trace: Trace) -> str:
    content = view_payload(
        trace, (), picture="1", weights="weights/none", selected=None, compact=False
    )
    return base64.b64encode(content).decode()


def count(shapes: dict[str, tuple[int, int, int]]) -> int:
    return sum(map(prod, shapes.values()))


def hover(page: Page, server: Server) -> list[float]:
    page.goto(f"{server.url}/layers?layer=conv_2&unit=2,6,36")
    view = page.locator(".st-key-network-view")
    view.get_by_test_id("unit-why").wait_for()
    page.wait_for_timeout(2000)
    times: list[float] = view.locator(".view").evaluate(
        f"element => ({_HOVER})(element.getRootNode())"
    )
    return times[50:]


def main() -> None:
    with Server() as server, chromium() as browser:
        server.wait_for_lab()
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        moves = hover(page, server)
        page.goto(f"{server.url}/about")
        page.locator(".stApp h1").wait_for()
        column: list[float] = page.evaluate(_COLUMN, [payload(stack(CLASSIC)), VERSION])
        moved = float(np.percentile(moves, 95))
        report(
            f"{len(moves)} moves of a pointer over 64 maps",
            {
                "one 60 Hz frame": 1 / 60,
                "a move, median": statistics.median(moves) / 1000,
                "a move, 95th percentile": moved / 1000,
                "repainting the column, median": statistics.median(column) / 1000,
            },
            "one 60 Hz frame",
        )
        both: Any = page.evaluate(
            _REPAINT, [[payload(stack(CLASSIC)), payload(stack(LARGE))], VERSION]
        )
        small, large = map(statistics.median, both)
        each = small / count(CLASSIC), large / count(LARGE)
        report(
            "Repainting, per million activations",
            {
                f"classic's maps, {count(CLASSIC):,} in {small:.1f} ms": each[0] * 1e3,
                f"{count(LARGE):,} in {large:.1f} ms": each[1] * 1e3,
            },
            f"classic's maps, {count(CLASSIC):,} in {small:.1f} ms",
        )


if __name__ == "__main__":
    main()
