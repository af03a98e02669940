"""A layer's filters: all of them, one of them, and how it came to be."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.digit import Digit
from cnn_core.errors import ConvScopeError, UnknownStep
from cnn_core.insight.kept import kept_evaluation
from cnn_core.networks.graph import LayerSpec
from cnn_core.networks.kernels import by_norm, convolutions, filters_of
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.notebooks.cells import Cell
from cnn_core.notebooks.filters import VIEWS, filters_cells
from cnn_core.probe.trace import LayerTrace, Trace
from cnn_core.views.atlas import atlas_box, atlas_cell, feature_map_atlas, map_picture
from cnn_core.views.prints import Print, Tile
from ui import ask, state
from ui.cell_picker import cell_picker
from ui.panels import html
from ui.panels.prints import print_buttons

_COURSE_COLUMNS = 8
_STRIP_FRAMES = 10
_STRIP_SLICES = 4
_STRIP_SIDE = 720
_SIDE = 208


def chosen_filter() -> tuple[LayerSpec, int] | None:
    """The filter looked at: of the present layer if that has filters, else of the first that has.
    None in a network without."""
    graph = open_network(state.network().id).graph
    specs = convolutions(graph)
    if not specs:
        return None
    spec = next((one for one in specs if one.name == state.layer()), specs[0])
    unit = state.unit()
    at_home = unit is not None and len(unit) == 3 and state.layer() == spec.name
    return spec, unit[2] if unit is not None and at_home else 0


def choose_filter(spec: LayerSpec, index: int, trace: Trace) -> None:
    """Look at another filter, at the cell where it answers most to the digit."""
    values = trace[spec.name].output[..., index]
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    state.choose_unit((int(row), int(column), index), spec.name)
    state.notify("")


def filter_choice(spec: LayerSpec, index: int, trace: Trace) -> str:
    """Which layer, which filter, and at which moment; answers the view of the weights."""
    names = [one.name for one in convolutions(open_network(state.network().id).graph)]
    st.session_state["filter-layer"] = spec.name
    # A network that came without its training has no start to compare with.
    views = VIEWS if len(open_network(state.network().id).film.steps) > 1 else VIEWS[:1]
    if st.session_state.get("filter-weights") not in views:
        st.session_state["filter-weights"] = VIEWS[0]
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        st.segmented_control(
            "Layer", names, key="filter-layer", required=True,
            on_change=lambda: _take_layer(trace),
        )  # fmt: skip
        key = f"filter-number-{spec.name}-{index}"
        st.number_input(
            "Filter", 0, spec.output_shape[-1] - 1, index, key=key, width=120,
            on_change=lambda: _take_number(key, spec, trace),
        )  # fmt: skip
        view = st.segmented_control(
            "Weights", views, required=True, key="filter-weights",
            persist_state="session",
        )  # fmt: skip
    return VIEWS[0] if view is None or view not in views else view


def _take_layer(trace: Trace) -> None:
    try:
        choose_filter(trace[str(st.session_state["filter-layer"])[:100]].spec, 0, trace)
    except ConvScopeError as error:
        state.notify(str(error))


def _take_number(key: str, spec: LayerSpec, trace: Trace) -> None:
    number = st.session_state[key]
    if not (isinstance(number, int) and 0 <= number < spec.output_shape[-1]):
        state.notify(f"{spec.name} has filters 0 to {spec.output_shape[-1] - 1}.")
        return
    choose_filter(spec, number, trace)


def kernels_shown(spec: LayerSpec, view: str) -> tuple[NDArray[np.float32], float]:
    """The layer's filters in that view, `(rows, columns, channels, filters)`, and the limit of
    their colour scale, the same in every view."""
    ref = state.network()
    first = open_network(ref.id).film.steps[0]
    now = filters_of(spec, weights_at(ref))
    start = filters_of(spec, weights_at(type(ref)(ref.id, first)))
    limit = float(max(np.abs(now).max(), np.abs(start).max()))
    return {VIEWS[0]: now, VIEWS[1]: start, VIEWS[2]: now - start}[view], limit


def all_filters(
    spec: LayerSpec,
    index: int,
    kernels: NDArray,
    limit: float,
    trace: Trace,
    also: tuple[int, ...] = (),
) -> None:
    """Every filter as one picture; a click chooses one. Where a filter reads many channels, its
    slices stand in a row. The filters `also` named are outlined too."""
    rows, columns, channels, count = kernels.shape
    one_channel = channels == 1
    across = _COURSE_COLUMNS if one_channel else channels
    # (h, w, channels, filters) → slices, a filter after another
    slices = np.swapaxes(kernels, 2, 3).reshape(rows, columns, count * channels)
    shape = (rows, columns, count * channels)
    picture = feature_map_atlas(slices, limit, columns=across, signed=True)
    boxes = []
    for one in dict.fromkeys((index, *(k for k in also if k < count))):
        left, top, width, height = atlas_box(shape, one * channels, across)
        boxes.append((left, top, width if one_channel else picture.width, height))
    boxes.reverse()  # the chosen one last, where the keys begin
    side = max(1, min(528 // picture.width, 768 // picture.height))
    with st.container(key="filter-grid"):
        cell_picker(
            picture,
            f"All {count} filters of {spec.name}",
            key="filters-picker",
            on_pick=lambda: _take_pick(shape, across, channels, spec, trace),
            side=side * max(picture.width, picture.height),
            boxes=boxes,
        )
        legend(limit)
        if not one_channel:
            st.caption(f"A row a filter, in it a slice for each of the {channels} channels read.")
        tiles = (
            [Tile(slices[..., k], str(k)) for k in range(count)]
            if one_channel
            else [Tile(_mosaic(slices, across))]
        )
        title = f"{spec.name}: {count} filters"
        print_buttons(
            lambda: Print(title, tiles, _COURSE_COLUMNS, "signed", limit), title, "filters"
        )


def _mosaic(slices: NDArray, across: int) -> NDArray:
    """Slices as one array, so many in a row, with an empty line between them."""
    rows, columns, count = slices.shape
    down = count // across
    sheet = np.full((down * (rows + 1), across * (columns + 1)), np.nan, np.float32)
    tiles = sheet.reshape(down, rows + 1, across, columns + 1)
    tiles[:, :rows, :, :columns] = slices.reshape(rows, columns, down, across).transpose(2, 0, 3, 1)
    return sheet[:-1, :-1]


def _take_pick(
    shape: tuple[int, int, int], across: int, channels: int, spec: LayerSpec, trace: Trace
) -> None:
    """A pixel that the browser sent → a filter. It may be anything."""
    pick = st.session_state["filters-picker"].get("pick")
    if not (isinstance(pick, list) and len(pick) == 2 and all(type(i) is int for i in pick)):
        state.notify("What arrived from the picture names no filter.")
        return
    cell = atlas_cell(shape, pick[0], pick[1], across)
    if cell is not None:
        choose_filter(spec, cell[2] // channels, trace)


def legend(limit: float, signed: bool = True) -> None:
    """The colour scale of what stands above."""
    least = html.number(-limit) if signed else "0"
    ramp = html.ramp("signed" if signed else "activation")
    st.html(f'<p class="cs-scale">{least}{ramp}{html.number(limit)}</p>')


def one_filter(
    spec: LayerSpec, index: int, kernels: NDArray, limit: float, layer: LayerTrace
) -> None:
    """The chosen filter's slices, the heaviest first, its numbers, and what it answers."""
    slices = kernels[..., index]
    order = by_norm(slices)
    off = index in state.network().off(spec.name)
    reads = spec.inputs[0]
    with st.container(key="filter-detail"):
        st.html(
            f'<h2 class="cs-layer">{html.safe(spec.name)}, filter {index} '
            f"<small>{'switched off' if off else ''}</small></h2>"
        )
        one_channel = slices.shape[-1] == 1
        left, right = st.columns([1, 1] if one_channel else [2, 1])
        with left:
            st.html(
                html.picture(map_picture(slices[..., 0], limit, True), f"Filter {index}", _SIDE)
                if one_channel
                else _slices(slices, order, limit)
            )
            words = (
                f"{slices.shape[0]}×{slices.shape[1]} weights on {reads}."
                if one_channel
                else f"One slice for each channel of {reads}, the heaviest first."
            )
            bias = weights_at(state.network())[spec.owner].get("bias")
            st.caption(
                words + (f" Bias {html.number(float(bias[index]))}." if bias is not None else "")
            )
        with right:
            values = layer.output[..., index]
            greatest = float(np.abs(layer.output).max())
            signed = bool(layer.output.min() < 0)
            side = _SIDE if one_channel else _SIDE * 4 // 5
            picture = map_picture(values, greatest, signed)
            st.html(html.picture(picture, f"Map {index} on the digit", side))
            at = np.unravel_index(int(values.argmax()), values.shape)
            st.caption(
                f"Its answer to your digit: {html.number(float(values.max()))} at row {at[0]}, "
                f"column {at[1]}."
                if values.any()
                else "It is silent on your digit: 0 everywhere."
            )
            legend(greatest, signed)
            print_buttons(
                lambda: Print(
                    f"{spec.name}, map {index}",
                    [Tile(values)],
                    1,
                    "signed" if signed else "activation",
                    greatest,
                ),
                f"{spec.name} map {index}",
                "response",
            )
        with st.expander("Numbers", key="filter-numbers"):
            st.dataframe(
                [
                    {"channel": int(channel)}
                    | {
                        f"{r},{c}": float(slices[r, c, channel])
                        for r in range(slices.shape[0])
                        for c in range(slices.shape[1])
                    }
                    for channel in order
                ],
                hide_index=True,
                alt="The weights of the filter, a row a channel read, row and column above",
            )
        print_buttons(
            lambda: Print(
                f"{spec.name}, filter {index}",
                [Tile(slices[..., c], f"channel {c}") for c in order],
                min(8, slices.shape[-1]),
                "signed",
                limit,
            ),
            f"{spec.name} filter {index}",
            "filter",
        )


def _slices(slices: NDArray, order: NDArray, limit: float) -> str:
    """A filter's slices, each with the channel that it reads."""
    figures = "".join(
        f"<figure>{html.picture(map_picture(slices[..., c], limit, True), f'On channel {c}', 36)}"
        f"<figcaption>{c}</figcaption></figure>"
        for c in order
    )
    return f'<div class="cs-slices">{figures}</div>'


def film_strip(spec: LayerSpec, index: int) -> None:
    """The filter at moments of its training; a click goes there."""
    ref = state.network()
    all_steps = open_network(ref.id).film.steps
    if len(all_steps) == 1:
        return  # it came without its training
    some = np.unique(np.linspace(0, len(all_steps) - 1, _STRIP_FRAMES).round().astype(int))
    steps = [all_steps[k] for k in some]
    now = filters_of(spec, weights_at(ref.whole))[..., index]
    heaviest = by_norm(now)[:_STRIP_SLICES]
    frames = [
        filters_of(spec, weights_at(type(ref)(ref.id, step)))[..., index][..., heaviest]
        for step in steps
    ]
    rows, columns, slices = frames[0].shape
    # A row a slice, a column a moment.
    tiles = np.stack(frames, axis=-1).reshape(rows, columns, slices * len(steps))
    limit = float(np.abs(tiles).max())
    picture = feature_map_atlas(tiles, limit, columns=len(steps), signed=True)
    shape = (rows, columns, slices * len(steps))
    nearest = min(range(len(steps)), key=lambda k: abs(steps[k] - ref.step))
    left, _, width, _ = atlas_box(shape, nearest, len(steps))
    with st.container(key="filter-film"):
        st.header("How it was learned", anchor=False)
        cell_picker(
            picture,
            f"Filter {index} of {spec.name} at steps {', '.join(map(str, steps))}",
            key="film-picker",
            on_pick=lambda: _take_frame(shape, steps),
            side=_STRIP_SIDE,
            boxes=[(left, 0, width, picture.height)] if steps[nearest] == ref.step else [],
        )
        side = max(1, _STRIP_SIDE // max(picture.width, picture.height))
        moments = "".join(f"<span>{step:,}</span>" for step in steps)
        st.html(
            f'<div class="cs-moments" style="width:{(picture.width + 1) * side}px">{moments}</div>'
            f'<p class="cs-note">{"Its heaviest slices, a row each. " if slices > 1 else ""}'
            "Click a step to go there; play in the sidebar runs through all of them.</p>"
        )
        print_buttons(
            lambda: Print(
                f"{spec.name}, filter {index}, through its training",
                [
                    Tile(tiles[..., k], f"step {steps[k]:,}" if k < len(steps) else "")
                    for k in range(tiles.shape[-1])
                ],
                len(steps),
                "signed",
                limit,
            ),
            f"{spec.name} filter {index} film",
            "film",
        )


def _take_frame(shape: tuple[int, int, int], steps: list[int]) -> None:
    pick = st.session_state["film-picker"].get("pick")
    try:
        if not (isinstance(pick, list) and len(pick) == 2 and all(type(i) is int for i in pick)):
            raise UnknownStep("What arrived from the film strip names no moment.")
        cell = atlas_cell(shape, pick[0], pick[1], len(steps))
        if cell is not None:
            state.choose_step(steps[cell[2] % len(steps)])
    except ConvScopeError as error:
        state.notify(str(error))


def filters_notebook(
    ref: NetworkRef, digit: Digit, trace: Trace, filter_at: tuple[str, int], view: str
) -> Callable[[], list[Cell]]:
    """What makes the page's notebook: the filter, and what the units that are off cost."""
    whole = ask.trace(ref.whole, digit).trace if ref.lesion else None

    def make() -> list[Cell]:
        before, after = (kept_evaluation(ref.whole), kept_evaluation(ref)) if whole else (None,) * 2
        scores = (before, after) if before is not None and after is not None else None
        return filters_cells(ref, digit, trace, *filter_at, view, whole, scores)

    return make
