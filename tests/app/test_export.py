"""The notebook of each page's present state, and the network as a Python file."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cnn_core.data.digit import Digit, mnist_digit
from cnn_core.insight.kept import keep_evaluation, kept_evaluation
from cnn_core.insight.scores import Evaluation
from cnn_core.lab.requests import EvaluationRequest, TraceRequest
from cnn_core.lab.supervisor import Lab
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from tests.app.conftest import SHELL
from tests.app.read import html_of, shown_probabilities, texts
from ui import ask

DRAWN = Digit.of_bytes(mnist_digit(4).bytes[::-1].copy(), "drawn")
EARLY = NetworkRef("classic", 133, (("conv_1", 3), ("conv_2", 10)))
STATE = {"network": "classic", "step": "133", "off": "conv_1:3;conv_2:10", "digit": DRAWN.token}


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the page's download buttons would give, by key: AppTest cannot click them."""
    buttons: dict[str, Any] = {}
    real = st.download_button

    def noted(label: str, data: Any, *args: Any, **named: Any) -> bool:
        buttons[named["key"]] = data
        return real(label, data, *args, **named)

    monkeypatch.setattr(st, "download_button", noted)
    return buttons


def opened(lab: Lab, page: str, **link: str) -> AppTest:
    ask.use(lab)
    app = AppTest.from_file(SHELL, default_timeout=60)
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page(f"../pages/{page}.py")
    app.run()
    assert not app.exception
    return app


@pytest.fixture(autouse=True)
def no_lab_afterwards() -> Iterator[None]:
    yield
    ask.use(None)


def source(make: Callable[[], bytes]) -> str:
    """All cells of a notebook, which must be a valid one."""
    notebook = nbformat.reads(make().decode(), as_version=4)
    nbformat.validate(notebook)
    return "\n".join(cell.source for cell in notebook.cells)


def numbers_after(name: str, text: str) -> np.ndarray:
    """The first list of numbers that stands after some words."""
    found = re.search(r"\[[-\d., e\n]+\]", text[text.index(name) :])
    assert found
    return np.array(json.loads(found[0]))


def assert_state_is_in(text: str) -> None:
    assert 'NetworkRef("classic", step=133, lesion=(("conv_1", 3), ("conv_2", 10)))' in text
    assert "2 units are switched off" in text


def test_draws_notebook_holds_the_digit_and_the_answer_shown(
    lab: Lab, offered: dict[str, Any]
) -> None:
    page = opened(lab, "draw", **STATE)
    text = source(offered["notebook"])
    assert_state_is_in(text)
    assert DRAWN.token in text
    written = numbers_after("shown = [", text)
    np.testing.assert_allclose(written, shown_probabilities(page), rtol=1e-5)


def test_layers_notebook_holds_the_layer_and_the_unit_chosen(
    lab: Lab, offered: dict[str, Any]
) -> None:
    page = opened(lab, "layers", **STATE, layer="conv_3", unit="1,2,40")
    text = source(offered["notebook"])
    assert_state_is_in(text)
    assert "## The layer conv\\_3" in text
    assert "The unit [1, 2, 40]" in text
    value = re.search(r'data-testid="unit-value" data-value="([^"]+)"', html_of(page, "cs-sum"))
    written = re.search(r'compare\("the unit by hand", value, ([^)]+)\)', text)
    assert value
    assert written
    assert float(written[1]) == pytest.approx(float(value[1]), rel=1e-5, abs=1e-9)


def test_filters_notebook_holds_the_filter_the_view_and_what_is_off(
    lab: Lab, offered: dict[str, Any]
) -> None:
    page = opened(lab, "filters", **STATE, layer="conv_2", unit="3,3,17")
    page.button_group(key="filter-weights").set_value("Difference").run()
    text = source(offered["notebook"])
    assert_state_is_in(text)
    assert "kernels = kernels - at_start" in text
    assert "## What filter 17 answers" in text
    assert "right_after" not in text  # nobody has counted yet
    whole = lab.ask(
        TraceRequest(EARLY.whole, open_network("classic").card.fit(DRAWN.pixels)), time_limit=30
    )
    written = numbers_after("probabilities with every unit on", text)
    np.testing.assert_allclose(written, whole.output, rtol=1e-5)


def test_explains_notebook_holds_the_class_and_the_method_looked_at(
    lab: Lab, offered: dict[str, Any]
) -> None:
    page = opened(lab, "explain", **STATE)
    page.selectbox(key="explain-class").set_value(8).run()
    page.button_group(key="explain-method").set_value("occlusion").run()
    page.button_group(key="explain-layer").set_value("conv_2").run()
    text = source(offered["notebook"])
    assert_state_is_in(text)
    assert 'target, layer = 8, "conv_2"' in text
    assert "## Is `occlusion` right?" in text
    area = float(re.findall(r"Mean height ([\d.]+)", texts(page))[0])
    written = numbers_after('compare("mean heights"', text)
    assert written[0] == pytest.approx(area, abs=0.006)


def test_evaluates_notebook_waits_for_an_evaluation_and_then_holds_it(
    lab: Lab, offered: dict[str, Any]
) -> None:
    ref = NetworkRef("classic", 31)
    page = opened(lab, "evaluate", network="classic", step="31")
    before = kept_evaluation(ref)
    assert before is None
    assert page.get("download_button")[-1].proto.disabled
    found: Evaluation = lab.ask(EvaluationRequest(ref), "study", 120)
    keep_evaluation(ref, found)
    page.run()
    assert not page.get("download_button")[-1].proto.disabled
    text = source(offered["notebook"])
    assert f"{found.accuracy:.2%} right" in text
    assert f"{found.accuracy:.2%}" in html_of(page, "cs-prediction")
    assert str(found.confusion.tolist()[0]) in text


@pytest.mark.parametrize("page", ["draw", "layers", "filters", "explain", "evaluate"])
def test_every_page_offers_its_notebook_and_makes_none_before_it_is_asked_for(
    lab: Lab, offered: dict[str, Any], page: str
) -> None:
    sys.modules.pop("nbformat.v4", None)
    opened(lab, page)
    assert "notebook" in offered
    assert "nbformat.v4" not in sys.modules


@pytest.mark.parametrize("page", ["layers", "architectures"])
def test_the_network_can_be_taken_along_as_code(
    lab: Lab, offered: dict[str, Any], page: str
) -> None:
    app = opened(lab, page, network="resnet_mini")
    script = offered["network-code-file"]()
    assert 'name="resnet_mini")' in script
    compile(script, "resnet_mini.py", "exec")
    assert script.strip() in [code.value for code in app.code]


def test_without_a_digit_to_explain_there_is_nothing_to_take_along(lab: Lab) -> None:
    black = Digit.of_bytes(np.zeros((28, 28), np.uint8), "made")
    page = opened(lab, "explain", digit=black.token)
    assert page.get("download_button")[-1].proto.disabled
