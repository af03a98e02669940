"""The Draw page: whose numbers it shows, and what may change the digit."""

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnn_core.data.digit import Digit, mnist_digit
from cnn_core.lab.requests import TraceRequest
from cnn_core.lab.supervisor import Lab
from cnn_core.networks.zoo import open_network
from tests.app.read import (
    shown_class,
    shown_digit,
    shown_network,
    shown_probabilities,
    texts,
)
from ui.state import FIRST_DIGIT

CLASSIC = open_network("classic")


def workers_answer(lab: Lab, digit: Digit, network: str = "classic") -> np.ndarray:
    """The probabilities, straight from a worker."""
    chosen = open_network(network)
    trace = lab.ask(TraceRequest(chosen.last, chosen.card.fit(digit.pixels)), time_limit=30)
    return trace.output


def test_a_new_visitor_finds_a_worked_example(page: AppTest, lab: Lab) -> None:
    assert not page.exception
    assert shown_digit(page) == mnist_digit(FIRST_DIGIT)
    expected = workers_answer(lab, mnist_digit(FIRST_DIGIT))
    np.testing.assert_array_equal(shown_probabilities(page), expected.astype(float))
    assert shown_class(page) == str(mnist_digit(FIRST_DIGIT).label)
    assert "NumPy" not in texts(page)  # a worker answered


def test_a_test_digit_by_number(page: AppTest, lab: Lab) -> None:
    page.number_input(key="digit-number").set_value(1234).run()
    assert shown_digit(page) == mnist_digit(1234)
    np.testing.assert_array_equal(
        shown_probabilities(page), workers_answer(lab, mnist_digit(1234)).astype(float)
    )


def test_a_number_can_be_entered_again_after_another_digit(page: AppTest) -> None:
    page.number_input(key="digit-number").set_value(5).run()
    page.button(key="random-digit").click().run()
    assert page.number_input(key="digit-number").value is None
    page.number_input(key="digit-number").set_value(5).run()
    assert shown_digit(page) == mnist_digit(5)


def test_random_test_digits_differ(page: AppTest, lab: Lab) -> None:
    seen = set()
    for _ in range(4):
        page.button(key="random-digit").click().run()
        seen.add(shown_digit(page).source)
        expected = workers_answer(lab, shown_digit(page))
        np.testing.assert_array_equal(shown_probabilities(page), expected.astype(float))
    assert len(seen) > 1


def test_the_other_network_answers_when_it_is_chosen(page: AppTest, lab: Lab) -> None:
    page.selectbox(key="network-choice").set_value("intro").run()
    expected = workers_answer(lab, mnist_digit(FIRST_DIGIT), "intro")
    np.testing.assert_array_equal(shown_probabilities(page), expected.astype(float))
    view, _ = shown_network(page)
    assert [layer["name"] for layer in view["layers"]] == [
        layer.name for layer in open_network("intro").graph
    ]


def test_the_network_view_gets_every_layer_as_the_worker_computed_it(
    page: AppTest, lab: Lab
) -> None:
    ref = CLASSIC.last
    pixels = CLASSIC.card.fit(mnist_digit(FIRST_DIGIT).pixels)
    trace = lab.ask(TraceRequest(ref, pixels), time_limit=30)
    view, tensors = shown_network(page)
    for layer, described in zip(trace, view["layers"], strict=True):
        assert described["name"] == layer.name
        np.testing.assert_array_equal(tensors[layer.name], layer.output)
    np.testing.assert_array_equal(tensors["output/before"], trace["output"].pre_activation)


def test_a_rerun_asks_the_lab_nothing_new(
    page: AppTest, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(lab, "submit", lambda *args: asked.append(args))
    page.run()
    page.run()
    assert not page.exception
    assert asked == []


def picture(value: int = 255, digit: int = 9) -> bytes:
    """A test digit as black ink on paper of a shade, enlarged."""
    image = np.repeat(np.repeat(mnist_digit(digit).bytes, 8, axis=0), 8, axis=1)
    paper = value - (image.astype(int) * value // 255)
    file = io.BytesIO()
    Image.fromarray(paper.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_an_uploaded_picture_becomes_the_digit(page: AppTest, lab: Lab) -> None:
    page.file_uploader(key="upload").set_value(("nine.png", picture(), "image/png")).run()
    digit = shown_digit(page)
    assert (digit.source, digit.label) == ("uploaded", None)
    np.testing.assert_array_equal(
        shown_probabilities(page), workers_answer(lab, digit).astype(float)
    )
    assert shown_class(page) == str(mnist_digit(9).label)


@pytest.mark.parametrize(
    "file",
    [b"", b"no picture", picture()[:200], picture(value=0), b"\x89PNG\r\n\x1a\n" + bytes(50)],
)
def test_a_bad_upload_is_said_in_one_sentence_and_the_digit_stays(
    page: AppTest, file: bytes
) -> None:
    page.number_input(key="digit-number").set_value(77).run()
    page.file_uploader(key="upload").set_value(("bad.png", file, "image/png")).run()
    assert not page.exception
    (error,) = page.error
    assert "\n" not in error.value
    assert shown_digit(page) == mnist_digit(77)
    page.button(key="random-digit").click().run()
    assert not page.error  # a good choice takes the sentence back


@pytest.mark.parametrize("number", [-1, 10_000, 10**9])
def test_a_number_past_the_forms_limits_is_refused_on_the_server(
    page: AppTest, number: int
) -> None:
    page.number_input(key="digit-number").set_value(number).run()
    assert not page.exception
    assert shown_digit(page) == mnist_digit(FIRST_DIGIT)


def test_without_a_lab_numpy_answers_and_says_so(page_without_lab: AppTest) -> None:
    page = page_without_lab
    assert not page.exception
    assert "Computed by NumPy" in texts(page)
    assert shown_class(page) == str(mnist_digit(FIRST_DIGIT).label)
    assert shown_probabilities(page).sum() == pytest.approx(1, abs=1e-6)


# What the canvas sends, taken in through the real callback


def canvas_script() -> None:
    import streamlit as st

    from ui import address
    from ui.panels import canvas

    address.begin_run("draw")
    if "sent" in st.session_state:
        st.session_state["arrived"] = {"drawing": st.session_state.sent}
        canvas._take("arrived")


def sent_by_canvas(drawing: Any) -> AppTest:
    app = AppTest.from_function(canvas_script, default_timeout=30).run()
    app.session_state["sent"] = drawing
    return app.run()


def drawn_png(side: int = 280) -> str:
    image = np.zeros((side, side, 4), np.uint8)
    image[40:240, 130:150] = 255
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


STROKES = [{"type": "Path", "path": [["M", 1, 2]]}]


def test_a_new_stroke_changes_the_digit_and_is_kept() -> None:
    app = sent_by_canvas({"raw": {"objects": STROKES}, "data": drawn_png()})
    assert app.session_state["digit"].source == "drawn"
    assert list(app.session_state["canvas"].strokes) == STROKES
    assert app.session_state["notice"] == ""


def test_a_cleared_canvas_keeps_the_digit() -> None:
    blank = io.BytesIO()
    Image.new("RGBA", (280, 280)).save(blank, "PNG")
    url = "data:image/png;base64," + base64.b64encode(blank.getvalue()).decode()
    app = sent_by_canvas({"raw": {"objects": []}, "data": url})
    assert app.session_state["digit"] == mnist_digit(FIRST_DIGIT)
    assert app.session_state["canvas"].strokes == ()
    assert app.session_state["notice"] == ""


@pytest.mark.parametrize(
    "drawing",
    [
        {"raw": {"objects": STROKES}, "data": "data:image/png;base64,AAAA"},
        {"raw": {"objects": STROKES}, "data": drawn_png(300)},
        {"raw": {"objects": STROKES}, "data": 5},
        {"raw": {"objects": STROKES}},
        {"raw": {"objects": "many"}, "data": drawn_png()},
        {"raw": {"objects": [1, 2]}, "data": drawn_png()},
        {"raw": [], "data": drawn_png()},
        "a drawing",
        None,
        7,
    ],
)
def test_a_strange_payload_is_said_in_one_sentence_and_the_digit_stays(drawing: Any) -> None:
    app = sent_by_canvas(drawing)
    assert not app.exception
    assert app.session_state["digit"] == mnist_digit(FIRST_DIGIT)
    assert app.session_state["notice"]
    assert "\n" not in app.session_state["notice"]
