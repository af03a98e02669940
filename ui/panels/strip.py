"""What every layer made of the digit, side by side."""

from html import escape

import streamlit as st

from cnn_core.probe.trace import LayerTrace, Trace
from cnn_core.views.atlas import Picture, digit_picture, feature_map_atlas, vector_picture
from ui.panels import html

_SIDE = 192  # screen pixels that the largest pictures may take


def layer_strip(trace: Trace) -> None:
    """One picture a layer, from the image to the answer; each layer on a scale of its own."""
    cards = "".join(_card(layer) for layer in trace)
    with st.container(key="layer-strip"):
        st.html(f'<div class="cs-strip" role="list">{cards}</div>')


def _card(layer: LayerTrace) -> str:
    image = _picture(layer)
    size = html.shape(layer.spec.output_shape)
    return (
        f'<div role="listitem"><span class="cs-name">{escape(layer.name)}</span>'
        f'<span class="cs-shape">{size}</span>'
        f"{html.picture(image, f'{layer.name}, {layer.kind}, {size}', _SIDE)}"
        f'<span class="cs-scale">{_scale(image)}</span></div>'
    )


def _picture(layer: LayerTrace) -> Picture:
    if layer.kind == "InputLayer" and layer.output.shape[-1] == 1:
        return digit_picture(layer.output[..., 0])
    if layer.output.ndim == 3:
        return feature_map_atlas(layer.output)
    return vector_picture(layer.output.reshape(-1))


def _scale(image: Picture) -> str:
    """The ends of the picture's scale with its colours between, as a legend."""
    if image.limit == 0:
        return "all 0"
    least = -image.limit if image.scale == "signed" else 0
    return f"{html.number(least)}{html.ramp(image.scale)}{html.number(image.limit)}"
