"""How little it takes to change the answer: against the network, by chance, and by hand."""

import numpy as np
import streamlit as st

from cnn_core.data.digit import Digit
from cnn_core.data.fitting import fitted
from cnn_core.data.images import SIDE
from cnn_core.data.variations import VARIATIONS
from cnn_core.errors import ConvScopeError
from cnn_core.insight.results import Fooling
from cnn_core.lab.requests import AnswersRequest, FoolRequest
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.probe.trace import Trace
from cnn_core.views.atlas import digit_picture, map_picture
from cnn_core.views.charts import chart_of
from ui import ask, state
from ui.live_curves import live_curves
from ui.painter import painted, painter
from ui.panels import html
from ui.panels.prediction import prediction, probabilities

_LEADING = 3  # classes that a chart shows


def fool_it(ref: NetworkRef, digit: Digit) -> None:
    """The fast gradient sign method, from no step to half of the range."""
    card = open_network(ref.id).card
    st.header("Fool it", anchor=False)
    try:
        found: Fooling = ask.look(FoolRequest(ref, card.fit(digit.pixels)), (ref, digit))
    except ConvScopeError as error:
        st.info(str(error))
        return
    smallest = found.smallest
    name = card.class_names[int(found.probabilities[0].argmax())]
    if smallest is None:
        st.markdown(
            f"No step of up to {len(found.steps) - 1} of 255 grey levels along the sign of the "
            f"gradient changes the answer {name}."
        )
    else:
        other = card.class_names[int(found.probabilities[smallest].argmax())]
        st.markdown(
            f"Moving every pixel by **{smallest} of 255** grey levels, each in the direction that "
            f"hurts most, makes of this {name} a **{other}**. (Goodfellow, Shlens and Szegedy, "
            "arXiv 1412.6572)"
        )
    if st.session_state.get("fool-of") != (ref, digit):
        st.session_state["fool-of"] = ref, digit
        st.session_state["fool-levels"] = smallest or 0
    step = st.slider(
        "Grey levels", 0, len(found.steps) - 1, key="fool-levels", persist_state="session"
    )
    step = step if isinstance(step, int) and 0 <= step < len(found.steps) else 0
    height, width, channels = card.input_shape
    before = np.rint(fitted(digit.pixels[None], height, width)[0] * 255)[..., None]  # (H, W, 1)
    after = np.clip(before + step * found.direction, 0, 255)  # (H, W, C)
    difference = (after - before).mean(axis=-1) / 255
    mean = ", mean of its channels" if channels > 1 else ""
    cards = [
        (digit_picture(after.mean(axis=-1) / 255), f"the changed digit{mean}"),
        (map_picture(10 * difference, 1.0, signed=True), "the difference, ten times"),
    ]
    with st.container(horizontal=True, gap="medium", key="fool-view"):
        with st.container():
            pictures = "".join(
                f"<figure>{html.picture(picture, words, 196)}"
                f"<figcaption>{words}</figcaption></figure>"
                for picture, words in cards
            )
            st.html(f'<div class="cs-methods">{pictures}</div>')
            if after.shape == (SIDE, SIDE, 1):  # what can stand under the lens
                st.button(
                    "Put it under the lens",
                    key="fool-use",
                    help="Look at the changed digit on every page",
                    on_click=lambda: state.choose_digit(
                        Digit.of_bytes(after[..., 0].astype(np.uint8), "made")
                    ),
                )
        with st.container(key="fool-answer"):
            _curves(
                "Probability by grey levels", "levels", 255 * found.steps, found.probabilities,
                card.class_names, float(step), "fool-curve",
            )  # fmt: skip
            shares = found.probabilities[step]
            st.caption(_said(shares, card.class_names))


def _said(shares: np.ndarray, names: tuple[str, ...]) -> str:
    best = np.argsort(-shares)[:_LEADING]
    return "Here: " + ", ".join(f"{names[k]} {html.share_text(float(shares[k]))}" for k in best)


def _curves(
    title: str,
    across: str,
    at: np.ndarray,
    shares: np.ndarray,
    names: tuple[str, ...],
    here: float,
    key: str,
) -> None:
    """The classes that matter anywhere on the way, read out at one place. The answer without any
    change comes first: so it has the same colour in all charts."""
    unchanged = int(shares[np.abs(at).argmin()].argmax())
    leading = np.argsort(-shares.max(axis=0))[:_LEADING].tolist()
    others = sorted(set(leading) - {unchanged})
    lines = {names[k]: (at, shares[:, k]) for k in (unchanged, *others)}
    live_curves([chart_of(title, lines, percent=True, across=across, at=here)], key=key)


def vary_it(ref: NetworkRef, digit: Digit) -> None:
    """Noise, shift, rotation and thickness, with the probability as a curve."""
    card = open_network(ref.id).card
    st.header("Change it a little", anchor=False)
    variations = st.container(key="variations")
    for name in ("noise", "shift", "turn", "thickness"):
        variation = VARIATIONS[name]
        with variations, st.container(key=f"vary-{name}"):
            images = variation.all_of(digit.pixels)
            try:
                fitted = np.stack([card.fit(image) for image in images])
                shares = ask.look(AnswersRequest(ref, fitted), (ref, digit, name))
            except ConvScopeError as error:
                st.info(str(error))
                return
            at = st.select_slider(
                f"{variation.title}, {variation.unit}",
                variation.amounts,
                variation.none,
                key=f"vary-amount-{name}",
                persist_state="session",
            )
            k = variation.amounts.index(at) if at in variation.amounts else 0
            st.html(html.picture(digit_picture(images[k]), f"{variation.title} {at:g}", 140))
            st.caption(_said(shares[k], card.class_names))
            _curves(
                "Probability", variation.unit, np.array(variation.amounts), shares,
                card.class_names, variation.amounts[k], f"vary-curve-{name}",
            )  # fmt: skip


def paint_it(digit: Digit, trace: Trace) -> None:
    """Erase or add pixels, and see the answer change."""
    names = open_network(state.network().id).card.class_names
    st.header("Paint it yourself", anchor=False)
    with st.container(horizontal=True, gap="medium", key="paint-view"):
        with st.container(width=352):
            painter(digit.bytes, key="painter", on_paint=_take_painting)
        with st.container(width="stretch"):
            prediction(trace, names)
            probabilities(trace, names)


def _take_painting() -> None:
    """What the browser painted; it may be anything."""
    try:
        image = painted(st.session_state["painter"].get("image"))
        state.choose_digit(Digit.of_bytes(image, "made"))
    except ConvScopeError as error:
        state.notify(str(error))
