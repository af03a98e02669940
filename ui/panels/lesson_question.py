"""A question: predict first, then see, with the reason and the live numbers."""

import random

import streamlit as st

from cnn_core.course.lesson import Ask, Card
from cnn_core.course.question import Question
from cnn_core.course.questions import choice_text, posed, reason
from cnn_core.course.seen import Seen
from cnn_core.course.text import load_words
from cnn_core.data.datasets import MNIST
from cnn_core.data.digit import image_of
from cnn_core.data.images import TEST_IMAGES
from cnn_core.errors import ConvScopeError
from cnn_core.networks.zoo import open_network
from ui import ask as lab
from ui import state
from ui.panels.lesson_progress import mark


def _round() -> tuple[object, ...]:
    """What an answer belongs to: the card, the digit, the network. Another of these, another
    question."""
    ref = state.network()
    return (*state.place(), state.digit().token, ref.id, ref.step, ref.lesion)


def chosen() -> int | None:
    """The choice made in this round; None before."""
    round_of, choice = st.session_state.get("answered", (None, None))
    return choice if round_of == _round() else None


def question_here(card: Card, seen: Seen) -> tuple[Question | None, ConvScopeError | None]:
    """The card's question on the present picture, None if it asks nothing; or why there is none,
    with this network or digit."""
    if card.question is None:
        return None, None
    try:
        return posed(card.question, seen), None
    except ConvScopeError as error:
        return None, error


def asked(card: Card, question: Question, seen: Seen) -> None:
    """The choices; after one is made, whether it is right, and why."""
    words, choice = load_words()["page"], chosen()
    with st.container(key="lesson-choices", gap="xsmall"):
        for k, text in enumerate(question.choices):
            label = f"`{k + 1}`\N{EN SPACE}{choice_text(text)}"
            if choice is not None and k == question.right:
                label += "\N{EN SPACE}:material/check:"
            elif choice == k:
                label += "\N{EN SPACE}:material/close:"
            st.button(
                label,
                key=f"answer-{k}",
                width="stretch",
                disabled=choice is not None,
                on_click=lambda k=k: answer(card, k),
            )
    with st.container(key="lesson-reason"):
        if choice is None or card.question is None:
            st.caption(words["predict"])
            return
        right = choice == question.right
        said = reason(card.question, question, choice)
        st.markdown(f"**{words['right' if right else 'wrong']}** {said}")
        st.button(
            words["again"],
            key="answer-again",
            icon=":material/casino:",
            on_click=_another,
        )


def answer(card: Card, choice: object) -> None:
    """Take a choice, from a button or from the browser: it may be anything."""
    if card.question is None or chosen() is not None:
        return
    try:
        seen = present()
        question = posed(card.question, seen)
        if type(choice) is not int or not 0 <= choice < len(question.choices):
            return
        st.session_state["answered"] = (_round(), choice)
        if choice == question.right:
            mark(*state.place())
        if question.shows is not None:
            layer, unit = question.shows
            state.choose_unit(unit, layer)
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def present() -> Seen:
    """What is being looked at."""
    return Seen(state.digit(), state.network(), lab.trace(state.network(), state.digit()).trace)


def _another() -> None:
    try:
        dataset = open_network(state.network().id).dataset or MNIST
        state.choose_digit(image_of(dataset, random.randrange(TEST_IMAGES)))
    except ConvScopeError as error:
        state.notify(str(error))


def panel_after(card: Card) -> str:
    """The panel that shows why, once an answer is there; empty for the card's own."""
    ask: Ask | None = card.question
    return ask.reveal if ask is not None and chosen() is not None else ""
