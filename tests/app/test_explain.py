"""The Explain page: what it shows is the worker's, and what cannot be explained is said."""

import base64
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.digit import Digit, mnist_digit
from cnn_core.data.variations import VARIATIONS
from cnn_core.errors import InkError
from cnn_core.lab.requests import AnswersRequest, AttributionRequest, FoolRequest
from cnn_core.lab.supervisor import Lab
from cnn_core.networks.zoo import open_network
from tests.app.conftest import SHELL
from tests.app.read import texts
from ui import ask
from ui.painter import painted
from ui.panels.attributions import rank_correlation
from ui.state import FIRST_DIGIT

EXPLAIN = "../pages/explain.py"
SLIDERS = ("noise", "shift", "turn", "thickness")
LAST = open_network("classic").last
PIXELS = open_network("classic").card.fit(mnist_digit(FIRST_DIGIT).pixels)


def opened(lab: Lab | None, **link: str) -> AppTest:
    ask.use(lab)
    app = AppTest.from_file(SHELL, default_timeout=60)
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page(EXPLAIN)
    return app.run()


def said(page: AppTest) -> str:
    return " ".join([*(info.value for info in page.info), texts(page)])


def test_all_six_methods_stand_side_by_side(lab: Lab) -> None:
    page = opened(lab)
    assert not page.exception
    assert not page.error
    shown = texts(page)
    for method in ("gradient", "smoothgrad", "integrated", "gradcam", "gradcam++", "occlusion"):
        assert f'data-method="{method}"' in shown
    found = lab.ask(AttributionRequest(LAST, PIXELS, 3, "conv_3"), time_limit=60)["integrated"]
    assert f"**{float(found.values.sum()):.4f}**" in shown
    assert f"**{found.logit - found.baseline_logit:.4f}**" in shown


@pytest.mark.parametrize(
    "method", ["gradient", "smoothgrad", "integrated", "gradcam", "gradcam++", "occlusion"]
)
def test_each_method_is_put_to_the_test(lab: Lab, method: str) -> None:
    page = opened(lab)
    page.button_group(key="explain-method").set_value(method).run()
    assert not page.exception
    assert "at random" in texts(page)
    assert "Rank correlation" in texts(page)


def test_another_class_is_explained(lab: Lab) -> None:
    page = opened(lab)
    page.selectbox(key="explain-class").set_value(8).run()
    found = lab.ask(AttributionRequest(LAST, PIXELS, 8, "conv_3"), time_limit=60)["integrated"]
    assert f"**{float(found.values.sum()):.4f}**" in texts(page)


def test_a_black_digit_and_a_network_without_convolutions_get_a_sentence(lab: Lab) -> None:
    black = Digit.of_bytes(np.zeros((28, 28), np.uint8), "made")
    page = opened(lab, digit=black.token)
    assert not page.exception
    assert "all black" in said(page)


def test_without_a_lab_the_page_stands_and_says_why(lab: Lab) -> None:
    page = opened(None)
    assert not page.exception
    assert "started without its lab" in said(page)


def test_the_fooled_digit_can_be_put_under_the_lens(lab: Lab) -> None:
    page = opened(lab)
    steps: Any = lab.ask(FoolRequest(LAST, PIXELS), time_limit=60)
    assert f"**{steps.smallest} of 255**" in texts(page)
    page.button(key="fool-use").click().run()
    assert not page.exception
    digit = page.session_state["digit"]
    assert digit.source == "made"
    answer = lab.ask(
        AnswersRequest(LAST, open_network("classic").card.fit(digit.pixels)[None]), time_limit=30
    )
    # The image is k/255 again, so its answer is the one that was shown.
    np.testing.assert_allclose(answer[0], steps.probabilities[steps.smallest], atol=1e-4)


def test_the_curves_of_change_are_the_networks(lab: Lab) -> None:
    page = opened(lab)
    for name in SLIDERS:
        variation = VARIATIONS[name]
        amount = variation.amounts[-1]
        page.select_slider(key=f"vary-amount-{name}").set_value(amount)
    page.run()
    assert not page.exception
    shown = [caption.value for caption in page.caption if caption.value.startswith("Here: ")]
    for variation in map(VARIATIONS.__getitem__, SLIDERS):
        changed = variation.all_of(mnist_digit(FIRST_DIGIT).pixels)[-1]
        image = open_network("classic").card.fit(changed)[None]
        answer = lab.ask(AnswersRequest(LAST, image), time_limit=30)[0]
        assert any(caption.startswith(f"Here: {answer.argmax()} ") for caption in shown)


def test_a_painting_becomes_the_digit() -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    sent = base64.b64encode(image.tobytes()).decode()
    np.testing.assert_array_equal(painted(sent), image)


@pytest.mark.parametrize("sent", [None, 3, "", "AAAA", "?" * 1046, "A" * 10**6, [1], b"x"])
def test_a_painting_that_is_none_is_refused(sent: object) -> None:
    with pytest.raises(InkError, match="no 28×28 image"):
        painted(sent)


def test_rank_correlation_is_spearmans() -> None:
    # By hand: ranks (1, 2.5, 2.5, 4) and (1, 3, 2, 4).
    assert rank_correlation(np.array([0, 5, 5, 9]), np.array([1, 8, 4, 10])) == pytest.approx(
        np.corrcoef([1, 2.5, 2.5, 4], [1, 3, 2, 4])[0, 1]
    )
    assert rank_correlation(np.zeros(4), np.arange(4)) == 0
