"""Presenter mode and what a link hides: what the server makes of them."""

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.lab.supervisor import Lab
from tests.app.conftest import SHELL
from ui import ask
from ui.present import CONTROLS


@pytest.fixture(autouse=True)
def with_the_lab(lab: Lab) -> Iterator[None]:
    ask.use(lab)
    yield
    ask.use(None)


def opened(**link: str) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def styles(page: AppTest) -> str:
    return " ".join(each.proto.body for each in page.get("html") if "<style" in each.proto.body)


def link_of(page: AppTest) -> dict[str, list[str]]:
    """The address that the page writes."""
    (sent,) = [one.proto.json for one in page.get("bidi_component") if '"query"' in one.proto.json]
    return parse_qs(sent.partition('"query": "')[2].partition('"')[0])


def presenting(page: AppTest) -> bool:
    return '"stSidebar"' in styles(page)


def test_a_link_opens_in_presenter_mode_and_stays_in_the_link() -> None:
    page = opened(present="1")
    assert presenting(page)
    assert link_of(page)["present"] == ["1"]
    assert not page.error


def test_without_it_pages_are_as_ever() -> None:
    page = opened()
    assert not presenting(page)
    assert "present" not in link_of(page)
    assert "hide" not in link_of(page)
    assert "display: none !important" not in styles(page)


def test_the_switch_turns_it_on_and_it_outlives_a_page_change() -> None:
    page = opened()
    page.toggle(key="present-0").set_value(True).run()
    assert presenting(page)
    page.switch_page("../pages/explain.py").run()
    assert presenting(page)
    page.toggle(key="present-1").set_value(False).run()
    assert not presenting(page)


def test_a_late_word_of_the_switch_does_not_take_escape_back() -> None:
    page = opened(present="1")
    switch = page.toggle(key="present-0")
    page.session_state["presenting"] = False  # as Escape leaves it
    switch.set_value(True).run()  # the browser still sends what it held
    assert not presenting(page)
    assert page.toggle[0].value is False


@pytest.mark.parametrize("name", CONTROLS)
def test_a_link_hides_a_control(name: str) -> None:
    page = opened(hide=name)
    assert f":is({CONTROLS[name]})" in styles(page)
    assert link_of(page)["hide"] == [name]
    assert not presenting(page)
    assert not page.error


def test_a_link_hides_several_until_they_are_wanted_again() -> None:
    page = opened(hide="export,network,moment", present="1")
    for name in ("export", "network", "moment"):
        assert CONTROLS[name] in styles(page)
    assert link_of(page)["hide"] == ["network,moment,export"]
    page.button(key="show-hidden").click().run()
    assert CONTROLS["moment"] not in styles(page)
    assert "hide" not in link_of(page)
    assert presenting(page)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({"present": "yes"}, "present is 1 or 0"),
        ({"present": ""}, "present is 1 or 0"),
        ({"hide": "network,everything"}, "no control 'everything'"),
        ({"hide": "<style>"}, "no control '<style>'"),
        ({"hide": "x" * 10_000}, "no control"),
    ],
)
def test_nonsense_is_ignored_in_one_sentence(link: dict[str, str], said: str) -> None:
    page = opened(**link)
    (error,) = page.error
    assert error.value.startswith("Part of this link was ignored.")
    assert said in error.value
    assert len(error.value) < 300
    assert not page.exception
    assert not presenting(page)


def test_what_is_known_is_hidden_beside_what_is_not() -> None:
    assert CONTROLS["network"] in styles(opened(hide="network,everything"))
