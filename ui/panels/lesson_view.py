"""What stands beside a card: panels of the other pages, on the digit and network that are there."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from cnn_core.course.ask_values import strokes
from cnn_core.course.lesson import View
from cnn_core.course.seen import strongest
from cnn_core.course.text import load_words
from cnn_core.errors import UnknownLayer, UnknownNetwork
from cnn_core.networks.families import FAMILIES
from cnn_core.networks.graph import LayerSpec
from cnn_core.networks.kernels import convolutions
from cnn_core.networks.zoo import open_network
from cnn_core.probe.arithmetic import explain_unit
from cnn_core.probe.geometry import Index
from cnn_core.probe.trace import Trace
from cnn_core.views.atlas import digit_picture
from ui import state
from ui.panels import html
from ui.panels.architecture import drawn, layer_table, overview
from ui.panels.arithmetic import softmax_table, unit_arithmetic
from ui.panels.digit import digit_seen
from ui.panels.evaluation import evaluated, scores
from ui.panels.exciters import exciting_digits, synthesised
from ui.panels.filters import all_filters, film_strip, kernels_shown, one_filter
from ui.panels.guess import guess
from ui.panels.ideas import skips, widths
from ui.panels.layer import layer_facts, layer_maps, layer_statistics, one_map
from ui.panels.lesion import before_and_after, switch_button
from ui.panels.lesson_training import recipe, two_curves
from ui.panels.mistakes import mistakes
from ui.panels.network import whole_network
from ui.panels.prediction import prediction, probabilities
from ui.panels.try_activation import try_activation
from ui.panels.try_convolution import try_convolution
from ui.panels.try_pooling import try_pooling
from ui.panels.try_shapes import try_flatten, try_input


def present_unit(trace: Trace) -> Index:
    """The chosen unit, else the strongest of the present layer."""
    return state.unit() or strongest(trace[state.layer()].output)


def _network(view: View, trace: Trace) -> None:
    whole_network(trace, present_unit(trace) if view.unit or state.unit() else None, compact=True)


def _digit(view: View, trace: Trace) -> None:
    digit_seen(state.digit())


def _pixels(view: View, trace: Trace) -> None:
    layer = trace.layers[0]
    here = state.unit() if state.layer() == layer.name else None
    unit = here or strongest(layer.output)
    one_map(layer, unit)
    classes = open_network(state.network().id).card.class_names
    unit_arithmetic(trace, explain_unit(trace, layer.name, unit), classes)


def _maps(view: View, trace: Trace) -> None:
    layer = trace[state.layer()]
    unit = present_unit(trace)
    with st.container(key="layer-view"):
        with st.container():
            layer_facts(trace.graph, layer.spec)
            layer_maps(layer, unit, each_its_own=False, also=view.highlight)
            layer_statistics(layer)
        if layer.output.ndim == 3:
            with st.container():
                one_map(layer, unit)


def _unit(view: View, trace: Trace) -> None:
    layer = trace[state.layer()]
    unit = present_unit(trace)
    classes = open_network(state.network().id).card.class_names
    calculation = explain_unit(trace, layer.name, unit)
    if layer.output.ndim != 3:
        layer_maps(layer, unit, each_its_own=False)
        unit_arithmetic(trace, calculation, classes)
        return
    with st.container(key="layer-view"):
        with st.container():
            one_map(layer, unit)
        with st.container():
            unit_arithmetic(trace, calculation, classes)


def _softmax(view: View, trace: Trace) -> None:
    layer = trace.layers[-1]
    best = strongest(layer.output)
    classes = open_network(state.network().id).card.class_names
    softmax_table(explain_unit(trace, layer.name, best), classes)


def _answer(view: View, trace: Trace) -> None:
    classes = open_network(state.network().id).card.class_names
    with st.container(horizontal=True, gap="large"):
        with st.container(width=224):
            digit_seen(state.digit())
        with st.container(width="stretch", key="lesson-answer"):
            prediction(trace, classes)
            probabilities(trace, classes)


def _filters(view: View, trace: Trace) -> None:
    spec = _convolution(trace)
    unit = state.unit()
    index = unit[2] if unit is not None and state.layer() == spec.name else 0
    kernels, limit = kernels_shown(spec, "At this moment")
    with st.container(horizontal=True, gap="medium", key="filter-view"):
        with st.container():
            all_filters(spec, index, kernels, limit, trace, also=view.highlight)
        with st.container():
            one_filter(spec, index, kernels, limit, trace[spec.name])


def _kernels(view: View, trace: Trace) -> None:
    spec = _convolution(trace)
    kernels, limit = kernels_shown(spec, "At this moment")
    first, *others = view.highlight or (0,)
    all_filters(spec, first, kernels, limit, trace, also=tuple(others))


def _film(view: View, trace: Trace) -> None:
    spec = _convolution(trace)
    unit = present_unit(trace)
    film_strip(spec, unit[2] if state.layer() == spec.name else 0)


def _excited(view: View, trace: Trace) -> None:
    spec = _convolution(trace)
    unit = state.unit()
    index = unit[2] if unit is not None and state.layer() == spec.name else 0
    with st.container(horizontal=True, gap="medium", key="filter-excited"):
        with st.container():
            found = exciting_digits(spec, index)
        with st.container():
            synthesised(spec, index, found)


def _lesion(view: View, trace: Trace) -> None:
    spec = _convolution(trace)
    unit = present_unit(trace)
    switch_button(spec.name, unit[2] if state.layer() == spec.name else 0)
    before_and_after(trace, state.digit())


def _convolution(trace: Trace) -> LayerSpec:
    """The present layer if it has filters, else the first that has."""
    specs = convolutions(trace.graph)
    if not specs:
        raise UnknownLayer("This network has no convolution, and so no filters to show.")
    return next((spec for spec in specs if spec.name == state.layer()), specs[0])


def _strokes(view: View, trace: Trace) -> None:
    words = load_words()["page"]
    figures = "".join(
        f'<figure class="cs-figure">{html.picture(digit_picture(image), name, 224)}'
        f"<figcaption>{html.safe(name)}</figcaption></figure>"
        for image, name in zip(strokes(), (words["upright"], words["level"]), strict=True)
    )
    st.html(f'<div class="cs-strokes">{figures}</div>')


def _table(view: View, trace: Trace) -> None:
    layer_table(trace.graph)


def _scores(view: View, trace: Trace) -> None:
    found = evaluated(state.network(), at_once=True)
    if found is not None:
        scores(found)


def _mistakes(view: View, trace: Trace) -> None:
    found = evaluated(state.network(), at_once=True)
    if found is not None:
        mistakes(found)


def _block(view: View, trace: Trace) -> None:
    network = open_network(state.network().id)
    if network.id not in FAMILIES:
        raise UnknownNetwork(f"{network.card.title} has no block that could be drawn alone.")
    drawn(network)


def _widths(view: View, trace: Trace) -> None:
    if state.network().id != "inception_mini":
        title = open_network(state.network().id).card.title
        raise UnknownNetwork(f"{title} has no modules of several widths.")
    widths(trace.graph, trace)


def _alone(show: Callable[[], None]) -> Callable[[View, Trace], None]:
    """A panel that finds all it needs by itself."""
    return lambda view, trace: show()


PANELS: dict[str, Callable[[View, Trace], None]] = {
    "network": _network,
    "digit": _digit,
    "pixels": _pixels,
    "maps": _maps,
    "unit": _unit,
    "softmax": _softmax,
    "answer": _answer,
    "filters": _filters,
    "kernels": _kernels,
    "film": _film,
    "excited": _excited,
    "lesion": _lesion,
    "strokes": _strokes,
    "table": _table,
    "scores": _scores,
    "mistakes": _mistakes,
    "guess": _alone(guess),
    "input": _alone(try_input),
    "convolution": _alone(lambda: try_convolution(folded=True)),
    "activation": _alone(try_activation),
    "pooling": _alone(try_pooling),
    "flatten": _alone(try_flatten),
    "training": _alone(recipe),
    "curves": _alone(two_curves),
    "architectures": _alone(lambda: overview(choose=False)),
    "widths": _widths,
    "skips": _alone(skips),
    "block": _block,
}
"""By the name that a lesson's view calls."""


def live_view(view: View, trace: Trace, reveal: str = "") -> None:
    """The picture of a card; after an answer, the one that shows why."""
    shown = replace(view, panel=reveal, unit="strongest") if reveal else view
    with st.container(key="lesson-picture"):
        PANELS[shown.panel](shown, trace)
