"""Chromium for benchmarks: pages opened, strokes drawn, paints timed by the page's own clock."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM_OPTIONS, find_chromium
from tests.browser.visitor import wait_for

CANVAS = "canvas.upper-canvas"

# Remembers when the pen was lifted, and when what a selector holds was last painted anew. Of a
# network view that is which picture it painted, asked at every frame: nobody sees into a shadow.
_WATCH = """
selectors => {
  window.penUp = 0; window.painted = {};
  document.addEventListener('mouseup', () => { window.penUp = performance.now(); }, true);
  const texts = {};
  const content = element => {
    const root = element?.querySelector('[data-testid=stBidiComponentIsolated]')?.shadowRoot;
    return root?.querySelector('.view')?.dataset.picture ?? element?.innerHTML ?? '';
  };
  const look = () => {
    for (const selector of selectors) {
      const now = content(document.querySelector(selector));
      if (texts[selector] !== undefined && texts[selector] !== now) {
        requestAnimationFrame(() => setTimeout(
          () => { window.painted[selector] = performance.now(); }));
      }
      texts[selector] = now;
    }
  };
  look();
  new MutationObserver(look).observe(
    document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  const frame = () => { look(); requestAnimationFrame(frame); };
  frame();
}
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = find_chromium(playwright)
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


def watch(page: Page, selectors: list[str]) -> None:
    """From now on, time every repaint of what the selectors hold."""
    page.evaluate(_WATCH, selectors)


def stroke(page: Page, number: int, selectors: list[str]) -> float:
    """Draw one stroke; seconds from pen-up until all that the selectors hold is painted anew."""
    canvas = page.locator(CANVAS)
    box = canvas.bounding_box()
    assert box
    x = box["x"] + 40 + (number * 37) % 200
    page.evaluate("window.painted = {}")
    page.mouse.move(x, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(x + 15, box["y"] + 60 + (number * 53) % 170, steps=5)
    page.mouse.up()
    wait_for(
        page, "selectors => selectors.every(s => window.painted[s] > window.penUp)", arg=selectors
    )
    page.wait_for_timeout(250)
    return float(
        page.evaluate(
            "selectors => Math.max(...selectors.map(s => window.painted[s])) - window.penUp",
            selectors,
        )
        / 1000
    )
