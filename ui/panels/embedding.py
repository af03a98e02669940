"""The map of the digits: test images laid out by what a layer makes of them."""

import numpy as np
import streamlit as st

from cnn_core.insight.results import EMBEDDINGS, Embedding
from cnn_core.lab.requests import EmbeddingRequest
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from ui import ask, state
from ui.digit_map import digit_map
from ui.panels.digit import origin
from ui.panels.evaluation import take_digit
from ui.panels.study import study

_MOST_MOMENTS = 8
_ABOUT = {
    "PCA": "PCA: the two directions in which they differ most; distances can be compared. The two "
    "hold {share:.0%} of the variance.",
    "t-SNE": "t-SNE: what is near in the layer stands near here; how far groups are apart means "
    "little. Your own stands among its five nearest.",
}


def embedding() -> None:
    """Choose a layer and a method; see the map."""
    ref, network = state.network(), open_network(state.network().id)
    layers = [spec.name for spec in network.graph]
    if st.session_state.get("map-layer") not in layers:
        st.session_state["map-layer"] = _telling(layers)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        layer = st.selectbox(
            "By what this layer makes of them", layers, key="map-layer", width=240,
            persist_state="session",
        )  # fmt: skip
        method = st.segmented_control(
            "Laid out by", EMBEDDINGS, default=EMBEDDINGS[0], required=True, key="map-method",
            persist_state="session",
        )  # fmt: skip
        over = st.toggle("Over the training", key="map-film", persist_state="session")
    method = method if method in EMBEDDINGS else EMBEDDINGS[0]
    refs = _moments(ref) if over else (ref,)
    found: Embedding | None = study(
        EmbeddingRequest(refs, layer, method),
        f"Lay out 1,000 {network.tested_on.tests}",
        "embedding",
        "A few seconds a moment" if method == "t-SNE" else "About a second a moment",
        at_once=method == "PCA" and not over and ref.whole == network.last,
    )
    if found is None:
        return
    digit = state.digit()
    places = [
        layout.place(ask.trace(each, digit).trace[layer].output.astype(np.float32))
        for each, layout in zip(refs, found.layouts, strict=True)
    ]
    with st.container(key="embedding"):
        digit_map(
            found,
            network.tested_on.load().x_test[found.images],
            [each.step for each in refs],
            network.tested_on.class_names,
            (digit.pixels, places, f"Under the lens: {origin(digit)}"),
            noun=network.tested_on.noun,
            key="digit-map",
            on_pick=lambda: take_digit("digit-map"),
        )
        share = found.layouts[-1].explained or 0.0
        st.caption(
            f"{_ABOUT[method].format(share=share)} Ringed: called wrongly at that moment. The "
            "filled dot is under the lens. Point at one to see it, click it to open it in Layers."
            + (" Each moment fills the map by itself." if over else "")
        )


def _telling(layers: list[str]) -> str:
    """The last layer before the answer."""
    return layers[-2] if len(layers) > 2 else layers[-1]


def _moments(ref: NetworkRef) -> tuple[NetworkRef, ...]:
    """At most 8 of the film, evenly taken, the first and the last among them."""
    steps = open_network(ref.id).film.steps
    some = np.linspace(0, len(steps) - 1, min(_MOST_MOMENTS, len(steps))).round().astype(int)
    return tuple(NetworkRef(ref.id, steps[k], ref.lesion) for k in dict.fromkeys(some.tolist()))
