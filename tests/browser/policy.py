"""What the Content-Security-Policy holds back on a page, as the page itself notices it."""

from tests.browser.visitor import Visitor

NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener('securitypolicyviolation', event => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""
"""To be run before the page's own scripts."""


def watched(visitor: Visitor) -> list[str]:
    """What was held back since the page was loaded."""
    found: list[str] = visitor.page.evaluate("window.violations")
    return found
