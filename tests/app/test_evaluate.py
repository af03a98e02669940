"""The Evaluate page: scores, mistakes, the guessing game, calibration, robustness."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.fashion import CLASSES
from cnn_core.data.mnist import load_mnist
from cnn_core.errors import LabDown
from cnn_core.insight.kept import kept_evaluation
from cnn_core.insight.scores import wilson
from cnn_core.lab.requests import (
    AnswersRequest,
    EmbeddingRequest,
    RobustnessRequest,
    TrainRequest,
)
from cnn_core.lab.supervisor import Lab, LabSettings
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.training.config import FAST
from cnn_core.training.runs import Runs
from tests.app.conftest import SHELL
from tests.app.read import texts, until
from tests.core.fashion_files import write_fashion
from ui import ask, state
from ui.panels import evaluation, mistakes
from ui.panels.digit import with_article

LAST = open_network("classic").last


def opened(lab: Lab | None, part: str = "Scores", **link: str) -> AppTest:
    ask.use(lab)
    app = AppTest.from_file(SHELL, default_timeout=60)
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page("../pages/evaluate.py")
    app.run()
    if part != "Scores":
        app.button_group(key="evaluate-part").set_value(part).run()
    return app


@pytest.fixture
def evaluated(lab: Lab) -> Iterator[Lab]:
    """A lab whose network has been evaluated."""
    if kept_evaluation(LAST) is None:
        until(opened(lab), lambda page: "of 10,000 test digits right" in texts(page))
    yield lab
    ask.use(None)


def test_scores_are_computed_once_and_kept(evaluated: Lab) -> None:
    ask.use(None)  # no lab is asked any more
    page = opened(None)
    assert not page.exception
    found = kept_evaluation(LAST)
    assert found is not None
    share = open_network("classic").card.accuracy[LAST.step]
    assert found.accuracy == share
    low, high = wilson(round(share * 10_000), 10_000)
    assert f"<strong>{share:.2%}</strong>" in texts(page)
    assert f"{low:.2%} to {high:.2%}" in texts(page)
    assert page.dataframe[0].value["F1"].tolist() == found.f1.tolist()


def test_another_moment_is_evaluated_anew(evaluated: Lab) -> None:
    page = opened(evaluated, step="0")
    assert page.button(key="evaluate-begin")
    assert "test digits right, " not in texts(page)


def test_the_digits_of_a_cell_are_shown_and_open_in_layers(
    evaluated: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(evaluated, "Mistakes")
    found = kept_evaluation(LAST)
    assert found is not None
    counts = found.confusion - np.diag(np.diag(found.confusion))
    true, answer = (int(i) for i in np.unravel_index(int(counts.argmax()), counts.shape))
    assert f"{counts.max()} of class {true} called {answer}" in texts(page)
    page.session_state["confusion-table"] = {"pick": [5, 3]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streamlit.session_state", page.session_state)
        mistakes._take_cell()
    page.run()
    wrong = found.mistakes(5, 3)
    assert f"{len(wrong)} of class 5 called 3" in texts(page)
    page.session_state["sent"] = {"pick": int(wrong[0])}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streamlit.session_state", page.session_state)
        evaluation.take_digit("sent")
    page.run()
    assert not page.exception
    assert page.session_state["digit"].source == f"test-{wrong[0]}"
    assert load_mnist().y_test[wrong[0]] == 5
    assert [title.value for title in page.title] == ["Layers"]


@pytest.mark.parametrize(
    "pick", [None, 3, [1], [1, 10], [-1, 2], [True, 1], ["1", "2"], [1, 2, 3], {}]
)
def test_a_cell_that_is_none_changes_nothing(
    evaluated: Lab, monkeypatch: pytest.MonkeyPatch, pick: object
) -> None:
    page = opened(evaluated)
    page.session_state["confusion-table"] = {"pick": pick}
    monkeypatch.setattr("streamlit.session_state", page.session_state)
    mistakes._take_cell()
    assert "confusion-cell" not in page.session_state
    assert "names no cell" in state.notice()


@pytest.mark.parametrize("pick", [None, "7", 10_000, -1, True, [3], 2.0])
def test_a_digit_that_is_none_changes_nothing(
    evaluated: Lab, monkeypatch: pytest.MonkeyPatch, pick: object
) -> None:
    page = opened(evaluated)
    before = page.session_state["digit"]
    page.session_state["sent"] = {"pick": pick}
    monkeypatch.setattr("streamlit.session_state", page.session_state)
    evaluation.take_digit("sent")
    assert page.session_state["digit"] == before
    assert "go-to" not in page.session_state
    assert state.notice()


def test_one_guesses_first_and_both_are_counted(lab: Lab) -> None:
    page = opened(lab, "Guess")
    digit = page.session_state["guess"]["digit"]
    label = int(load_mnist().y_test[digit])
    assert "The network said" not in texts(page)
    page.button(key=f"guess-{(label + 1) % 10}").click().run()
    assert f"**{with_article(str(label))}**" in texts(page)
    assert "The network said" in texts(page)
    score = page.session_state["guess"]
    assert (score["rounds"], score["you"]) == (1, 0)
    page.button(key="guess-next").click().run()
    label = int(load_mnist().y_test[page.session_state["guess"]["digit"]])
    page.button(key=f"guess-{label}").click().run()
    score = page.session_state["guess"]
    assert (score["rounds"], score["you"]) == (2, 1)
    page.button(key="guess-look").click().run()
    assert not page.exception
    assert [title.value for title in page.title] == ["Layers"]
    assert page.session_state["digit"].source == f"test-{score['digit']}"


def test_calibration_follows_the_temperature(evaluated: Lab) -> None:
    page = opened(evaluated, "Calibration")
    assert not page.exception
    at_one = texts(page)
    page.slider(key="temperature").set_value(3.0).run()
    assert not page.exception
    assert "at temperature 3.00" in texts(page)
    assert texts(page) != at_one
    page.slider(key="threshold").set_value(0.5).run()
    assert "At 0.500 it answers" in texts(page)


def test_robustness_of_two_networks_is_measured_and_drawn(lab: Lab) -> None:
    page = opened(lab, "Robustness")
    page.multiselect(key="robust-networks").set_value(["intro"]).run()
    page.button(key="robust-0-begin").click().run()
    until(page, lambda page: len(page.get("plotly_chart")) == 1
          and not any(one.key == "robust-1-cancel" for one in page.button))  # fmt: skip
    assert not any(one.key and one.key.endswith("-begin") for one in page.button)
    job = ask.begun(RobustnessRequest(open_network("intro").last, "turn"))
    assert job is not None
    assert job.result().right.max() > 950


def test_what_was_cancelled_can_be_asked_for_again(lab: Lab) -> None:
    page = opened(lab, "Robustness")
    page.button_group(key="robust-change").set_value("blur").run()
    page.button(key="robust-0-begin").click().run()
    job = ask.begun(RobustnessRequest(LAST, "blur"))
    assert job is not None
    job.cancel()
    page.run()
    page.button(key="robust-0-begin").click().run()
    until(page, lambda page: len(page.get("plotly_chart")) == 1)


def test_a_server_without_a_lab_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))  # nobody has evaluated anything yet
    evaluation._kept.cache_clear()
    page = opened(None, network="intro")
    page.button(key="evaluate-begin").click().run()
    assert not page.exception
    assert any("started without its lab" in error.value for error in page.error)


def test_a_lesioned_network_is_evaluated_as_itself(lab: Lab) -> None:
    page = opened(lab, off="dense_1:0-63")
    until(page, lambda page: "of 10,000 test digits right" in texts(page))
    found = kept_evaluation(NetworkRef("classic", LAST.step, page.session_state["network"].lesion))
    assert found is not None
    assert len(set(found.answers.tolist())) == 1  # nothing reaches the answer but its biases


def test_moments_are_compared_in_words(evaluated: Lab) -> None:
    page = opened(evaluated, "Compare")
    page.select_slider(key="compare-step-0-classic").set_value(133).run()
    page.button(key="compare-1-begin").click().run()
    until(page, lambda page: "McNemar" in texts(page))
    early = kept_evaluation(NetworkRef("classic", 133))
    late = kept_evaluation(LAST)
    assert early is not None
    assert late is not None
    apart = int(np.sum(early.right != late.right))
    assert f"is right on {apart:,}: Classic alone" in texts(page)
    assert "Classic is better" in texts(page)
    differ = int(np.sum(early.answers != late.answers))
    assert f"answer differently on {differ:,} test digits" in texts(page)


def test_a_network_beside_itself_asks_for_another(evaluated: Lab) -> None:
    page = opened(evaluated, "Compare", step="0")
    assert "Choose another network" in texts(page)


def shown_map(page: AppTest) -> dict[str, Any]:
    """What the map was sent."""
    (found,) = [
        json.loads(each.proto.json)
        for each in page.get("bidi_component")
        if '"sheet"' in each.proto.json
    ]
    return found


def test_the_map_shows_the_layers_layout_with_the_digit_in_its_place(lab: Lab) -> None:
    page = opened(lab, "Map", digit="test-20")
    until(page, lambda page: any("variance" in caption.value for caption in page.caption))
    shown = shown_map(page)
    assert shown["numbers"] == list(range(0, 10_000, 10))
    assert shown["labels"] == load_mnist().y_test[::10].tolist()
    found = lab.ask(EmbeddingRequest((LAST,), "dense_1", "PCA"), "study", 60)
    points = np.array(shown["points"][0]).reshape(-1, 2) / 10_000
    np.testing.assert_allclose(points, found.layouts[0].points, atol=1e-3)
    # Test digit 20 is one of the sample, the third: it stands where it stands there.
    own = np.array(shown["own"]["places"][0]) / 10_000
    np.testing.assert_allclose(own, points[2], atol=2e-3)


def test_the_map_over_the_training_has_a_layout_a_moment(lab: Lab) -> None:
    page = opened(lab, "Map", network="classic_overfit")
    page.selectbox(key="map-layer").set_value("output")
    page.toggle(key="map-film").set_value(True).run()
    page.button(key="embedding-begin").click().run()
    until(page, lambda page: any("Each moment" in caption.value for caption in page.caption))
    shown = shown_map(page)
    assert shown["steps"] == list(open_network("classic_overfit").film.steps)
    assert len(shown["points"]) == len(shown["answers"]) == len(shown["own"]["places"]) == 6
    # At the end it calls as many of the sample rightly as its answers on them say.
    images = open_network("classic").card.fit_all(load_mnist().x_test[::10])
    answers = lab.ask(AnswersRequest(open_network("classic_overfit").last, images), time_limit=60)
    assert shown["answers"][-1] == answers.argmax(axis=1).tolist()


def test_everything_works_on_fashion_mnist_with_its_class_names(
    evaluated: Lab, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network of Fashion-MNIST: trained, evaluated, guessed and compared with its class names."""
    folder = tmp_path_factory.mktemp("fashion")
    arrays = write_fashion(folder)
    monkeypatch.setenv("CONVSCOPE_FASHION_MNIST", str(folder))
    with Lab(LabSettings(workers=1)) as lab:
        config = replace(FAST, architecture="intro", dataset="fashion-mnist", share=0.1)
        run = Runs().create(config)
        lab.trainings.start(TrainRequest(run.id))
        end = time.monotonic() + 90
        while run.state.word != "finished":
            assert time.monotonic() < end, run.state
            time.sleep(0.1)
        page = opened(lab, network=run.id, digit="fashion-7")
        until(page, lambda page: "of 10,000 test images right" in texts(page))
        found = kept_evaluation(open_network(run.id).last)
        assert found is not None
        np.testing.assert_array_equal(found.labels, arrays["y_test"])
        assert found.accuracy == run.state.test_accuracy
        assert found.accuracy > 0.95  # bars are easy
        assert page.dataframe[0].value["class"].tolist() == list(CLASSES)
        assert f"Fashion-MNIST test image 7, {with_article(CLASSES[arrays['y_test'][7]])}" in (
            texts(page)
        )
        page.button_group(key="evaluate-part").set_value("Guess").run()
        number = page.session_state["guess"]["digit"]
        page.button(key=f"guess-{arrays['y_test'][number]}").click().run()
        assert page.session_state["guess"]["you"] == 1
        page.button(key="guess-look").click().run()
        assert page.session_state["digit"].source == f"fashion-{number}"
        page.switch_page("../pages/evaluate.py").run()
        page.button_group(key="evaluate-part").set_value("Compare").run()
        page.selectbox(key="compare-network-0").set_value("classic").run()
        assert "tested with different data sets" in texts(page)
        assert not page.exception


def test_clicks_on_what_is_kept_ask_the_lab_for_nothing(
    evaluated: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(evaluated)
    asked: list[object] = []

    def noted(request: object, *more: object) -> None:
        asked.append(request)
        raise LabDown("Nobody is to be asked.")

    monkeypatch.setattr(evaluated, "ask", noted)
    monkeypatch.setattr(evaluated, "submit", noted)
    for part in ("Mistakes", "Calibration", "Scores", "Mistakes"):
        page.button_group(key="evaluate-part").set_value(part).run()
    page.session_state["confusion-cell"] = (5, 3)
    page.run()
    page.button_group(key="confusion-unit").set_value("Row shares").run()
    page.button_group(key="evaluate-part").set_value("Calibration").run()
    page.slider(key="temperature").set_value(2.0).run()
    page.button(key="temperature-best").click().run()
    page.slider(key="threshold").set_value(0.7).run()
    assert not page.exception
    assert asked == []


def test_about_takes_the_place_of_fashion_mnist_and_refuses_others(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
    monkeypatch.setattr("cnn_core.data.fashion._DEBIAN", tmp_path_factory.mktemp("debian"))
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path_factory.mktemp("home")))
    folder = tmp_path_factory.mktemp("fashion")
    write_fashion(folder)
    ask.use(lab)
    page = AppTest.from_file(SHELL, default_timeout=60)
    page.switch_page("../pages/about.py")
    page.run()
    assert "dataset-fashion-mnist" in texts(page)
    page.text_input(key="fashion-place").set_value("/nowhere").run()
    assert any("no file or folder" in error.value for error in page.error)
    page.text_input(key="fashion-place").set_value(str(folder)).run()
    assert not page.error
    assert "It is here" in texts(page)
    page.switch_page("../pages/train.py").run()
    assert page.selectbox(key="set-dataset").options == ["MNIST", "Fashion-MNIST"]
    page.selectbox(key="set-dataset").set_value("fashion-mnist").run()
    assert "load_fashion_mnist()" in page.code[0].value
    ask.use(None)
