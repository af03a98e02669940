"""What somebody has done of the course, and what they can now explain."""

import streamlit as st

from cnn_core.course.lesson import Lesson, load_course
from cnn_core.course.text import load_words
from ui import state
from ui.panels import html
from ui.progress import keep_progress, kept_places

_KEY = "progress-keeper"


def done() -> set[str]:
    """The places that are done: a card that was seen, a question that was answered rightly."""
    found: set[str] = st.session_state.setdefault("progress", set())
    return found


def mark(lesson: int, card: int) -> None:
    """This card is done."""
    done().add(f"{lesson}.{card}")


def is_done(lesson: int, card: int) -> bool:
    return f"{lesson}.{card}" in done()


def done_of(lesson: Lesson) -> int:
    """How many of its cards are done."""
    return sum(is_done(lesson.number, k + 1) for k in range(len(lesson.cards)))


def finished(lesson: Lesson) -> bool:
    return done_of(lesson) == len(lesson.cards)


def remembered(button: bool) -> None:
    """Have the browser keep what is done; with the button that forgets it."""
    with st.container(key="lesson-progress"):
        keep_progress(
            done(),
            load_words()["page"]["forget"] if button else "",
            key=_KEY,
            on_kept=_take,
            on_forgotten=lambda: done().clear(),
        )


def _take() -> None:
    there_are = [
        f"{lesson.number}.{k + 1}" for lesson in load_course() for k in range(len(lesson.cards))
    ]
    done().update(kept_places(st.session_state[_KEY].get("kept"), there_are))


def explained() -> None:
    """What one can now explain: of each lesson that is done."""
    words = load_words()["page"]
    known = [line for lesson in load_course() if finished(lesson) for line in lesson.explain]
    with st.container(key="lesson-explained"):
        st.header(words["explain"], anchor=False)
        if known:
            items = "".join(f"<li>{html.safe(line)}</li>" for line in known)
            st.html(f'<ul class="cs-known">{items}</ul>')
        else:
            st.caption(words["nothing_yet"])


def next_place() -> tuple[int, int]:
    """The first card that is not done; the first of all if none is left."""
    for lesson in load_course():
        for k in range(len(lesson.cards)):
            if not is_done(lesson.number, k + 1):
                return lesson.number, k + 1
    return 1, 1


def overview() -> None:
    """Every lesson with how far one is, and the list of what one can explain."""
    words = load_words()["page"]
    left, right = st.columns([3, 2], gap="large")
    with left, st.container(key="lesson-list", gap="xsmall"):
        for lesson in load_course():
            count, number = done_of(lesson), lesson.number
            of_all = words["of_cards"].format(done=count, count=len(lesson.cards))
            tick = f" :material/check: {words['done']}" if finished(lesson) else f" {of_all}"
            st.button(
                f"{number}\N{EN SPACE}{lesson.title}\N{EM SPACE}:gray[{tick}]",
                key=f"lesson-open-{number}",
                width="stretch",
                on_click=lambda number=number: state.choose_place(number, 1),
            )
    with right:
        begun = bool(done())
        st.button(
            words["go_on"] if begun else words["begin"],
            key="lesson-begin",
            type="primary",
            icon=":material/play_arrow:",
            on_click=lambda: state.choose_place(*next_place()),
        )
        explained()
        st.caption(words["kept"])
        remembered(button=begun)
