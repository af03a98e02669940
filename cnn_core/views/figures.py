"""Charts that people explore: plain data in, Plotly figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from cnn_core.views.charts import COLOURS, Chart, Line

_MOST_POINTS = 400  # a line drawn on a screen needs no more
_MARGIN = {"l": 8, "r": 16, "t": 64, "b": 8}
_LEGEND = {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0}


def figure(chart: Chart) -> go.Figure:
    """The chart with zoom and read-out."""
    drawn = go.Figure()
    for line in chart.lines:
        some = line.thinned(_MOST_POINTS)
        drawn.add_scatter(
            x=some.x,
            y=some.y,
            name=line.name,
            mode="lines+markers" if line.marks else "lines",
            line={"color": line.colour, "dash": line.dash, "width": 1 if line.faint else 2},
            opacity=0.25 if line.faint else 1,
            hoverinfo="skip" if line.faint else None,
            error_y=_interval(some),
        )
    drawn.update_layout(
        title=_title(chart.title),
        height=300,
        margin=_MARGIN,
        legend=_LEGEND,
        hovermode="x unified",
        uirevision=chart.title,  # a zoom survives new data
    )
    if chart.at is not None:
        drawn.add_vline(chart.at, line={"color": COLOURS[-1], "width": 1})
    drawn.update_xaxes(title={"text": chart.across, "standoff": 4}, rangemode="tozero")
    if chart.percent:
        # Shares end at 1, with room for a mark; ticks may be closer than 1%.
        drawn.update_yaxes(tickformat=".2~%", autorangeoptions={"clipmin": -0.03, "clipmax": 1.03})
    return drawn


def reliability_figure(
    edges: NDArray, confidence: NDArray, accuracy: NDArray, count: NDArray
) -> go.Figure:
    """Share right by confidence as bars over how many answers have that confidence.

    Parameters
    ----------
    edges : `(bins + 1,)`, over [0, 1].
    confidence, accuracy : `(bins,)`, means of each bin; not a number where it is empty.
    count : `(bins,)`.
    """
    own, other = COLOURS[:2]
    centre, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges) * 0.9
    drawn = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.06
    )
    drawn.add_bar(x=centre, y=accuracy, width=width, name="share right", marker_color=own)
    drawn.add_scatter(
        x=confidence, y=confidence, mode="markers", name="mean confidence",
        marker={"color": other, "symbol": "diamond", "size": 9},
    )  # fmt: skip
    drawn.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", showlegend=False, hoverinfo="skip",
        line={"color": COLOURS[-1], "dash": "dash", "width": 1},
    )  # fmt: skip
    drawn.add_bar(
        x=centre, y=count, width=width, name="answers", marker_color=COLOURS[-1],
        showlegend=False, row=2, col=1,
    )  # fmt: skip
    drawn.update_layout(
        title=_title("Right, by how sure it is"), height=360, margin=_MARGIN, legend=_LEGEND,
        hovermode="x unified", bargap=0,
    )  # fmt: skip
    drawn.update_xaxes(range=[0, 1])
    drawn.update_xaxes(title={"text": "confidence", "standoff": 4}, row=2, col=1)
    drawn.update_yaxes(range=[0, 1], tickformat=".0%", row=1, col=1)
    drawn.update_yaxes(title={"text": "answers"}, type="log", row=2, col=1)
    return drawn


def _title(text: str) -> dict[str, Any]:
    return {
        "text": text,
        "font": {"size": 15},
        "x": 0,
        "xref": "paper",
        "y": 0.98,
        "yanchor": "top",
    }


def _interval(line: Line) -> dict[str, Any] | None:
    if line.low is None or line.high is None:
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": line.high - line.y,
        "arrayminus": line.y - line.low,
        "thickness": 1,
        "width": 3,
    }


def heat_figure(
    title: str, table: NDArray, rows: Sequence[str], columns: Sequence[str]
) -> go.Figure:
    """A table of shares from 0 to 1 as colours, with the numbers in the cells.

    Parameters
    ----------
    table : `(rows, columns)`; what is 0 stays empty.
    """
    text = [[f"{value:.2f}" if value else "" for value in row] for row in table]
    shown = np.where(table > 0, table, np.nan)
    drawn = go.Figure(
        go.Heatmap(
            z=shown, x=list(columns), y=list(rows), text=text, texttemplate="%{text}",
            zmin=0, zmax=1, colorscale="Viridis", showscale=False, hoverongaps=False,
        )
    )  # fmt: skip
    drawn.update_layout(title=_title(title), height=300, margin=_MARGIN)
    drawn.update_yaxes(autorange="reversed")
    return drawn


def histogram_figure(title: str, values: Mapping[str, NDArray], bins: int = 60) -> go.Figure:
    """How often numbers occur, over each other on the same bins.

    Parameters
    ----------
    values : by name, `(n,)`.
    """
    together = np.concatenate(list(values.values()))
    edges = np.linspace(float(together.min()), float(together.max()) or 1.0, bins + 1)
    drawn = go.Figure()
    for (name, numbers), colour in zip(values.items(), COLOURS, strict=False):
        counts, _ = np.histogram(numbers, edges)
        drawn.add_bar(
            x=(edges[:-1] + edges[1:]) / 2, y=counts, name=name, marker_color=colour, opacity=0.6,
            width=np.diff(edges),
        )  # fmt: skip
    drawn.update_layout(
        title=_title(title), height=300, margin=_MARGIN, legend=_LEGEND, barmode="overlay",
        bargap=0, hovermode="x unified",
    )  # fmt: skip
    drawn.update_yaxes(type="log", title={"text": "how many"})
    return drawn
