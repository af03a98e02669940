"""Line charts as plain data. `figures` draws them with Plotly, to be explored; `ui.live_curves`
draws them on canvases, many times a minute and cheaply."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

# Okabe and Ito's colours, told apart by the colour-blind; every line has a dash of its own too.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6f4fa0", "#7f7f7f")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


@dataclass(frozen=True, eq=False)
class Line:
    """One quantity over the steps.

    Attributes
    ----------
    x, y : `(n,)`; what is not a number leaves a gap.
    colour : ``"#rrggbb"``.
    dash : one of `DASHES`.
    faint : drawn thin and pale, and not read out: raw values under their smooth line.
    marks : draw the points too.
    low, high : `(n,)`, the ends of each value's interval, if it has one.
    """

    name: str
    x: NDArray
    y: NDArray
    colour: str
    dash: str = "solid"
    faint: bool = False
    marks: bool = False
    low: NDArray | None = None
    high: NDArray | None = None

    def thinned(self, points: int) -> "Line":
        """At most so many points, evenly taken, the last one among them."""
        if len(self.x) <= points:
            return self
        some = np.linspace(0, len(self.x) - 1, points).round().astype(int)
        return replace(
            self,
            x=self.x[some],
            y=self.y[some],
            low=None if self.low is None else self.low[some],
            high=None if self.high is None else self.high[some],
        )


@dataclass(frozen=True, eq=False)
class Chart:
    """Lines that share their axes.

    Attributes
    ----------
    percent : the values are shares.
    across : what runs from left to right.
    at : a place to mark and to read out.
    """

    title: str
    lines: tuple[Line, ...] = field(default_factory=tuple)
    percent: bool = False
    across: str = "step"
    at: float | None = None


def training_chart(
    title: str,
    step: NDArray,
    raw: NDArray,
    smooth: NDArray,
    epoch_step: NDArray,
    held_out: NDArray,
    percent: bool = False,
) -> Chart:
    """One quantity of a training: each batch faint, smoothed over it, held-out digits as points.

    Parameters
    ----------
    step, raw, smooth : `(n,)`, by batch.
    epoch_step, held_out : `(m,)`, by epoch.
    percent : the values are shares.
    """
    own, other = COLOURS[:2]
    return Chart(
        title,
        (
            Line("each batch", step, raw, own, faint=True),
            Line("training, smoothed", step, smooth, own),
            Line("held-out digits", epoch_step, held_out, other, marks=True),
        ),
        percent,
    )


def chart_of(
    title: str,
    lines: Mapping[str, tuple[NDArray, NDArray]],
    percent: bool = False,
    marks: bool = False,
    across: str = "step",
    at: float | None = None,
) -> Chart:
    """Several quantities, each a line with its own dash as well as colour.

    Parameters
    ----------
    lines : by name, where and how much.
    """
    return Chart(
        title,
        tuple(
            Line(name, x, y, COLOURS[k % len(COLOURS)], DASHES[k % len(DASHES)], marks=marks)
            for k, (name, (x, y)) in enumerate(lines.items())
        ),
        percent,
        across,
        at,
    )
