"""The Lessons page: every card opens, questions reveal their reasons, links lead somewhere."""

import json
from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.course.lesson import Lesson, load_course
from cnn_core.course.questions import choice_text, posed, reason
from cnn_core.course.seen import look
from cnn_core.course.text import terms_in
from cnn_core.data.digit import mnist_digit
from cnn_core.lab.supervisor import Lab
from cnn_core.networks.zoo import open_network
from tests.app.conftest import SHELL
from tests.app.read import texts
from ui import ask
from ui.progress import kept_places

COURSE = load_course()
CARDS = [(lesson, k, card) for lesson in COURSE for k, card in enumerate(lesson.cards, start=1)]
CARD = {(lesson.number, k): card for lesson, k, card in CARDS}
PAGES = ("draw", "layers", "train", "filters", "evaluate", "playground", "architectures", "explain")
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


def choices(page: AppTest) -> list[str]:
    """What stands on the buttons to choose from."""
    keys = [f"answer-{k}" for k in range(4)]
    return [one.label for one in page.button if one.key in keys]


def written(page: AppTest) -> str:
    """The query string that the page writes into the address."""
    (query,) = [
        found["query"]
        for each in page.get("bidi_component")
        for found in [json.loads(each.proto.json or "{}")]
        if "query" in found
    ]
    return query


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


def test_every_link_inside_the_app_opens_a_page_that_shows_the_same(opened: Open) -> None:
    """One card for each page that cards lead to: there the network, layer and unit are the same."""
    pages = {card.view.page: (lesson, k) for lesson, k, card in CARDS if card.view.page}
    assert set(pages) <= set(PAGES)
    for path, (lesson, k) in pages.items():
        page = opened()
        turn_to(page, lesson.number, k)
        before = page.session_state["network"], page.session_state["layer"]
        page.switch_page(f"../pages/{path}.py").run()
        assert not page.exception, path
        assert not page.error, path
        assert (page.session_state["network"], page.session_state["layer"]) == before


@pytest.mark.parametrize("lesson", COURSE, ids=lambda lesson: lesson.path.stem)
def test_a_wrong_answer_gives_the_reason_and_a_right_one_is_done(
    opened: Open, lesson: Lesson
) -> None:
    page = opened()
    for _, k, card in (one for one in CARDS if one[0] is lesson and one[2].question):
        for right in (False, True):
            turn_to(page, lesson.number, k)
            page.session_state["answered"] = (None, None)
            page.run()
            assert card.question is not None
            asked = posed(card.question, look(page.session_state["network"], mnist_digit(30)))
            called = [choice_text(choice) for choice in asked.choices]
            assert [label.partition("\N{EN SPACE}")[2] for label in choices(page)] == called
            wrong = next(k for k in range(len(called)) if k != asked.right)
            chosen = asked.right if right else wrong
            page.button(key=f"answer-{chosen}").click().run()
            assert not page.exception
            said = " ".join(markdown.value for markdown in page.markdown)
            word = {True: "**Right.**", False: "**Not this one.**"}[right]
            assert f"{word} {reason(card.question, asked, chosen)}" in said
            assert ":material/check:" in choices(page)[asked.right]
            assert (f"{lesson.number}.{k}" in page.session_state["progress"]) is right


def test_another_digit_makes_a_fresh_question(opened: Open) -> None:
    page = opened(lesson=5, card=6)
    page.button(key="answer-0").click().run()
    assert page.button(key="answer-0").disabled
    page.button(key="answer-again").click().run()
    assert not page.exception
    assert not page.button(key="answer-0").disabled
    page.number_input(key="digit-number").set_value(8).run()
    asked = posed(CARD[5, 6].question, look(page.session_state["network"], mnist_digit(8)))
    assert f"{asked.values['top_left']} and {asked.values['top_right']}" in texts(page)


def test_a_card_sets_what_is_looked_at_once_and_then_leaves_it_to_the_person(opened: Open) -> None:
    page = opened(lesson=1, card=3)
    intro = open_network("intro")
    assert page.session_state["network"] == intro.last
    assert page.session_state["layer"] == "conv_1"
    strongest = look(intro.last, mnist_digit(30)).trace["conv_1"].output
    assert strongest[page.session_state["unit"]] == strongest.max()
    page.selectbox(key="network-choice").set_value("vgg_mini").run()
    assert not page.exception
    assert page.session_state["network"].id == "vgg_mini"
    page.run()
    assert page.session_state["network"].id == "vgg_mini"


def test_the_network_that_one_came_with_is_a_button_away(opened: Open) -> None:
    page = opened(network="densenet_mini")
    turn_to(page, 1, 1)
    assert "This card looks through Intro." in texts(page)
    page.button(key="lesson-own").click().run()
    assert not page.exception
    assert page.session_state["network"] == open_network("densenet_mini").last


def test_a_question_on_another_network_says_so_and_leads_back(opened: Open) -> None:
    page = opened(lesson=5, card=6)
    page.selectbox(key="network-choice").set_value("lenet5").run()
    assert not page.exception
    assert "There is no layer 'pool_1'" in texts(page)
    assert page.selectbox(key="lesson-choice-5").value == 5  # the way on is still there
    page.button(key="lesson-take-network").click().run()
    assert page.session_state["network"] == open_network("classic").last
    assert len(choices(page)) == 4


@pytest.mark.parametrize("network", ["lenet5", "intro"])
@pytest.mark.parametrize("lesson", COURSE, ids=lambda lesson: lesson.path.stem)
def test_a_card_stands_any_network(opened: Open, lesson: Lesson, network: str) -> None:
    page = opened(network=network)
    for k in range(1, len(lesson.cards) + 1):
        page.session_state["place"] = page.session_state["entered"] = (lesson.number, k)
        page.run()
        assert not page.exception


# The link


def test_a_link_names_lesson_and_card_on_this_page_only(opened: Open) -> None:
    page = opened(lesson=3, card=4)
    assert "lesson=3&card=4" in written(page)
    page.switch_page("../pages/layers.py").run()
    assert "lesson" not in written(page)


def test_a_whole_link_reopens_just_that_picture(opened: Open) -> None:
    page = opened(digit="test-8", network="vgg_mini", step=96, lesson=3, card=4)
    assert page.session_state["place"] == (3, 4)
    assert (page.session_state["network"].id, page.session_state["network"].step) == (
        "vgg_mini",
        96,
    )


@pytest.mark.parametrize(
    "link",
    [
        {"lesson": 99},
        {"lesson": "three"},
        {"lesson": "-1"},
        {"lesson": 3, "card": 99},
        {"lesson": 3, "card": "0"},
        {"card": 2},
        {"lesson": "٣"},
    ],
)
def test_nonsense_in_a_link_opens_the_page_with_one_sentence(opened: Open, link: dict) -> None:
    page = opened(**link)
    (error,) = page.error
    assert "\n" not in error.value
    assert [title.value for title in page.title] == ["Lessons"]


# Progress


def test_what_is_seen_is_done_and_a_finished_lesson_can_be_explained(opened: Open) -> None:
    page = opened()
    assert COURSE[1].explain[0] not in texts(page)
    assert "Nothing yet" in texts(page)
    for k in range(1, len(COURSE[1].cards) + 1):
        turn_to(page, 2, k)
    wanted = {f"2.{k}" for lesson, k, card in CARDS if lesson.number == 2 and not card.question}
    assert page.session_state["progress"] == wanted
    page.session_state["progress"] |= {
        f"2.{k}" for lesson, k, card in CARDS if lesson.number == 2 and card.question
    }
    turn_to(page, 0, 0)
    assert all(line in texts(page) for line in COURSE[1].explain)
    assert COURSE[2].explain[0] not in texts(page)
    assert "done" in page.button(key="lesson-open-2").label
    assert f"0 of {len(COURSE[2].cards)}" in page.button(key="lesson-open-3").label


def test_begin_opens_the_first_card_that_is_not_done(opened: Open) -> None:
    page = opened()
    page.session_state["progress"] = {f"1.{k}" for k in range(1, len(COURSE[0].cards) + 1)}
    page.run()
    page.button(key="lesson-begin").click().run()
    assert not page.exception
    assert page.session_state["place"] == (2, 1)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        7,
        "1.1",
        {"1.1": True},
        [1.1, None, ["1.1"], "9.99", "__import__", "1.1 "],
        ["1.1"] * 100_000,
    ],
)
def test_a_browser_may_send_anything_for_its_progress(sent: object) -> None:
    assert kept_places(sent, ["1.1", "1.2"]) == set()


def test_known_places_are_believed() -> None:
    assert kept_places(["1.2", "7.7"], ["1.1", "1.2"]) == {"1.2"}


def test_the_network_one_came_with_is_the_latest_that_one_chose(opened: Open) -> None:
    page = opened()
    turn_to(page, 1, 1)  # Intro, in place of Classic
    page.switch_page("../pages/layers.py").run()
    page.selectbox(key="network-choice").set_value("vgg_mini").run()
    page.switch_page("../pages/lessons.py").run()
    turn_to(page, 6, 1)  # Classic, in place of the small VGG
    assert page.button(key="lesson-own").label == "Back to VGG, small"


def test_a_server_without_its_lab_shows_the_lessons_all_the_same(opened: Open) -> None:
    page = opened()
    ask.use(None)
    turn_to(page, 5, 1)
    assert "Computed by NumPy" in texts(page)
    assert "pool_1[" in texts(page)
    turn_to(page, 10, 5)
    assert "nothing can be trained" in texts(page)
