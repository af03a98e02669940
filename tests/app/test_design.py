"""Build your own: the table's word is checked, the digit goes through, Train takes it over."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.digit import mnist_digit
from cnn_core.lab.supervisor import Lab
from cnn_core.networks.design import FIRST_DESIGN, Design, DesignLayer
from cnn_core.networks.designs import delete_design, save_design, saved_designs
from cnn_core.networks.draft import graph_of_design
from cnn_core.networks.start import random_weights
from cnn_core.probe.reference import reference_trace
from cnn_core.training.runs import Runs
from tests.app.conftest import SHELL
from tests.app.read import shown_network, texts, until
from ui import ask, state
from ui.panels import design as panel
from ui.state import FIRST_DIGIT


@pytest.fixture
def page(lab: Lab) -> Iterator[AppTest]:
    ask.use(lab)
    app = AppTest.from_file(SHELL, default_timeout=60)
    app.switch_page("../pages/architectures.py").run()
    yield app.button_group(key="architectures-part").set_value("Build your own").run()
    ask.use(None)
    for saved in saved_designs():
        delete_design(saved.id)


def rows(*kinds: str) -> list[dict[str, Any]]:
    return [{"kind": kind} for kind in kinds]


def send(monkeypatch: pytest.MonkeyPatch, sent: object) -> dict[str, Any]:
    """What the page's state becomes when the browser sends `sent`."""
    session: Any = {"design-layers": {"layers": sent}, "design": FIRST_DESIGN, "notice": ""}
    session["design-revision"] = 1
    monkeypatch.setattr(panel.st, "session_state", session)
    monkeypatch.setattr(state, "notify", lambda sentence: session.update(notice=sentence))
    panel._take_layers()
    return session


def test_an_edit_becomes_the_design(monkeypatch: pytest.MonkeyPatch) -> None:
    session = send(monkeypatch, {"revision": 7, "layers": rows("flatten", "dense")})
    assert [layer.kind for layer in session["design"]] == ["flatten", "dense"]
    assert session["design-revision"] == 7
    assert not session["notice"]


@pytest.mark.parametrize(
    "sent",
    [
        None, 5, "layers", [], {}, {"revision": 2}, {"layers": rows("conv")},
        {"revision": -1, "layers": rows("conv")}, {"revision": True, "layers": rows("conv")},
        {"revision": 2, "layers": "conv"}, {"revision": 2, "layers": rows("Lambda")},
        {"revision": 2, "layers": rows(*["flatten"] * 41)}, {"revision": 2, "layers": [None]},
        {"revision": 2, "layers": [{"kind": "conv", "filters": 10**9}]},
        {"revision": 2, "layers": [{"kind": "dropout", "rate": float("nan")}]},
        {"revision": 2, "layers": [{"kind": ["conv"]}]},
        {"revision": 2, "layers": [{"kind": "conv", "activation": {"class_name": "x"}}]},
    ],
)  # fmt: skip
def test_what_is_no_design_changes_nothing(monkeypatch: pytest.MonkeyPatch, sent: object) -> None:
    session = send(monkeypatch, sent)
    assert session["design"] is FIRST_DESIGN
    assert session["design-revision"] == 1
    assert session["notice"].endswith(".")


def test_the_digit_goes_through_it_at_once(page: AppTest) -> None:
    view, tensors = shown_network(page)
    assert [layer["name"] for layer in view["layers"]][-2:] == ["dense_1", "output"]
    graph = graph_of_design(FIRST_DESIGN)
    pixels = mnist_digit(FIRST_DIGIT).pixels[..., None]
    expected = reference_trace(graph, random_weights(graph, 1), pixels)
    for layer in expected:
        np.testing.assert_array_equal(tensors[layer.name], layer.output)
    assert "30,762" in texts(page)
    assert "layers.Conv2D(16, (3, 3)" in next(code.value for code in page.code)


def test_it_is_shown_as_far_as_it_goes(page: AppTest) -> None:
    broken = Design("Broken", (DesignLayer("conv"), DesignLayer("dense")))
    page.session_state["design"] = broken
    page.run()
    assert not page.exception
    view, _ = shown_network(page)
    assert [layer["name"] for layer in view["layers"]] == ["input", "conv_1"]
    assert "It breaks at layer 2." in texts(page)
    assert "maps of 26 × 26 × 32 come in" in texts(page)
    assert page.button(key="design-train").disabled
    assert not page.code


def test_saved_opened_and_deleted(page: AppTest) -> None:
    page.text_input(key="design-name").set_value("Small").run()
    page.button(key="design-save").click().run()
    (saved,) = saved_designs()
    assert saved.design == Design("Small", FIRST_DESIGN.layers)
    page.session_state["design"] = Design("Other", ())
    page.run()
    page.button(key=f"design-open-{saved.id}").click().run()
    assert page.session_state["design"] == saved.design
    assert page.text_input(key="design-name").value == "Small"
    page.button(key=f"design-delete-{saved.id}").click().run()
    assert saved_designs() == []
    assert not page.exception


def test_a_name_that_cannot_be_leaves_the_old_one(page: AppTest) -> None:
    page.text_input(key="design-name").set_value("  ").run()
    assert "1 to 40 letters" in page.error[0].value
    assert page.text_input(key="design-name").value == "My network"


def test_a_file_is_opened_or_refused(page: AppTest) -> None:
    other = Design("From a file", FIRST_DESIGN.layers[:2])
    page.file_uploader(key="design-upload").upload(
        "design.json", other.to_json().encode(), "application/json"
    ).run()
    assert page.session_state["design"] == other
    page.file_uploader(key="design-upload").upload("no.json", b"{", "application/json").run()
    assert "no JSON" in page.error[0].value
    assert page.session_state["design"] == other


def test_it_is_trained_and_then_looked_through(page: AppTest) -> None:
    page.button(key="design-train").click().run()
    assert [title.value for title in page.title] == ["Train"]
    (saved,) = saved_designs()
    page.switch_page("../pages/train.py").run()
    assert page.selectbox(key="set-architecture").value == f"design:{saved.id}"
    assert 'layers.Dense(32, activation="relu", name="dense_1")' in page.code[0].value
    page.number_input(key="set-share").set_value(0.01)
    page.number_input(key="set-epochs").set_value(1).run()
    page.button(key="train-start").click().run()
    assert not page.error
    (run,) = Runs().all()[0]
    until(page, lambda page: run.state.word == "finished")
    assert run.config.design == FIRST_DESIGN
    assert run.state.test_accuracy is not None
    page.selectbox(key="network-choice").set_value(run.id).run()
    page.switch_page("../pages/layers.py").run()
    assert not page.exception
    assert "16 kernels of 3 × 3 slide over the image" in texts(page)
    Runs().delete(run.id)


def test_a_design_that_is_gone_leaves_trains_field(page: AppTest) -> None:
    saved = save_design(FIRST_DESIGN)
    page.session_state["set-architecture"] = f"design:{saved.id}"
    delete_design(saved.id)
    page.switch_page("../pages/train.py").run()
    assert not page.exception
    assert page.selectbox(key="set-architecture").value == "classic"
