"""The lessons: where one is, a card's words and code, and what stands around them."""

from html import escape

import streamlit as st

from cnn_core.course.lesson import Card, Lesson, load_course
from cnn_core.course.question import Question
from cnn_core.course.seen import Seen, facts
from cnn_core.course.text import filled, load_glossary, load_words, with_terms
from cnn_core.errors import ConvScopeError, DataError
from cnn_core.networks.zoo import open_network
from ui import address, state
from ui.card_steps import card_steps
from ui.panels.digit import other_digits
from ui.panels.lesson_arrival import come_to
from ui.panels.lesson_progress import finished, is_done, mark
from ui.panels.lesson_question import answer, asked, chosen

_STEPS = "lesson-steps"


def places() -> list[tuple[int, int]]:
    """The overview, and every card, in the order that they are turned."""
    return [
        (0, 0),
        *((one.number, k + 1) for one in load_course() for k in range(len(one.cards))),
    ]


def present_card() -> Card | None:
    """The open card; None on the overview."""
    lesson, card = state.place()
    return load_course()[lesson - 1].cards[card - 1] if lesson else None


def open_card() -> None:
    """Let the open card say what is looked at, once; the sidebar, drawn already, follows."""
    if state.entered():
        return
    before = address.link(address.LESSONS_PAGE)
    _enter()
    if address.link(address.LESSONS_PAGE) != before:
        st.rerun()


def _enter() -> None:
    state.enter()
    card = present_card()
    if card is None:
        return
    try:
        state.notify("")
        come_to(card.view)
    except ConvScopeError as error:
        state.notify(str(error))


def lesson_bar(question: Question | None = None) -> None:
    """Which lesson, which card, and the way to the others."""
    words = load_words()["page"]
    number, _ = state.place()
    course = load_course()
    all_places = places()
    waiting = len(question.choices) if question is not None and chosen() is None else 0
    choice = f"lesson-choice-{number}"
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="lesson-bar"):
        st.selectbox(
            words["lesson"],
            range(len(course) + 1),
            index=number,
            key=choice,
            format_func=_name,
            label_visibility="collapsed",
            width=300,
            on_change=lambda: _go(st.session_state[choice], 1),
        )
        with st.container(width="stretch"):
            lesson = course[number - 1] if number else None
            card_steps(
                all_places.index(state.place()),
                len(all_places),
                all_places.index((number, 1)) if lesson else 0,
                [
                    (card.title, is_done(number, k + 1)) for k, card in enumerate(lesson.cards)
                ] if lesson else [],
                waiting,
                {name: words[name] for name in ("back", "next", "card", "done")},
                key=_STEPS,
                on_go=_take_place,
                on_answer=_take_answer,
            )  # fmt: skip


def _name(number: int) -> str:
    if number == 0:
        return load_words()["page"]["overview"]
    lesson = load_course()[number - 1]
    return f"{number}\N{EN SPACE}{lesson.title}" + (" ✓" if finished(lesson) else "")


def _take_place() -> None:
    """A place that the browser sent. It may be anything."""
    sent = st.session_state[_STEPS].get("go")
    found = places()
    if type(sent) is int and 0 <= sent < len(found):
        _go(*found[sent])


def _take_answer() -> None:
    sent = st.session_state[_STEPS].get("answer")
    card = present_card()
    if card is not None and type(sent) is int:
        answer(card, sent)


def _go(lesson: int, card: int) -> None:
    try:
        state.choose_place(lesson, card if lesson else 0)
        _enter()
    except DataError as error:
        state.notify(str(error))


def lesson_text(lesson: Lesson, card: Card, seen: Seen, question: Question | None) -> None:
    """A card's words, with what they need: a question its choices, a summary its list."""
    with st.container(key="lesson-text"):
        number, place = state.place()
        words = load_words()["page"]
        where = words["where"].format(lesson=number, card=place, count=len(lesson.cards))
        st.html(
            f'<h2 class="cs-card-title"><small>{escape(where)}</small>{escape(card.title)}</h2>'
        )
        values = facts(seen, state.layer(), state.unit())
        if question is not None:
            values = {**values, **question.values}
        st.markdown(_marked(filled(card.text, values)), unsafe_allow_html=True)
        if question is not None:
            asked(card, question, seen)
        elif card.kind != "question":
            mark(number, place)
        if place == 1:
            st.caption(words["will_explain"])
            st.html(_lines(lesson.explain, "cs-known cs-quiet"))
        if card.kind == "summary":
            st.markdown(f"**{words['explain']}**")
            st.html(_lines(lesson.explain, "cs-known"))


def _lines(lines: tuple[str, ...], look: str) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="{look}">{items}</ul>'


def _marked(text: str) -> str:
    """Terms as they can be pointed at, touched, and reached by Tab."""
    glossary = load_glossary()
    return with_terms(
        text,
        lambda shown, term: (
            f'<span class="cs-term" tabindex="0">{escape(shown)}'
            f'<span class="cs-tip" role="tooltip">{escape(glossary[term])}</span></span>'
        ),
    )


def lesson_code(card: Card) -> None:
    """The card's code, exactly as the tests run it."""
    if card.code:
        with st.container(key="lesson-code"):
            st.html(f'<p class="cs-title">{escape(load_words()["page"]["code"])}</p>')
            for code in card.code:
                st.code(code.text.rstrip("\n"), language="python")


def around(card: Card) -> None:
    """Below a card: its page, other digits, the network that one came with."""
    words = load_words()["page"]
    view = card.view
    with st.container(key="lesson-around"):
        if view.page:
            st.page_link(
                f"../pages/{view.page}.py",
                label=f"{words['open_page']} {view.page.capitalize()}",
                icon=":material/arrow_outward:",
            )
        own = st.session_state.get("lesson-own-network")
        present = state.network()
        if own is not None and view.network == present.id != own.id:
            title = open_network(present.id).card.title
            st.caption(words["looks_through"].format(network=title))
            st.button(
                words["own_network"].format(network=open_network(own.id).card.title),
                key="lesson-own",
                on_click=lambda: _back_to(own.id, own.step),
            )
        with st.expander(words["other_digit"], key="lesson-digits"):
            other_digits()


def _back_to(id: str, step: int) -> None:
    try:
        state.choose_network(id)
        state.choose_step(step)
    except ConvScopeError as error:
        state.notify(str(error))


def not_here(card: Card, error: ConvScopeError) -> None:
    """Why there is nothing to show; and if that is for the network, the way to the card's own."""
    words = load_words()["page"]
    wanted = open_network(card.view.network or "classic")
    with st.container(key="lesson-not-here"):
        if state.network().id == wanted.id:
            st.markdown(str(error))
            return
        st.markdown(words["not_here"].format(reason=str(error), network=wanted.card.title))
        st.button(
            words["take_network"].format(network=wanted.card.title),
            key="lesson-take-network",
            on_click=_enter,
        )
