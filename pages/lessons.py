"""The course, card by card, on one's own digit."""

from functools import partial

import streamlit as st

from cnn_core.course.lesson import load_course
from cnn_core.course.text import load_words
from cnn_core.errors import ConvScopeError
from cnn_core.notebooks.lesson import lesson_cells
from ui import ask, state
from ui.panels.engine import engine_line
from ui.panels.evaluation import go_on
from ui.panels.export import notebook_button
from ui.panels.lesson import (
    around,
    lesson_bar,
    lesson_code,
    lesson_text,
    not_here,
    open_card,
    present_card,
)
from ui.panels.lesson_progress import overview, remembered
from ui.panels.lesson_question import panel_after, present, question_here
from ui.panels.lesson_view import live_view

go_on()
words = load_words()["page"]
st.title(words["title"], anchor=False)
st.caption(words["purpose"])

open_card()
card = present_card()
if card is None:
    lesson_bar()
    overview()
else:
    lesson = load_course()[state.place()[0] - 1]
    answer = ask.trace(state.network(), state.digit())
    seen = present()
    question, trouble = question_here(card, seen)
    lesson_bar(question)
    if trouble is not None:
        not_here(card, trouble)
    else:
        with st.container(horizontal=True, gap="large", key="lesson-view"):
            lesson_text(lesson, card, seen, question)
            with st.container(key="lesson-main"):
                lesson_code(card)
                try:
                    live_view(card.view, answer.trace, panel_after(card))
                except ConvScopeError as error:
                    not_here(card, error)
            around(card)
    remembered(button=False)
    notebook_button(
        partial(lesson_cells, lesson, seen.ref, seen.digit), f"lesson-{lesson.path.stem}"
    )
    engine_line(answer)
