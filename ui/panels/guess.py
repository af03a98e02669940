"""A game: guess a test image, then see what the network said and what it is."""

import random

import streamlit as st

from cnn_core.data.digit import image_of
from cnn_core.data.images import TEST_IMAGES
from cnn_core.networks.zoo import open_network
from cnn_core.views.atlas import digit_picture
from ui import ask, state
from ui.panels import html
from ui.panels.digit import with_article
from ui.panels.evaluation import look_at


def guess() -> None:
    """A random test image: guess, then see what the network said and what it is."""
    ref = state.network()
    network = open_network(ref.id)
    names = network.card.class_names
    game = st.session_state.setdefault("guess", _new_round({"rounds": 0, "you": 0, "network": 0}))
    digit = image_of(network.tested_on, game["digit"])
    answer = ask.trace(ref, digit).trace
    said = int(answer.output.argmax())
    left, right = st.columns([1, 2])
    with left:
        st.html(
            html.picture(digit_picture(digit.pixels), f"The {network.tested_on.noun} to guess", 224)
        )
    with right, st.container(key="guess"):
        if game["guess"] is None:
            st.markdown("What is it? Guess first; then see what the network said.")
            with st.container(horizontal=True, gap="small"):
                for k, name in enumerate(names):
                    st.button(
                        name,
                        key=f"guess-{k}",
                        on_click=lambda k=k: _reveal(k, said, digit.label),
                    )
        else:
            right_you, right_network = game["guess"] == digit.label, said == digit.label
            st.markdown(
                f"It is **{with_article(names[digit.label or 0])}**. You said "
                f"{names[game['guess']]}: {'right' if right_you else 'wrong'}. "
                f"The network said {names[said]} with "
                f"{html.share_text(float(answer.output[said]))}: "
                f"{'right' if right_network else 'wrong'}."
            )
            with st.container(horizontal=True, gap="small"):
                st.button(
                    f"Next {network.tested_on.noun}",
                    key="guess-next",
                    type="primary",
                    on_click=_next_round,
                )
                st.button(
                    "Look at it in Layers",
                    key="guess-look",
                    on_click=lambda: look_at(game["digit"]),
                )
        st.caption(
            f"So far: you {game['you']}, the network {game['network']}, of {game['rounds']}."
        )


def _new_round(score: dict[str, int]) -> dict[str, int | None]:
    return {**score, "digit": random.randrange(TEST_IMAGES), "guess": None}


def _reveal(guessed: int, said: int, label: int | None) -> None:
    game = st.session_state["guess"]
    if game["guess"] is None:
        game["guess"] = guessed
        game["rounds"] += 1
        game["you"] += guessed == label
        game["network"] += said == label


def _next_round() -> None:
    game = st.session_state["guess"]
    st.session_state["guess"] = _new_round({k: game[k] for k in ("rounds", "you", "network")})
