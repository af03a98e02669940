"""Charts that people explore: data in, Plotly figure out."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

_MOST_POINTS = 400  # a line drawn on a screen needs no more
_OWN, _HELD_OUT = "#0072b2", "#d55e00"  # Okabe and Ito: told apart by the colour-blind
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6f4fa0", "#7f7f7f")


def training_curve(
    name: str,
    step: NDArray,
    raw: NDArray,
    smooth: NDArray,
    epoch_step: NDArray,
    held_out: NDArray,
    percent: bool = False,
) -> go.Figure:
    """One quantity over the steps: each batch faint, smoothed over it, held-out digits as points.

    Parameters
    ----------
    step, raw, smooth : `(n,)`, by batch.
    epoch_step, held_out : `(m,)`, by epoch.
    percent : the values are shares.
    """
    figure = go.Figure()
    some = _thinned(len(step))
    figure.add_scatter(
        x=step[some], y=raw[some], name="each batch", line={"color": _OWN, "width": 1},
        opacity=0.25, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=step[some], y=smooth[some], name="training, smoothed", line={"color": _OWN, "width": 2}
    )
    figure.add_scatter(
        x=epoch_step, y=held_out, name="held-out digits", mode="lines+markers",
        line={"color": _HELD_OUT, "width": 2}, marker={"symbol": "diamond", "size": 8},
    )  # fmt: skip
    return _laid_out(figure, name, percent)


def lines_by_name(
    name: str,
    lines: Mapping[str, tuple[NDArray, NDArray]],
    percent: bool = False,
    marks: bool = False,
) -> go.Figure:
    """Several quantities over the steps, each a line with its own dash as well as colour.

    Parameters
    ----------
    lines : by name, steps and values.
    marks : draw the points too.
    """
    figure = go.Figure()
    dashes = ("solid", "dash", "dot", "dashdot", "longdash")
    for k, (label, (step, values)) in enumerate(lines.items()):
        some = _thinned(len(step))
        figure.add_scatter(
            x=step[some],
            y=values[some],
            name=label,
            mode="lines+markers" if marks else "lines",
            line={"color": SERIES[k % len(SERIES)], "dash": dashes[k % len(dashes)], "width": 2},
        )
    return _laid_out(figure, name, percent)


def _thinned(count: int) -> Sequence[int]:
    """At most `_MOST_POINTS` positions, the last one among them."""
    if count <= _MOST_POINTS:
        return list(range(count))
    return np.linspace(0, count - 1, _MOST_POINTS).round().astype(int).tolist()


def _laid_out(figure: go.Figure, name: str, percent: bool) -> go.Figure:
    figure.update_layout(
        title={"text": name, "font": {"size": 15}, "x": 0, "xref": "paper", "y": 0.98},
        height=260,
        margin={"l": 8, "r": 8, "t": 32, "b": 8},
        legend={"orientation": "h", "y": -0.22, "x": 0},
        hovermode="x unified",
        uirevision=name,  # a zoom survives new data
    )
    figure.update_xaxes(title={"text": "step", "standoff": 4}, rangemode="tozero")
    figure.update_yaxes(tickformat=".0%" if percent else None)
    return figure
