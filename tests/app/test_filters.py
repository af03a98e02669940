"""The Filters page: filters of any layer and moment, and units switched off on every page."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.digit import mnist_digit
from cnn_core.data.mnist import load_mnist
from cnn_core.insight.kept import kept_evaluation
from cnn_core.lab.requests import AnswersRequest, RankingRequest, TraceRequest
from cnn_core.lab.supervisor import Lab
from cnn_core.networks.graph import Graph
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import Network, open_network
from tests.app.conftest import SHELL
from tests.app.read import html_of, shown_network, shown_probabilities, texts, until
from ui import ask, state
from ui.state import FIRST_DIGIT

LAST = open_network("classic").last
OFF = (("conv_1", 3), ("conv_2", 10), ("conv_2", 11))


def opened(lab: Lab, path: str = "../pages/filters.py", **link: str) -> AppTest:
    ask.use(lab)
    app = AppTest.from_file(SHELL, default_timeout=60)
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page(path)
    return app.run()


@pytest.fixture
def page(lab: Lab) -> Iterator[AppTest]:
    yield opened(lab, layer="conv_2", unit="3,3,10")
    ask.use(None)


@pytest.mark.parametrize("network", ["classic", "intro"])
def test_every_convolution_opens_in_every_view_and_moment(lab: Lab, network: str) -> None:
    film = open_network(network).film.steps
    for layer in ("conv_1", "conv_2", "conv_3") if network == "classic" else ("conv_1",):
        for step in (film[0], film[-1]):
            page = opened(lab, network=network, step=str(step), layer=layer)
            for view in ("Random start", "Difference"):
                page.button_group(key="filter-weights").set_value(view).run()
                assert not page.exception
                assert not page.error
            assert f"{layer}, filter" in html_of(page, "cs-layer")


def test_another_filter_is_chosen_by_its_number(page: AppTest) -> None:
    page.number_input(key="filter-number-conv_2-10").set_value(17).run()
    assert page.session_state["unit"][2] == 17
    assert "conv_2, filter 17" in html_of(page, "cs-layer")


@pytest.mark.parametrize("pick", [None, "x", [1], [1, 2.5], [True, 1], {"x": 1}, [10**9, 0]])
def test_a_pick_that_is_none_changes_nothing(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, pick: object
) -> None:
    from ui.panels import filters

    before = page.session_state["unit"]
    page.session_state["filters-picker"] = {"pick": pick}
    monkeypatch.setattr("streamlit.session_state", page.session_state)
    trace = ask.trace(LAST, mnist_digit(FIRST_DIGIT)).trace
    filters._take_pick((3, 3, 64 * 32), 32, 32, trace["conv_2"].spec, trace)
    assert page.session_state["unit"] == before


def test_a_unit_switched_off_is_off_on_every_page(page: AppTest, lab: Lab) -> None:
    page.button(key="lesion-switch").click().run()
    assert not page.exception
    assert page.session_state["network"].lesion == (("conv_2", 10),)
    assert "1 unit is off" in html_of(page, "cs-off")
    for path in ("../pages/draw.py", "../pages/layers.py", "../pages/explain.py"):
        page.switch_page(path).run()
        assert not page.exception
        assert "1 unit is off" in html_of(page, "cs-off")
    page.switch_page("../pages/layers.py").run()
    description, tensors = shown_network(page)
    assert description["off"] == {"conv_2": [10]}
    assert not tensors["conv_2"][..., 10].any()
    page.button(key="lesion-none").click().run()
    assert page.session_state["network"] == LAST


def test_a_link_opens_the_network_without_those_units(lab: Lab) -> None:
    page = opened(lab, "../pages/draw.py", off="conv_1:3;conv_2:10-11")
    ref = NetworkRef("classic", LAST.step, OFF)
    assert page.session_state["network"] == ref
    pixels = open_network("classic").card.fit(mnist_digit(FIRST_DIGIT).pixels)
    expected = lab.ask(TraceRequest(ref, pixels), time_limit=30).output
    np.testing.assert_array_equal(shown_probabilities(page), expected.astype(float))
    whole = lab.ask(TraceRequest(LAST, pixels), time_limit=30).output
    assert not np.array_equal(expected, whole)


@pytest.mark.parametrize("off", ["conv_9:1", "output:3", "conv_1:99", "rm -rf", "conv_1:1-99999"])
def test_what_a_link_says_wrongly_of_units_is_ignored_with_a_notice(lab: Lab, off: str) -> None:
    page = opened(lab, "../pages/draw.py", off=off, step="0")
    assert not page.exception
    assert page.session_state["network"] == NetworkRef("classic", 0)
    assert any("Part of this link was ignored" in error.value for error in page.error)


def test_another_moment_keeps_the_lesion_and_another_network_does_not(lab: Lab) -> None:
    page = opened(lab, off="conv_1:3", step="133")
    assert page.session_state["network"] == NetworkRef("classic", 133, (("conv_1", 3),))
    page.selectbox(key="network-choice").set_value("intro").run()
    assert page.session_state["network"] == open_network("intro").last
    assert not page.exception


def test_scores_before_and_after_are_counted(page: AppTest, lab: Lab) -> None:
    page.button(key="lesion-switch").click().run()
    page.button(key="evaluate-after-begin").click().run()
    until(page, lambda page: "Test digits right: 99.45%" in texts(page))
    ref = page.session_state["network"]
    found = kept_evaluation(ref)
    assert found is not None
    assert f"{found.accuracy:.2%}" in texts(page)
    images = open_network("classic").card.fit_all(load_mnist().x_test[:500])
    answers = lab.ask(AnswersRequest(ref, images), time_limit=60).argmax(axis=1)
    np.testing.assert_array_equal(found.answers[:500], answers)
    table = next(frame.value for frame in page.dataframe if "change" in frame.value)
    assert table["after"].tolist() == found.recall.tolist()


def test_the_units_are_ranked_and_the_dearest_stand_first(lab: Lab) -> None:
    page = opened(lab, layer="conv_1")
    page.button(key="ranking-begin").click().run()
    until(page, lambda page: any("accuracy lost" in frame.value for frame in page.dataframe))
    job = ask.begun(RankingRequest(LAST, "conv_1", 1_000))
    assert job is not None
    ranking = job.result()
    table = next(frame.value for frame in page.dataframe if "accuracy lost" in frame.value)
    assert table["accuracy lost"].tolist() == sorted(ranking.loss.tolist(), reverse=True)
    assert sorted(table["unit"]) == list(range(32))


def test_exciting_digits_and_a_made_image_are_shown(lab: Lab) -> None:
    page = opened(lab, layer="conv_1", unit="3,3,4")
    page.button(key="exciters-begin").click().run()
    page.button(key="synthesis-begin").click().run()
    until(page, lambda page: "cs-outlined" in texts(page) and "On this image" in texts(page))
    assert "Greatest possible" in texts(page)
    page.button(key="synthesis-use").click().run()
    assert not page.exception
    assert page.session_state["digit"].source == "made"


def test_a_study_can_be_stopped_and_begun_again(lab: Lab) -> None:
    page = opened(lab, layer="conv_2", step="133", off="conv_1:0")
    page.button(key="ranking-begin").click().run()
    page.button(key="ranking-cancel").click().run()
    until(page, lambda page: any(one.key == "ranking-begin" for one in page.button))


def test_a_server_without_a_lab_says_so(page: AppTest) -> None:
    ask.use(None)
    page.run()
    page.button(key="exciters-begin").click().run()
    assert not page.exception
    assert any("started without its lab" in error.value for error in page.error)


def test_no_more_studies_are_taken_than_can_wait(
    page: AppTest, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "_MOST_STUDIES", 0)
    page.button(key="exciters-begin").click().run()
    assert not page.exception
    assert any("Try again in a while" in error.value for error in page.error)


@pytest.mark.parametrize("units", [[99], [-1], ["3"], [1.5, None]])
def test_units_sent_past_the_list_are_not_taken(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, units: list[object]
) -> None:
    from ui.panels import lesion

    page.session_state["sent"] = units
    monkeypatch.setattr("streamlit.session_state", page.session_state)
    lesion._take("conv_2", "sent", 64)
    assert state.network().lesion == ()


@pytest.fixture
def dense_only(home: Path) -> Iterator[str]:
    """A network without convolutions, as one trained here."""
    id = "0123456789abcdef"
    graph = open_network("classic").graph
    flatten = replace(graph["flatten"], inputs=("input",), output_shape=(784,))
    output = replace(
        graph["output"], inputs=("flatten",), weights={"kernel": (784, 10), "bias": (10,)}
    )
    network = Network(home / "runs" / id)
    card = replace(open_network("classic").card, id=id, title="Plain", accuracy={0: 0.1}, recipe={})
    network.describe(card, Graph((graph["input"], flatten, output)))
    rng = np.random.default_rng(0)
    weights = {"output": {"kernel": rng.normal(size=(784, 10)), "bias": np.zeros(10)}}
    network.film.write(0, weights)
    yield id
    shutil.rmtree(network.folder)


def test_a_network_without_convolutions_gets_a_sentence(lab: Lab, dense_only: str) -> None:
    page = opened(lab, network=dense_only)
    assert not page.exception
    assert "Plain has no convolution, and so no filters to show." in [i.value for i in page.info]
    assert "no units that can be switched off" in texts(page)
    page.switch_page("../pages/explain.py").run()
    assert not page.exception
    assert "no convolution, and so no Grad-CAM" in texts(page)
    assert 'data-method="integrated"' in texts(page)
    assert 'data-method="gradcam"' not in texts(page)
