"""The Lessons page: every card opens, questions reveal their reasons, links lead somewhere."""

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.course.lesson import Lesson, load_course
from cnn_core.course.text import terms_in
from cnn_core.lab.supervisor import Lab
from tests.app.conftest import SHELL
from tests.app.read import texts
from ui import ask

COURSE = load_course()
Open = Callable[..., AppTest]


@pytest.fixture
def opened(lab: Lab) -> Iterator[Open]:
    ask.use(lab)

    def open_page(**link: object) -> AppTest:
        app = AppTest.from_file(SHELL, default_timeout=60)
        for name, value in link.items():
            app.query_params[name] = str(value)
        app.switch_page("../pages/lessons.py")
        app.run()
        assert not app.exception
        return app

    yield open_page
    ask.use(None)


def turn_to(page: AppTest, lesson: int, card: int) -> None:
    """As the arrow keys do."""
    page.session_state["place"] = (lesson, card)
    page.session_state["entered"] = None
    page.run()
    assert not page.exception


def buttons(page: AppTest) -> list[str]:
    """The choices, as they are called."""
    return [one.label for one in page.button if (one.key or "").startswith("answer-")]


@pytest.mark.parametrize("lesson", COURSE, ids=lambda lesson: lesson.path.stem)
def test_every_card_opens_with_a_picture_and_its_page(opened: Open, lesson: Lesson) -> None:
    page = opened()
    for k, card in enumerate(lesson.cards, start=1):
        turn_to(page, lesson.number, k)
        assert not page.error, (card.title, [error.value for error in page.error])
        shown = texts(page)
        assert card.title in shown
        assert "{" not in "".join(markdown.value for markdown in page.markdown)
        assert [code.value for code in page.code[: len(card.code)]] == [
            code.text.rstrip("\n") for code in card.code
        ]
        assert shown.count('class="cs-term"') == len(terms_in(card.text))
        network = page.session_state["network"]
        assert card.view.network in ("", network.id)
        assert card.view.step in (None, network.step)
        assert card.view.layer in ("", page.session_state["layer"])
        links = [link.proto.page for link in page.get("page_link")]
        wanted = [card.view.page] if card.view.page else []
        assert links == ["" if name == "draw" else name for name in wanted]  # the page at /
