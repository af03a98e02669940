"""Reading the network view, for the tests that look into it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from playwright.sync_api import Locator

from cnn_core.probe.geometry import Index
from cnn_core.probe.trace import Trace
from tests.browser.server import Server
from tests.browser.visitor import Visitor, expect

Visit = Callable[..., Visitor]

# Points at each unit by the field for its name, waits until the calculation is complete, reads it.
READ = """
async ([root, names]) => {
  const field = root.querySelector('[data-testid=unit-goto]');
  const readout = root.querySelector('[data-testid=view-readout]');
  const all = testid => [...readout.querySelectorAll(`[data-testid=${testid}]`)]
    .map(element => Number(element.dataset.value));
  const found = [];
  for (const name of names) {
    field.value = name;
    field.dispatchEvent(new Event('input'));
    const shown = () => readout.querySelector('[data-testid=unit-name]')?.textContent === name
      && readout.dataset.complete === 'true';
    for (let k = 0; k < 100 && !shown(); k++) await new Promise(done => setTimeout(done, 10));
    if (!shown()) throw new Error(`${name} was not shown`);
    found.push({ value: all('unit-value'), terms: all('unit-terms'), bias: all('unit-bias'),
      sum: all('unit-sum'), partial: all('unit-partial'), text: readout.textContent });
  }
  return found;
}
"""


def named(layer: str, index: Index) -> str:
    return f"{layer}[{', '.join(map(str, index))}]"


def random_units(trace: Trace, count: int) -> list[tuple[str, Index]]:
    """Units spread evenly over the layers."""
    rng = np.random.default_rng(count)
    layers = list(trace)
    return [
        (layer.name, tuple(int(rng.integers(n)) for n in layer.output.shape))
        for layer in (layers[k % len(layers)] for k in range(count))
    ]


def view_of(visitor: Visitor) -> Locator:
    return visitor.page.locator(".st-key-network-view")


def shown_unit(visitor: Visitor) -> Locator:
    return view_of(visitor).get_by_test_id("unit-name")


def opened(visit: Visit, server: Server, path: str = "layers?layer=conv_2&unit=2,6,36") -> Visitor:
    visitor = visit(server, path)
    expect(shown_unit(visitor)).to_be_visible()
    expect(view_of(visitor).get_by_test_id("view-readout")).to_have_attribute(
        "data-complete", "true"
    )
    visitor.wait_until_painted()
    return visitor


def read_units(visitor: Visitor, units: list[tuple[str, Index]]) -> list[dict[str, Any]]:
    """What the view says of each unit: its value, and what makes it, at full precision."""
    root = view_of(visitor).locator(".view").element_handle()
    found: list[dict[str, Any]] = visitor.page.evaluate(
        READ, [root, [named(*unit) for unit in units]]
    )
    return found
