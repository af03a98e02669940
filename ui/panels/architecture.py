"""A named architecture: its idea, its layers counted out, its block alone."""

from collections import Counter

import streamlit as st

from cnn_core.networks.families import FAMILIES
from cnn_core.networks.graph import Graph
from cnn_core.networks.zoo import Network, architectures, open_network
from cnn_core.probe.accounting import accounts
from cnn_core.views.diagrams import diagram
from ui import ask, state
from ui.panels import html
from ui.panels.engine import engine_line
from ui.panels.export import network_code
from ui.panels.ideas import idea_at_work
from ui.panels.network import whole_network
from ui.panels.training_setup import prepare

_AT_MOST = 40  # layers that are drawn as a diagram
_TALL = 480  # screen pixels of the table and of the diagram
_ROW = 35  # of a row of the table


def famous_networks() -> None:
    """All of them side by side, or the one that is chosen, with the digit in it."""
    network = architecture_picker()
    if network is None:
        overview()
        return
    idea(network)
    answer = ask.trace(state.network(), state.digit())
    whole_network(answer.trace, state.unit(), compact=True)
    beside = _widest(network) <= 2
    table, block = st.columns([3, 2], gap="large") if beside else (st.container(), st.container())
    with table:
        st.header("Layer by layer", anchor=False)
        layer_table(network.graph)
    with block:
        st.header("One block alone", anchor=False)
        drawn(network)
    network_code(network, state.network())
    idea_at_work(network, answer.trace)
    engine_line(answer)


def _widest(network: Network) -> int:
    """How many layers of its block read the same at most: that many stand side by side."""
    block = FAMILIES[network.id].block
    return max(Counter(s.inputs for s in network.graph if s.name.startswith(block)).values())


def architecture_picker() -> Network | None:
    """Choose a named architecture: it becomes the network of every page."""
    present = state.network().id
    ids = [id for id in architectures() if id in FAMILIES]
    st.session_state["architecture"] = present if present in ids else None
    st.segmented_control(
        "Architecture",
        sorted(ids, key=list(FAMILIES).index),
        key="architecture",
        format_func=lambda id: open_network(id).card.title,
        label_visibility="collapsed",
        on_change=_take,
    )
    return open_network(present) if present in ids else None


def _take() -> None:
    chosen = st.session_state["architecture"]
    if chosen in FAMILIES:
        state.choose_network(chosen)


def overview(choose: bool = True) -> None:
    """All of them side by side; with a word on choosing one above, where that can be done."""
    rows = []
    for id in FAMILIES:
        network = open_network(id)
        counted = accounts(network.graph)
        rows.append(
            {
                "Architecture": network.card.title,
                "Layers with weights": sum("kernel" in one.spec.weights for one in counted),
                "Parameters": network.graph.parameter_count,
                "Multiply-adds": sum(one.multiply_adds for one in counted),
                "Test digits right": network.card.accuracy[network.last.step],
                "What it is": network.card.about,
            }
        )
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Parameters": st.column_config.NumberColumn(format="localized"),
            "Multiply-adds": st.column_config.NumberColumn(
                format="localized", help="Products of a weight and a value, for one image"
            ),
            "Test digits right": st.column_config.NumberColumn(format="percent"),
        },
        alt="The architectures with their size, cost and accuracy",
    )
    if choose:
        st.caption("Choose one above: it opens on every page, with its own film.")


def idea(network: Network) -> None:
    """What it brought, and where to read it."""
    family = FAMILIES[network.id]
    counted = accounts(network.graph)
    facts = {
        "Parameters": f"{network.graph.parameter_count:,}",
        "Multiply-adds": f"{sum(one.multiply_adds for one in counted):,} for one image",
        "Right": f"{network.card.accuracy[network.last.step]:.2%} of {network.card.accuracy_of}",
    }
    rows = "".join(f"<strong>{name}</strong><span>{text}</span>" for name, text in facts.items())
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(family.idea)
        st.caption(f"{family.reference}. [{family.address}]({family.address})")
    with right:
        st.html(f'<div class="cs-facts">{rows}</div>')
        st.button(
            "Train it",
            key="architecture-train",
            icon=":material/model_training:",
            on_click=lambda: _hand_over(network.id),
        )


def _hand_over(id: str) -> None:
    prepare(id)
    st.session_state["go-to"] = "pages/train.py"


def layer_table(graph: Graph) -> None:
    """Shape, parameters, multiply-adds and receptive field of every layer."""
    rows = len(graph.layers) + 1  # the names of the columns among them
    st.dataframe(
        [
            {
                "Layer": one.spec.name,
                "Kind": one.spec.kind,
                "Output": html.shape(one.spec.output_shape),
                "Parameters": one.spec.parameter_count,
                "Multiply-adds": one.multiply_adds,
                "Sees": html.shape(one.field),
                "Reads": ", ".join(one.spec.inputs),
            }
            for one in accounts(graph)
        ],
        hide_index=True,
        height=min(_TALL, _ROW * rows + 2),
        column_config={
            "Parameters": st.column_config.NumberColumn(format="localized"),
            "Multiply-adds": st.column_config.NumberColumn(format="localized"),
            "Sees": st.column_config.TextColumn(
                help="Receptive field: rows × columns of the image that can reach a unit far from "
                "the edges"
            ),
        },
        alt="Every layer with its shape, parameters, cost and receptive field",
    )


def drawn(network: Network) -> None:
    """One block alone, or the whole if it has none."""
    family = FAMILIES[network.id]
    fields = {one.spec.name: one.field for one in accounts(network.graph)}
    layers = [spec for spec in network.graph if spec.name.startswith(family.block)]
    before = {name for spec in layers for name in spec.inputs} - {spec.name for spec in layers}
    boxes = [
        (spec.name, (spec.name, f"{spec.kind}  {html.shape(spec.output_shape)}",
                     f"sees {html.shape(fields[spec.name])}"))
        for spec in network.graph
        if spec in layers or spec.name in before
    ]  # fmt: skip
    arrows = [(source, spec.name) for spec in layers for source in spec.inputs]
    with st.container(height=_TALL, border=False):
        st.graphviz_chart(
            diagram(boxes[:_AT_MOST], arrows, st.context.theme.type == "dark"), width="content"
        )
