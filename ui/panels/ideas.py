"""What the idea of each architecture does, measured."""

import numpy as np
import streamlit as st

from cnn_core.lab.requests import DeepTrainingRequest
from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.networks.zoo import Network, weights_at
from cnn_core.probe.accounting import accounts, stacked
from cnn_core.probe.trace import Trace
from cnn_core.training.diagnosis import smoothed
from cnn_core.training.events import DeepTraining
from cnn_core.views.atlas import feature_map_atlas
from cnn_core.views.charts import chart_of
from cnn_core.views.figures import figure, heat_figure
from ui import ask, state
from ui.panels import html
from ui.panels.evaluation import PLAIN
from ui.panels.filters import legend
from ui.panels.study import study

_DEEPEST = 9  # blocks a stage: 56 layers
_STEPS = (50, 100, 200, 400)


def idea_at_work(network: Network, trace: Trace) -> None:
    """The one that belongs to the network; LeNet-5 has none of its own."""
    if network.id in ("resnet_mini", "plain_mini"):
        skips()
    elif network.id == "inception_mini":
        widths(network.graph, trace)
    elif network.id == "densenet_mini":
        reuse(network.graph)
    elif network.id == "vgg_mini":
        depth()


def skips() -> None:
    """The same deep network with skips and without, trained side by side."""
    st.header("Why skips work", anchor=False)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        blocks = st.slider(
            "Blocks a stage", 1, _DEEPEST, 3, key="skips-blocks", persist_state="session",
            width=280, help="There are 6 layers with weights for each, and 2 more.",
        )  # fmt: skip
        steps = st.segmented_control(
            "Steps", _STEPS, default=100, required=True, key="skips-steps", persist_state="session"
        )
    blocks = min(max(int(blocks), 1), _DEEPEST)
    steps = steps if steps in _STEPS else 100
    requests = [DeepTrainingRequest(blocks, skip, steps) for skip in (True, False)]
    begun = ask.begun(requests[0]) is not None
    found: list[DeepTraining | None] = [
        study(
            request,
            f"Train {6 * blocks + 2} layers, with skips and without",
            f"skips-{k}",
            "From the same seed, on the same batches of 64 digits",
            also=tuple(requests[1:]) if k == 0 else (),
        )
        for k, request in enumerate(requests)
        if k == 0 or begun  # one button begins both
    ]
    both = [one for one in found if one is not None]
    if len(both) < 2:
        return
    names = ("with skips", "without")
    places = [np.arange(1, len(one.before) + 1) for one in both]
    for column, (title, moment) in zip(
        st.columns(2), (("at the random start", "before"), (f"after {steps} steps", "after")),
        strict=True,
    ):  # fmt: skip
        chart = chart_of(
            f"Gradient norm by layer, {title}",
            {
                name: (place, np.array(list(getattr(one, moment).values())))
                for name, place, one in zip(names, places, both, strict=True)
            },
            across="convolution, from the image onwards",
            marks=True,
        )
        column.plotly_chart(figure(chart), key=f"skips-{moment}", config=PLAIN, alt=chart.title)
    left, right = st.columns(2)
    losses = chart_of(
        "Loss, smoothed",
        {
            name: (np.arange(1, steps + 1), smoothed(one.losses))
            for name, one in zip(names, both, strict=True)
        },
    )
    left.plotly_chart(figure(losses), key="skips-losses", config=PLAIN, alt=losses.title)
    right.markdown(
        f"After {steps} steps **{both[0].accuracy:.1%}** of {both[0].tested:,} test digits are "
        f"right with skips, **{both[1].accuracy:.1%}** without. At the random start the greatest "
        f"gradient norm of a layer is {_spread(both[0]):.1f} times the least with skips, "
        f"{_spread(both[1]):.1f} times without."
    )


def _spread(one: DeepTraining) -> float:
    norms = np.array(list(one.before.values()))
    return float(norms.max() / max(norms.min(), 1e-12))


def widths(graph: Graph, trace: Trace) -> None:
    """What each branch of a module sees, and what it makes of the digit."""
    st.header("What each branch sees", anchor=False)
    fields = {one.spec.name: one for one in accounts(graph)}
    for join in [spec for spec in graph if spec.kind == "Concatenate"]:
        st.html(f'<p class="cs-label">{html.safe(join.name)}</p>')
        limit = float(max(trace[name].output.max() for name in join.inputs))
        for column, name in zip(st.columns(len(join.inputs)), join.inputs, strict=True):
            output, counted = trace[name].output, fields[name]
            picture = feature_map_atlas(output, limit)
            with column:
                st.html(html.picture(picture, f"{output.shape[-1]} maps of {name}", 240))
                st.caption(
                    f"{name}: {output.shape[-1]} maps, sees {html.shape(counted.field)} of the "
                    f"digit, {_branch_cost(graph, name, join):,} multiply-adds"
                )
        legend(limit, signed=False)  # of all its branches


def _branch_cost(graph: Graph, name: str, join: LayerSpec) -> int:
    """Of the branch that ends in `name`, from where the branches part."""
    costs = {one.spec.name: one.multiply_adds for one in accounts(graph)}
    module = join.name.rpartition("_")[0]
    total = 0
    while name.startswith(module):
        total += costs[name]
        name = graph[name].inputs[0]
    return total


def reuse(graph: Graph) -> None:
    """How much each layer of a dense block takes from each one before it."""
    st.header("What each layer takes from those before it", anchor=False)
    weights = weights_at(state.network())
    blocks = sorted({spec.name.rsplit("_conv_", 1)[0] for spec in graph if "_conv_" in spec.name})
    for column, block in zip(st.columns(len(blocks)), blocks, strict=True):
        names, table = reused(graph, weights, block)
        drawn = heat_figure(f"{block}", table, [f"layer {k + 1}" for k in range(len(table))], names)
        column.plotly_chart(drawn, key=f"reuse-{block}", config=PLAIN, alt=f"Reuse in {block}")
    st.caption(
        "Mean size of the weights by which a layer (row) reads the maps of an earlier one "
        "(column), as a share of its greatest; empty where there is nothing to read yet. As figure "
        "5 of the paper."
    )


def reused(
    graph: Graph, weights: dict[str, dict[str, np.ndarray]], block: str
) -> tuple[list[str], np.ndarray]:
    """Names of what can be read, and the mean absolute weight of each layer for each, `(layers,
    sources)`, a row's greatest 1."""
    layers = [spec for spec in graph if spec.name.startswith(f"{block}_conv_")]
    growth = layers[0].output_shape[-1]
    first = weights[layers[0].name]["kernel"].shape[2]
    table = np.zeros((len(layers), len(layers)))
    for row, spec in enumerate(layers):
        sizes = np.abs(weights[spec.name]["kernel"]).mean(axis=(0, 1, 3))  # (channels in,)
        edges = [0, first, *(first + growth * (k + 1) for k in range(row))]
        for column in range(row + 1):
            table[row, column] = sizes[edges[column] : edges[column + 1]].mean()
    return (
        ["what came in", *(f"layer {k + 1}" for k in range(len(layers) - 1))],
        table / np.maximum(table.max(axis=1, keepdims=True), 1e-12),
    )


def depth() -> None:
    """Stacked 3×3 filters against one large one."""
    st.header("Small filters stacked, or one large one", anchor=False)
    channels = st.slider("Maps in and out", 8, 256, 64, 8, key="depth-channels", width=280)
    rows = []
    for size, count in ((3, 2), (5, 1), (3, 3), (7, 1)):
        field, parameters, products = stacked(size, count, int(channels))
        rows.append(
            {
                "Convolutions": f"{count} of {size}×{size}",
                "See": f"{field} × {field}",
                "Parameters": parameters,
                "Multiply-adds a cell": products,
                "ReLUs": count,
            }
        )
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="localized")
            for name in ("Parameters", "Multiply-adds a cell")
        },
        alt="Stacked small filters against large ones",
    )
    two, five = rows[0]["Parameters"], rows[1]["Parameters"]
    three, seven = rows[2]["Parameters"], rows[3]["Parameters"]
    st.caption(
        f"As far as one of 5×5 with {two / five:.0%} of its parameters, as far as one of 7×7 with "  # type: ignore[operator]
        f"{three / seven:.0%}."  # type: ignore[operator]
    )
