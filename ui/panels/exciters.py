"""What excites a filter: test digits, and an image made for it."""

from dataclasses import replace
from math import isfinite

import numpy as np
import streamlit as st

from cnn_core.data.digit import Digit
from cnn_core.insight.results import LayerExciters, Synthesis
from cnn_core.lab.requests import ExcitersRequest, SynthesisRequest
from cnn_core.networks.graph import LayerSpec
from cnn_core.networks.kernels import filters_of, greatest_response
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.geometry import receptive_field
from cnn_core.views.atlas import digit_picture
from cnn_core.views.prints import Print, Tile
from ui import state
from ui.panels import html
from ui.panels.digit import with_article
from ui.panels.evaluation import untested
from ui.panels.prints import print_buttons
from ui.panels.study import study

Box = tuple[int, int, int, int]


def seen_by(spec: LayerSpec) -> NetworkRef:
    """The network without what the layer cannot see: what is off after it, or beside it."""
    ref = state.network()
    graph = open_network(ref.id).graph
    before: set[str] = set(spec.inputs)
    for one in reversed(graph.layers):
        if one.name in before:
            before.update(one.inputs)
    return replace(ref, lesion=tuple(at for at in ref.lesion if at[0] in before))


def patch(spec: LayerSpec, cell: tuple[int, int], channel: int) -> Box:
    """Left, top, width and height of what a cell sees of the digit."""
    graph = open_network(state.network().id).graph
    rows, columns = np.nonzero(receptive_field(graph, spec.name, (*cell, channel)))
    left, top = int(columns.min()), int(rows.min())
    return left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1


def exciting_digits(spec: LayerSpec, index: int) -> LayerExciters | None:
    """The test digits on which the filter answers most, and the classes it answers to."""
    ref = seen_by(spec)
    with st.container(key="filter-exciters"):
        if open_network(ref.id).dataset is None:
            st.header("Images that excite it most", anchor=False)
            untested(ref)
            return None
        dataset = open_network(ref.id).tested_on
        st.header(f"{dataset.tests.capitalize()} that excite it most", anchor=False)
        found: LayerExciters | None = study(
            ExcitersRequest(ref, spec.name),
            f"Look at all 10,000 {dataset.tests}",
            "exciters",
            "For every filter of this layer at this moment",
        )
        if found is None:
            return None
        if index in state.network().off(spec.name):
            st.caption("It is switched off and answers to none.")
            return found
        images = dataset.load()
        cards, tiles = [], []
        for digit, cell, value in zip(
            found.digits[index], found.cells[index], found.values[index], strict=True
        ):
            box = patch(spec, (int(cell[0]), int(cell[1])), index)
            pixels = images.x_test[digit] / 255
            name = dataset.class_names[images.y_test[digit]]
            cards.append(_outlined(pixels, int(digit), name, box, float(value)))
            tiles.append(Tile(pixels, html.number(float(value)), box))
        st.html(f'<div class="cs-batch">{"".join(cards)}</div>')
        st.caption(
            "Outlined: the patch that did it. Below: the filter’s number before its activation. "
            f"It answers at all on {found.active[index]:.1%} of the {dataset.tests}."
        )
        print_buttons(
            lambda: Print(f"What excites {spec.name}, filter {index}", tiles, 9, "ink", 1.0),
            f"{spec.name} filter {index} digits",
            "exciters",
        )
        _by_class(found.by_class[index])
    return found


def _outlined(pixels: np.ndarray, digit: int, name: str, box: Box, value: float) -> str:
    side = pixels.shape[0]
    left, top, width, height = (f"{100 * part / side:.3f}%" for part in box)
    return (
        '<figure><span class="cs-outlined">'
        f"{html.picture(digit_picture(pixels), f'test image {digit}, {with_article(name)}', 84)}"
        f'<i style="left:{left};top:{top};width:{width};height:{height}"></i></span>'
        f"<figcaption>{html.number(value)}, {with_article(name)}</figcaption></figure>"
    )


def _by_class(means: np.ndarray) -> None:
    names = open_network(state.network().id).card.class_names
    most = float(np.nanmax(means)) or 1.0
    named = " cs-named" if max(map(len, names)) > 2 else ""
    rows = "".join(
        f'<div role="listitem" class="cs-row"><span class="cs-class">{html.safe(name)}</span>'
        f'<span class="cs-track"><span class="cs-bar" style="width:{max(0.0, mean / most):.2%}">'
        f'</span></span><span class="cs-number">{html.number(mean)}</span></div>'
        for name, mean in zip(names, map(float, means), strict=True)
    )
    st.html(
        '<p class="cs-label">Which classes it fires for: the greatest number of its map, mean over '
        f'each class</p><div class="cs-bars{named}" role="list" '
        f'aria-label="Mean by class">{rows}</div>'
    )


def synthesised(spec: LayerSpec, index: int, found: LayerExciters | None) -> None:
    """An image made to excite the filter, and how it compares."""
    ref = seen_by(spec)
    with st.container(key="filter-synthesis"):
        st.header("An image made to excite it", anchor=False)
        if index in state.network().off(spec.name):
            st.caption("It is switched off: nothing excites it.")
            return
        made: Synthesis | None = study(
            SynthesisRequest(ref, spec.name, index),
            "Make the image",
            "synthesis",
            "Gradient ascent on the filter's middle cell, from eight random images",
            # To compare with, where there is something.
            also=(ExcitersRequest(ref, spec.name),) if open_network(ref.id).dataset else (),
        )
        if made is None:
            return
        card = open_network(ref.id).card
        pixels = made.image.mean(axis=-1)
        low, high = card.value_range
        pixels = (pixels - low) / (high - low)
        left, right = st.columns([1, 1])
        with left:
            st.html(html.picture(digit_picture(pixels), f"Made for filter {index}", 196))
        facts = {"On this image": html.number(made.value)}
        if found is not None:
            facts[f"On the best test {open_network(ref.id).tested_on.noun}"] = html.number(
                float(found.values[index, 0])
            )
        graph = open_network(ref.id).graph
        if spec.inputs[0] == graph.input.name:
            weights = weights_at(ref)
            bias = float(weights[spec.owner].get("bias", np.zeros(index + 1))[index])
            greatest = greatest_response(
                filters_of(spec, weights)[..., index], bias, card.value_range
            )
            facts["Greatest possible"] = html.number(greatest)
        rows = "".join(
            f"<strong>{name}</strong><span>{value}</span>" for name, value in facts.items()
        )
        with right:
            st.html(f'<div class="cs-facts">{rows}</div>')
            st.caption(
                "Activation maximisation of the middle cell, before its activation. Total "
                "variation and decay kept the image smooth and dark for three quarters of the "
                "way, and were then let go."
            )
            if pixels.shape == (28, 28) and isfinite(made.value):
                st.button(
                    "Put it under the lens",
                    key="synthesis-use",
                    on_click=lambda: state.choose_digit(
                        Digit.of_bytes(np.rint(pixels * 255).astype(np.uint8), "made")
                    ),
                )
            print_buttons(
                lambda: Print(
                    f"Made to excite {spec.name}, filter {index}", [Tile(pixels)], 1, "ink", 1.0
                ),
                f"{spec.name} filter {index} made",
                "synthesis",
            )
