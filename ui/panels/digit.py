"""The digit under the lens: its picture, and other digits to choose."""

import random

import streamlit as st

from cnn_core.data.datasets import MNIST, Dataset
from cnn_core.data.digit import Digit, image_of
from cnn_core.data.fitting import fitted
from cnn_core.data.images import TEST_IMAGES
from cnn_core.data.ink import MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS, picture_to_digit
from cnn_core.errors import ConvScopeError
from cnn_core.networks.zoo import open_network
from cnn_core.views.atlas import digit_picture
from ui import state
from ui.panels import html


def origin(digit: Digit) -> str:
    """Where the digit came from, for people."""
    dataset = digit.dataset
    if dataset is not None:
        number, name = digit.source.partition("-")[2], dataset.class_names[digit.label or 0]
        return f"{dataset.title} test {dataset.noun} {number}, {with_article(name)}"
    names = {"drawn": "Your drawing", "uploaded": "Your picture", "made": "Made here"}
    return names[digit.source]


def with_article(name: str) -> str:
    """``a 3``, ``an 8``, ``an ankle boot``."""
    name = name[:1].lower() + name[1:] if name[1:2].islower() else name
    return f"{'an' if name[:1] in 'aeio8' else 'a'} {name}"


def digit_seen(digit: Digit) -> None:
    """The image that the network really gets, at the size it reads, with its origin as its
    caption."""
    height, width, channels = open_network(state.network().id).card.input_shape
    seen = fitted(digit.pixels[None], height, width)[0]
    size = f", as {html.shape((height, width, channels))}"
    with st.container(key="digit-seen"):
        st.html(
            f'<figure class="cs-figure" data-digit="{digit.token}">'
            f"{html.picture(digit_picture(seen), '', 224)}"
            f"<figcaption>{origin(digit)}{size if seen.shape != digit.pixels.shape else ''}"
            "</figcaption></figure>"
        )


def other_digits() -> None:
    """Choose a test image at random or by number, or upload a picture of a digit."""
    noun = _offered().noun
    with st.container(horizontal=True, gap="small", key="other-digits"):
        st.button(
            f"Random test {noun}",
            key="random-digit",
            icon=":material/casino:",
            on_click=lambda: _choose(random.randrange(TEST_IMAGES)),
        )
        with st.popover("Upload", icon=":material/upload:"):
            st.file_uploader(
                "A picture of one handwritten digit, on light or dark paper",
                type=["png", "jpg", "jpeg", "webp"],
                key="upload",
                on_change=_take_upload,
                max_upload_size=MAX_PICTURE_BYTES // 1_000_000,
                help=f"PNG, JPEG or WebP, up to {MAX_PICTURE_BYTES // 1_000_000} MB and "
                f"{MAX_PICTURE_PIXELS // 1_000_000} million pixels. It stays on this machine.",
            )
        st.number_input(
            f"Test {noun} number",
            min_value=0,
            max_value=TEST_IMAGES - 1,
            value=None,
            step=1,
            placeholder=f"Test {noun} number, 0 – {TEST_IMAGES - 1:,}",
            key="digit-number",
            on_change=_take_number,
            label_visibility="collapsed",
        )


def _offered() -> Dataset:
    """Whose test images can be taken: the network's own, digits where it has none here."""
    return open_network(state.network().id).dataset or MNIST


def _choose(number: int) -> None:
    # Emptied, or the number just entered could not be entered again after another digit.
    st.session_state["digit-number"] = None
    try:
        state.choose_digit(image_of(_offered(), number))
    except ConvScopeError as error:
        state.notify(str(error))


def _take_number() -> None:
    number = st.session_state["digit-number"]
    if number is not None:
        _choose(int(number))


def _take_upload() -> None:
    file = st.session_state["upload"]
    if file is None:
        return  # taken away again: the digit stays
    try:
        state.choose_digit(picture_to_digit(file.getvalue()))
    except ConvScopeError as error:
        state.notify(str(error))
