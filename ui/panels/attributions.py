"""Why this answer: six methods side by side, and each put to the test."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.data.digit import Digit
from cnn_core.data.fitting import fitted
from cnn_core.errors import ConvScopeError
from cnn_core.insight.results import METHODS, Attribution, Deletion
from cnn_core.lab.requests import AttributionRequest, DeletionRequest
from cnn_core.networks.kernels import convolutions
from cnn_core.networks.lesion import lesion_text
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.notebooks.cells import Cell
from cnn_core.notebooks.explain import explain_cells
from cnn_core.probe.trace import Trace
from cnn_core.views.atlas import ink_outline, map_picture
from cnn_core.views.charts import chart_of
from cnn_core.views.prints import Print, Tile
from ui import ask, state
from ui.live_curves import live_curves
from ui.panels import html
from ui.panels.prints import print_buttons

_SIDE = 168  # of a picture: six stand in a row


@dataclass(frozen=True)
class Words:
    """A method for people: its name, what it measures, where it misleads, its paper."""

    title: str
    measures: str
    misleads: str
    paper: str


WORDS = {
    "gradient": Words(
        "Gradient saliency",
        "How much the logit rises if a pixel grows a very little.",
        "It says nothing about larger changes, and it is noisy where the network bends often.",
        "Simonyan, Vedaldi and Zisserman, arXiv 1312.6034; they show its magnitude",
    ),
    "smoothgrad": Words(
        "SmoothGrad",
        "The gradient, on average over 50 copies of the digit with noise on them.",
        "It looks cleaner, but it is about noisy digits, which the network has never seen.",
        "Smilkov and others, arXiv 1706.03825",
    ),
    "integrated": Words(
        "Integrated gradients",
        "The gradient, summed up on the way from a black image to the digit, times each pixel.",
        "It depends on the black image it starts from: what is black can have no part in it.",
        "Sundararajan, Taly and Yan, arXiv 1703.01365",
    ),
    "gradcam": Words(
        "Grad-CAM",
        "The maps of one convolution, weighted by how much the logit gains from each on average.",
        "It is as coarse as those maps, and keeps only what speaks for the class.",
        "Selvaraju and others, arXiv 1610.02391",
    ),
    "gradcam++": Words(
        "Grad-CAM++",
        "The same maps, weighted by their positive gradients, strong cells counting more.",
        "It is coarse like Grad-CAM, and its weights rest on a score that grows exponentially.",
        "Chattopadhay and others, arXiv 1710.11063",
    ),
    "occlusion": Words(
        "Occlusion",
        "How much the logit falls when a small patch around the pixel is blackened.",
        "A black patch is something new to the network, and two strokes may stand in for "
        "each other.",
        "Zeiler and Fergus, arXiv 1311.2901",
    ),
}


def target_class(trace: Trace) -> int:
    """The class to explain: the network's answer until another is chosen."""
    names = open_network(state.network().id).card.class_names
    answer = int(trace.output.argmax())
    chosen = st.selectbox(
        "Explain class",
        [-1, *range(len(names))],
        key="explain-class",
        persist_state="session",
        width=220,
        format_func=lambda k: (
            f"the answer, {names[answer]}"
            if k < 0
            else f"{names[k]} ({html.percent(float(trace.output[k]))})".replace(
                "&lt;", "<"
            ).replace("&gt;", ">")
        ),
    )
    return answer if chosen is None or chosen < 0 else int(chosen)


def cam_layer() -> str | None:
    """The convolution for Grad-CAM; the last until another is chosen, None if there is none."""
    names = [spec.name for spec in convolutions(open_network(state.network().id).graph)]
    if not names:
        st.caption("This network has no convolution, and so no Grad-CAM.")
        return None
    held = st.session_state.get("explain-layer")
    st.session_state["explain-layer"] = held if held in names else names[-1]
    return st.segmented_control(
        "Layer of Grad-CAM", names, key="explain-layer", required=True, persist_state="session"
    )


def attributions(
    ref: NetworkRef, digit: Digit, target: int, layer: str | None
) -> dict[str, Attribution]:
    """All methods on the digit. Raises `ConvScopeError`."""
    pixels = open_network(ref.id).card.fit(digit.pixels)
    request = AttributionRequest(ref, pixels, target, layer)
    found: dict[str, Attribution] = ask.look(request, (ref, digit, target, layer))
    return {method: found[method] for method in METHODS if method in found}


def _marked(values: NDArray, digit: Digit, alt: str) -> str:
    """What is for and against, by its greatest value, under the outline of the digit, both at the
    size that the network reads."""
    share = values / (float(np.abs(values).max()) or 1.0)
    height, width = values.shape
    ink = fitted(digit.pixels[None], height, width)[0]
    return (
        f'<span class="cs-marked">{html.picture(map_picture(share, 1.0, signed=True), alt, _SIDE)}'
        f"{html.outline(ink_outline(ink), width, height)}</span>"
    )


def side_by_side(found: dict[str, Attribution], digit: Digit) -> str:
    """The methods' pictures on one signed scale; answers the method that is looked at."""
    tiles, cards = [], []
    for method, attribution in found.items():
        greatest = float(np.abs(attribution.values).max())
        title = WORDS[method].title
        cards.append(
            f'<figure data-method="{method}">'
            f"{_marked(attribution.values, digit, f'{title} of the digit')}"
            f"<figcaption><strong>{title}</strong><br>up to {html.number(greatest)}</figcaption>"
            "</figure>"
        )
        tiles.append(Tile(attribution.values / (greatest or 1.0), title))
    with st.container(key="attributions"):
        st.html(
            f'<div class="cs-methods">{"".join(cards)}</div>'
            f'<p class="cs-scale">against the class{html.ramp("signed")}for it</p>'
            '<p class="cs-note">Each picture by its own greatest value, which stands below it. The '
            "line is the outline of the ink.</p>"
        )
        print_buttons(
            lambda: Print("Why this answer", tiles, 3, "signed", 1.0), "attributions", "methods"
        )
    return (
        st.segmented_control(
            "Look closer at",
            list(found),
            default="integrated",
            required=True,
            key="explain-method",
            persist_state="session",
            format_func=lambda method: WORDS[method].title,
        )
        or "integrated"
    )


def one_method(
    ref: NetworkRef, digit: Digit, target: int, layer: str | None, attribution: Attribution
) -> None:
    """What a method measures, where it misleads, and how it stands two tests."""
    words = WORDS[attribution.method]
    with st.container(key=f"attribution-{attribution.method}"):
        st.markdown(f"**{words.title}.** {words.measures} {words.misleads} ({words.paper}.)")
        if attribution.method == "integrated":
            total, due = (
                float(attribution.values.sum()),
                attribution.logit - attribution.baseline_logit,
            )
            st.markdown(
                f"Complete: its pixels add up to **{total:.4f}**; the logit of the digit less that "
                f"of a black image is {attribution.logit:.4f} − "
                f"{_term(attribution.baseline_logit)} = **{due:.4f}**."
            )
        with st.container(horizontal=True, gap="medium", key="explain-view"):
            with st.container():
                _deletion(ref, digit, target, attribution)
            with st.container():
                _untrained(ref, digit, target, layer, attribution)


def _term(value: float) -> str:
    """A number to be taken off: in brackets if it is below 0."""
    return f"{value:.4f}" if value >= 0 else f"(\N{MINUS SIGN}{-value:.4f})"


def _deleted(ref: NetworkRef, digit: Digit, target: int, attribution: Attribution) -> Deletion:
    pixels = open_network(ref.id).card.fit(digit.pixels)
    request = DeletionRequest(ref, pixels, attribution.values, target)
    key = (ref, digit, target, attribution.method, attribution.values.tobytes())
    found: Deletion = ask.look(request, key)
    return found


def _deletion(ref: NetworkRef, digit: Digit, target: int, attribution: Attribution) -> None:
    found = _deleted(ref, digit, target, attribution)
    name = open_network(ref.id).card.class_names[target]
    live_curves(
        [
            chart_of(
                f"Probability of {name} while its ink is taken away",
                {
                    "the most marked pixels first": (found.removed, found.probability),
                    "in random order": (found.removed, found.at_random.mean(axis=0)),
                },
                percent=True,
                across="pixels",
            )
        ],
        key=f"deletion-{attribution.method}",
    )
    better = found.random_area - found.area
    verdict = (
        "faster than at random: the method marks what matters"
        if better > 0.02
        else "no faster than at random: on this digit the method does not find what matters most"
        if better > -0.02
        else "slower than at random: on this digit the method's marks mislead"
    )
    st.caption(
        f"It falls {verdict}. Mean height {found.area:.2f} against {found.random_area:.2f} at "
        "random, on average over ten orders."
    )


def _untrained(
    ref: NetworkRef, digit: Digit, target: int, layer: str | None, attribution: Attribution
) -> None:
    steps = open_network(ref.id).film.steps
    if len(steps) == 1:
        st.html('<p class="cs-label">The same method before any training</p>')
        st.caption("This network came without its training: nobody knows how it began.")
        return
    start = NetworkRef(ref.id, steps[0])
    found = attributions(start, digit, target, layer)[attribution.method]
    pictures = []
    for one, name in (
        (attribution, f"step {ref.step:,}"),
        (found, f"step {start.step}, untrained"),
    ):
        pictures.append(
            f"<figure>{_marked(one.values, digit, name)}<figcaption>{name}</figcaption></figure>"
        )
    st.html(
        '<p class="cs-label">The same method before any training</p>'
        f'<div class="cs-methods">{"".join(pictures)}</div>'
    )
    alike = rank_correlation(attribution.values, found.values)
    st.caption(
        f"Rank correlation {html.number(alike)}. The more alike they are, the less the picture is "
        "about what was learned (Adebayo and others, arXiv 1810.03292)."
    )


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's, of two pictures; 0 if one of them is constant."""
    ranks = [_ranks(values.reshape(-1)) for values in (a, b)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    """Positions in rising order; equal values share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return ((last - count + last - 1) / 2)[place]


@dataclass(frozen=True, eq=False)
class Explained:
    """What stands on the page: every method's picture, of which class, and the method looked at."""

    found: dict[str, Attribution]
    target: int
    layer: str | None
    method: str


def explained(ref: NetworkRef, digit: Digit, trace: Trace) -> Explained | None:
    """The whole of it; what cannot be explained is said in one sentence, and gives None."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        target = target_class(trace)
        layer = cam_layer()
    try:
        found = attributions(ref, digit, target, layer)
        method = side_by_side(found, digit)
        if method in found:
            one_method(ref, digit, target, layer, found[method])
        else:
            st.caption("Grad-CAM needs a convolution.")
        return Explained(found, target, layer, method)
    except ConvScopeError as error:
        st.info(f"{error}{f' ({lesion_text(ref.lesion)} off)' if ref.lesion else ''}")
        return None


def explain_notebook(ref: NetworkRef, digit: Digit, shown: Explained) -> Callable[[], list[Cell]]:
    """What makes the page's notebook."""

    def make() -> list[Cell]:
        deletion = None
        try:
            if shown.method in shown.found:
                deletion = _deleted(ref, digit, shown.target, shown.found[shown.method])
        except ConvScopeError:
            pass  # the lab is gone meanwhile: the notebook goes without this test
        return explain_cells(
            ref, digit, shown.found, shown.target, shown.layer, shown.method, deletion
        )

    return make
