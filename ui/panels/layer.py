"""One layer: what it does here, its maps, a map at a time, its numbers."""

from html import escape

import numpy as np
import streamlit as st

from cnn_core.errors import NoSuchUnit, UnsupportedLayer
from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.networks.source import layer_code
from cnn_core.probe.geometry import Index
from cnn_core.probe.trace import LayerTrace
from cnn_core.views.atlas import (
    Picture,
    atlas_box,
    atlas_cell,
    digit_picture,
    feature_map_atlas,
    map_picture,
    vector_picture,
)
from ui import state
from ui.cell_picker import cell_picker
from ui.panels import html
from ui.panels.words import parameter_sum, shape_sum, what_it_does

_TURNS = 16


def layer_facts(graph: Graph, spec: LayerSpec) -> None:
    """Its name, what it does here, its shape and its parameters with their arithmetic."""
    with st.container(key="layer-facts"):
        st.html(
            f'<h2 class="cs-layer">{escape(spec.name)} <small>{escape(spec.kind)}</small></h2>'
            f"<p>{escape(what_it_does(graph, spec))}</p>"
            '<div class="cs-facts">'
            f"<strong>Output</strong><span>{escape(shape_sum(graph, spec))}</span>"
            f"<strong>Parameters</strong><span>{escape(parameter_sum(graph, spec))}</span></div>"
        )


def layer_statistics(layer: LayerTrace) -> None:
    """Share of zeros, greatest value, and the maps that are dead on this digit."""
    output = layer.output
    facts = {
        "Zeros": f"{float(np.mean(output == 0)):.0%} of {output.size:,} numbers",
        "Greatest": html.number(float(output.max())),
    }
    if output.min() < 0:
        facts["Least"] = html.number(float(output.min()))
    if output.ndim == 3 and layer.spec.inputs:
        dead = np.flatnonzero(~output.any(axis=(0, 1))).tolist()
        facts["Dead maps"] = ", ".join(map(str, dead)) + " on this digit" if dead else "none"
    rows = "".join(f"<strong>{name}</strong><span>{text}</span>" for name, text in facts.items())
    st.html(f'<div class="cs-facts">{rows}</div>')


def layer_maps(
    layer: LayerTrace, unit: Index, each_its_own: bool, also: tuple[int, ...] = ()
) -> None:
    """All maps of the layer as one picture; a click chooses map and cell. The maps `also` named are
    outlined too."""
    with st.container(key="layer-maps"):
        picture, boxes = _all_units(layer, unit, each_its_own)
        if layer.output.ndim == 3:
            height, width, count = layer.output.shape
            boxes += [atlas_box((height, width, count), k) for k in also if k < count]
        size = html.shape(layer.spec.output_shape)
        cell_picker(
            picture,
            f"All of {layer.name}, {size}",
            key="maps-picker",
            on_pick=lambda: _take("maps-picker", layer),
            side=224 if picture.scale == "ink" else 496,  # it stands beside, large, too
            boxes=boxes,
        )
        if picture.scale == "ink":
            st.html(f'<p class="cs-scale">0, paper{html.ramp(picture.scale)}1, ink</p>')
        elif each_its_own and layer.output.ndim == 3:
            st.html(f'<p class="cs-scale">0{html.ramp(picture.scale)}each map’s own greatest</p>')
        else:
            least = -picture.limit if picture.scale == "signed" else 0
            st.html(
                f'<p class="cs-scale">{html.number(least)}{html.ramp(picture.scale)}'
                f"{html.number(picture.limit)}, one scale for the layer</p>"
            )


def _all_units(
    layer: LayerTrace, unit: Index, each_its_own: bool
) -> tuple[Picture, list[tuple[int, int, int, int]]]:
    if layer.output.ndim == 3:
        height, width, count = layer.output.shape
        if _is_digit(layer):
            return digit_picture(layer.output[..., 0]), []
        picture = feature_map_atlas(layer.output, each_its_own=each_its_own)
        return picture, [atlas_box((height, width, count), unit[2])]
    picture = vector_picture(layer.output.reshape(-1))
    position = int(np.ravel_multi_index(unit, layer.output.shape))
    return picture, [(position % picture.width, position // picture.width, 1, 1)]


def _is_digit(layer: LayerTrace) -> bool:
    """Whether this is the image itself in grey, which is ink on black and no activation."""
    image = layer.output
    return not layer.spec.inputs and image.shape[-1] == 1 and 0 <= image.min() <= image.max() <= 1


def one_map(layer: LayerTrace, unit: Index) -> None:
    """The chosen map, large, on the layer's scale; a click chooses its cell."""
    row, column, channel = unit
    values = layer.output[..., channel]
    if _is_digit(layer):
        picture = digit_picture(values)
    else:
        limit = float(np.abs(layer.output).max())
        picture = map_picture(values, limit, signed=bool(layer.output.min() < 0))
    with st.container(key="layer-map"):
        cell_picker(
            picture,
            f"Map {channel} of {layer.name}",
            key="map-picker",
            on_pick=lambda: _take("map-picker", layer, channel),
            side=364,
            boxes=[(column, row, 1, 1)],
            values=values.reshape(-1).tolist(),
        )


def unit_choice(layer: LayerTrace, unit: Index) -> None:
    """The unit by its numbers, for those who would rather type."""
    # Fields of their own for every unit that was not typed into them. While a film plays, the
    # browser still sends what it holds of the last ones, and Streamlit takes that for typing.
    held, fields = st.session_state.get("unit-fields", (None, 0))
    if held != unit:
        # A few take turns: Streamlit keeps what it knows of every field that there ever was.
        fields = (fields + 1) % _TURNS
        st.session_state["unit-fields"] = (unit, fields)
    keys = [f"unit-{axis}-{fields}" for axis in range(len(unit))]
    names = ("Row", "Column", "Map") if len(unit) == 3 else ("Unit",)
    with st.container(horizontal=True, gap="small", key="unit-choice"):
        for key, name, at, size in zip(keys, names, unit, layer.output.shape, strict=True):
            st.number_input(
                name,
                0,
                size - 1,
                value=at,
                key=key,
                width=88,
                on_change=lambda: _type(fields, keys),
            )


def layer_source(graph: Graph, name: str) -> None:
    """The Keras code that builds the layer."""
    with st.container(key="layer-code"):
        try:
            st.code(layer_code(graph, name), language="python", wrap_lines=True)
        except UnsupportedLayer as error:
            st.caption(str(error))


def _type(fields: int, keys: list[str]) -> None:
    _, latest = st.session_state["unit-fields"]
    if fields != latest:
        return  # nobody typed it
    unit = tuple(st.session_state[key] for key in keys)
    st.session_state["unit-fields"] = (unit, fields)
    _choose(unit)


def _take(key: str, layer: LayerTrace, channel: int | None = None) -> None:
    """A pixel that the browser sent → a unit. It may be anything."""
    pick = st.session_state[key].get("pick")
    if not (isinstance(pick, list) and len(pick) == 2 and all(type(i) is int for i in pick)):
        state.notify("What arrived from the picture names no cell.")
        return
    x, y = pick
    if channel is not None:
        _choose((y, x, channel))
    elif layer.output.ndim == 3:
        height, width, count = layer.output.shape
        cell = atlas_cell((height, width, count), x, y)
        if cell is not None:  # the gap between two maps chooses nothing
            _choose(cell)
    else:
        width = vector_picture(layer.output.reshape(-1)).width
        if 0 <= x < width and 0 <= (position := y * width + x) < layer.output.size:
            _choose(tuple(int(i) for i in np.unravel_index(position, layer.output.shape)))


def _choose(unit: Index) -> None:
    try:
        state.choose_unit(unit)
        state.notify("")
    except NoSuchUnit as error:
        state.notify(str(error))
