"""Line charts that move: drawn on canvases, so that drawing them again costs next to nothing."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import streamlit as st

from cnn_core.views.charts import Chart, Line

_HERE = Path(__file__).parent
_MOST_POINTS = 240

_live_curves = st.components.v2.component(
    "convscope_live_curves",
    html='<div class="curves"></div>',
    css=(_HERE / "live_curves.css").read_text("utf-8"),
    js=(_HERE / "live_curves.js").read_text("utf-8"),
)


def live_curves(charts: Sequence[Chart], *, key: str) -> None:
    """Show the charts side by side, as many in a row as there is room for."""
    _live_curves(
        key=key,
        data={
            "charts": [
                {
                    "title": chart.title,
                    "percent": chart.percent,
                    "across": chart.across,
                    "at": chart.at,
                    "lines": [_described(line.thinned(_MOST_POINTS)) for line in chart.lines],
                }
                for chart in charts
            ]
        },
    )


def _described(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "colour": line.colour,
        "dash": line.dash,
        "faint": line.faint,
        "marks": line.marks,
        "x": [float(x) for x in line.x],
        # Four digits are more than a screen shows; None, not NaN, crosses as JSON.
        "y": [float(f"{y:.4g}") if isfinite(y) else None for y in line.y],
    }
