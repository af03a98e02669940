"""The few pieces of HTML that panels are made of. Every text is escaped here."""

import base64
from html import escape

from cnn_core.views.atlas import Picture


def picture(image: Picture, alt: str, side: int) -> str:
    """An image of sharp pixels, as large as whole screen pixels a value make it within `side`."""
    data = base64.b64encode(image.png).decode()
    scale = max(1, side // max(image.width, image.height))
    return (
        f'<img class="cs-pixels" src="data:image/png;base64,{data}" alt="{escape(alt)}" '
        f'width="{image.width * scale}" height="{image.height * scale}">'
    )


def number(value: float) -> str:
    """A value at three significant digits, with a true minus sign."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def shape(sizes: tuple[int, ...]) -> str:
    """``26 × 26 × 32``."""
    return " × ".join(map(str, sizes))


def percent(share: float) -> str:
    """``98.7%``; below 0.05% and above 99.95% it says which side it is on."""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 < share < 1:
        return ">99.9%"
    return f"{share:.1%}"
