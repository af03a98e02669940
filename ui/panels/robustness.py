"""How far digits may be changed before networks fail on them."""

from dataclasses import replace

import numpy as np
import streamlit as st

from cnn_core.data.variations import VARIATIONS
from cnn_core.insight.results import Robustness
from cnn_core.insight.scores import wilson
from cnn_core.lab.requests import RobustnessRequest
from cnn_core.networks.zoo import open_network
from cnn_core.views.charts import Chart, Line, chart_of
from cnn_core.views.figures import figure
from ui import state
from ui.panels.comparison import title_of
from ui.panels.study import study

_SMALL, _ALL = 1_000, 10_000
_MOST_NETWORKS = 4


def robustness() -> None:
    """Accuracy by amount of a change, for one or several networks, with intervals."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        name = st.segmented_control(
            "Change", list(VARIATIONS), default="turn", required=True, key="robust-change",
            persist_state="session", format_func=lambda name: VARIATIONS[name].title,
        )  # fmt: skip
        others = [
            id
            for id in state.networks()
            if id != state.network().id
            and open_network(id).dataset == open_network(state.network().id).dataset
        ]
        beside = st.multiselect(
            "Beside it", others, key="robust-networks", width=360, persist_state="session",
            format_func=lambda id: open_network(id).card.title, max_selections=_MOST_NETWORKS - 1,
            placeholder="Other networks, at their last moment",
        )  # fmt: skip
        fine = st.toggle(
            f"All {_ALL:,} digits", key="robust-fine", persist_state="session",
            help=f"Instead of {_SMALL:,} fixed ones: narrower intervals, ten times the work",
        )  # fmt: skip
    name = name if name in VARIATIONS else "turn"
    refs = [state.network(), *(open_network(id).last for id in beside if id in others)]
    digits = _ALL if fine else _SMALL
    requests = [RobustnessRequest(ref, name, digits) for ref in refs[:_MOST_NETWORKS]]
    found: dict[str, Robustness] = {}
    tests = open_network(refs[0].id).tested_on.tests
    for k, request in enumerate(requests):
        curve = study(
            request,
            f"Measure {title_of(request.ref)} on {digits:,} {tests}",
            f"robust-{k}",
            also=tuple(requests[k + 1 :]),
        )
        if curve is not None:
            found[title_of(request.ref)] = curve
    if found:
        _chart(name, found, tests)


def _chart(name: str, found: dict[str, Robustness], tests: str) -> None:
    variation = VARIATIONS[name]
    chart = chart_of(
        f"{variation.title}: {tests} right",
        {title: (one.amounts, one.right / one.digits) for title, one in found.items()},
        percent=True,
        marks=True,
        across=variation.unit,
    )
    lines = tuple(
        _with_interval(line, one) for line, one in zip(chart.lines, found.values(), strict=True)
    )
    chart = Chart(chart.title, lines, percent=True, across=chart.across)
    with st.container(key="robustness"):
        st.plotly_chart(
            figure(chart), key="robust-chart", config={"displayModeBar": False}, alt=chart.title
        )
        one = next(iter(found.values()))
        st.caption(
            f"{one.digits:,} {tests} at each amount, the same for every network; bars are 95% "
            "intervals."
        )


def _with_interval(line: Line, found: Robustness) -> Line:
    ends = np.array([wilson(int(right), found.digits) for right in found.right])
    return replace(line, low=ends[:, 0], high=ends[:, 1])
