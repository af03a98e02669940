"""The learned filters: what they are, what excites them, and what the network is without them."""

import streamlit as st

from cnn_core.networks.zoo import open_network
from ui import ask, state
from ui.panels.engine import engine_line
from ui.panels.exciters import exciting_digits, synthesised
from ui.panels.export import notebook_button
from ui.panels.filters import (
    all_filters,
    chosen_filter,
    film_strip,
    filter_choice,
    filters_notebook,
    kernels_shown,
    one_filter,
)
from ui.panels.lesion import (
    before_and_after,
    important_units,
    lesion_choice,
    scores_by_class,
    switch_button,
)

st.title("Filters", anchor=False)
st.caption("What the network has learned to look for. Click a filter; switch it off.")

ref, digit = state.network(), state.digit()
answer = ask.trace(ref, digit)
chosen = chosen_filter()
if chosen is None:
    title = open_network(ref.id).card.title
    st.info(f"{title} has no convolution, and so no filters to show.")
else:
    spec, index = chosen
    view = filter_choice(spec, index, answer.trace)
    kernels, limit = kernels_shown(spec, view)
    with st.container(horizontal=True, gap="medium", key="filter-view"):
        with st.container():
            all_filters(spec, index, kernels, limit, answer.trace)
        with st.container():
            one_filter(spec, index, kernels, limit, answer.trace[spec.name])
            switch_button(spec.name, index)
    film_strip(spec, index)
    with st.container(horizontal=True, gap="medium", key="filter-excited"):
        with st.container():
            found = exciting_digits(spec, index)
        with st.container():
            synthesised(spec, index, found)

st.header("Switch units off", anchor=False)
layer = lesion_choice(spec.name if chosen else "")
if layer is not None:
    if ref.lesion:
        before_and_after(answer.trace, digit)
    scores_by_class()
    important_units(layer)
engine_line(answer)
if chosen is None:
    notebook_button(None, "filters", "This network has no filters to take along")
else:
    notebook_button(
        filters_notebook(ref, digit, answer.trace, (spec.name, index), view),
        f"filters-{ref.id}-{spec.name}",
    )
