"""The few pieces of HTML that panels are made of, each ready to stand in a page."""

import base64
from html import escape

from cnn_core.views.atlas import Picture
from cnn_core.views.colour import LEVELS, Scale, colour_table


def picture(image: Picture, alt: str, side: int) -> str:
    """An image of sharp pixels, as large as whole screen pixels a value make it within `side`."""
    data = base64.b64encode(image.png).decode()
    scale = max(1, side // max(image.width, image.height))
    return (
        f'<img class="cs-pixels" src="data:image/png;base64,{data}" alt="{escape(alt)}" '
        f'width="{image.width * scale}" height="{image.height * scale}">'
    )


def outline(path: str, width: int, height: int) -> str:
    """A thin dark line to lie over a picture of so many pixels. Streamlit takes no SVG but this."""
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><path d="{path}" '
        'fill="none" stroke="#000" stroke-opacity="0.6" stroke-width="0.17"/></svg>'
    )
    data = base64.b64encode(drawing.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="">'


def ramp(scale: Scale) -> str:
    """A small bar of a scale's colours."""
    rows = [round(k * (LEVELS - 1) / 8) for k in range(9)]
    stops = ", ".join(f"rgb({r} {g} {b})" for r, g, b in colour_table(scale)[rows].tolist())
    return f'<i class="cs-ramp" style="background:linear-gradient(to right, {stops})"></i>'


safe = escape


def number(value: float) -> str:
    """A value at three significant digits, with a true minus sign."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def fixed(value: float, decimals: int) -> str:
    """A value at so many decimals; what rounds to 0 has no sign."""
    return f"{value:z.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def shape(sizes: tuple[int, ...]) -> str:
    """``26 × 26 × 32``."""
    return " × ".join(map(str, sizes))


def percent(share: float) -> str:
    """`share_text`, ready to stand in HTML."""
    return escape(share_text(share))


def share_text(share: float) -> str:
    """``98.7%``; what would be rounded to 0 or 1 without being it says so: ``>99.9%``."""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.1%}"
