"""What surrounds every page: the sidebar, the link, the other pages."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.digit import Digit, mnist_digit
from cnn_core.errors import DataError, WorkerLost, WorkFailed
from cnn_core.lab.requests import TraceRequest
from cnn_core.lab.supervisor import Lab
from cnn_core.networks.zoo import open_network, shipped_networks
from tests.app.conftest import SHELL
from tests.app.read import html_of, shown_digit, shown_probabilities, texts
from ui import ask

ROOT = Path(__file__).parents[2]


def opened_with(lab: Lab, **link: str) -> AppTest:
    ask.use(lab)
    app = AppTest.from_file(SHELL, default_timeout=30)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def test_a_link_reopens_its_digit_and_its_network(lab: Lab) -> None:
    drawn = Digit.of_bytes(mnist_digit(4).bytes[::-1].copy(), "drawn")
    page = opened_with(lab, digit=drawn.token, network="intro")
    assert shown_digit(page) == drawn
    intro = open_network("intro")
    expected = lab.ask(TraceRequest(intro.last, intro.card.fit(drawn.pixels)), time_limit=30)
    np.testing.assert_array_equal(shown_probabilities(page), expected.output.astype(float))


@pytest.mark.parametrize(
    "link",
    [
        {"digit": "test-10000"},
        {"digit": "d.AAAA"},
        {"digit": ""},
        {"digit": "d." + "A" * 5000},
        {"network": "alexnet"},
        {"network": "../../etc"},
    ],
)
def test_nonsense_in_a_link_opens_the_page_with_one_sentence(lab: Lab, link: dict) -> None:
    page = opened_with(lab, **link)
    assert not page.exception
    (error,) = page.error
    assert "\n" not in error.value
    assert shown_probabilities(page).sum() == pytest.approx(1, abs=1e-5)


def test_the_digit_is_the_same_on_every_page(page: AppTest) -> None:
    page.number_input(key="digit-number").set_value(1234).run()
    page.switch_page("../pages/about.py").run()
    assert not page.exception
    assert "MNIST test digit 1234" in html_of(page, "cs-card")
    page.switch_page("../pages/draw.py").run()
    assert shown_digit(page) == mnist_digit(1234)


def test_about_tells_how_the_lab_is_and_what_is_shipped(page: AppTest, lab: Lab) -> None:
    page.switch_page("../pages/about.py").run()
    assert not page.exception
    assert f"{lab.status('look').state}." in texts(page)
    table = page.dataframe[0].value
    assert set(table["Parameters"]) >= {93_322, 347_146}
    assert len(table) == len(shipped_networks())
    assert table["Test digits right"].min() > 0.94


def test_a_lab_that_dies_under_a_page_is_replaced_by_numpy(page: AppTest, lab: Lab) -> None:
    """The worker is gone in mid-request: the same run answers all the same."""
    ask._keras_trace.cache_clear()

    def lost(*args: object) -> None:
        raise WorkerLost("The lab's worker ended in mid-work.")

    real, lab.ask = lab.ask, lost  # type: ignore[method-assign, assignment]
    try:
        page.number_input(key="digit-number").set_value(5).run()
    finally:
        lab.ask = real  # type: ignore[method-assign]
    assert not page.exception
    assert shown_digit(page) == mnist_digit(5)
    assert shown_probabilities(page).sum() == pytest.approx(1, abs=1e-5)


def test_the_server_process_never_imports_keras() -> None:
    script = f"""
import sys
import app
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("{SHELL}", default_timeout=60).run()
page.switch_page("../pages/about.py").run()
assert not page.exception, page.exception
heavy = [m for m in sys.modules if m.split(".")[0] in ("tensorflow", "keras")]
heavy += [m for m in sys.modules if m == "matplotlib.pyplot"]
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, timeout=120)


def test_no_text_on_a_page_is_machine_speak(page: AppTest) -> None:
    shown = texts(page)
    assert "nan" not in shown.split()
    assert "NetworkRef" not in shown


def test_a_half_good_link_opens_its_good_half(lab: Lab) -> None:
    page = opened_with(lab, digit="garbage", network="intro")
    assert len(page.error) == 1
    assert page.selectbox(key="network-choice").value == "intro"


def test_work_that_fails_is_said_once_and_logged(
    page: AppTest, lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ask._keras_trace.cache_clear()

    def failed(*args: object) -> None:
        raise WorkFailed("The lab could not work this out: OutOfRange.", "Traceback …")

    monkeypatch.setattr(lab, "ask", failed)
    page.number_input(key="digit-number").set_value(6).run()
    assert not page.exception
    assert "OutOfRange" in texts(page)
    assert shown_digit(page) == mnist_digit(6)
    assert "Traceback …" in caplog.text


def test_missing_data_is_one_sentence_on_every_page(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: object) -> None:
        raise DataError("The MNIST digits cannot be read. Restore them.")

    from ui import state

    monkeypatch.setattr(state, "mnist_digit", gone)
    for path in ("../pages/draw.py", "../pages/about.py"):
        fresh = AppTest.from_file(SHELL, default_timeout=30)
        fresh.switch_page(path).run()
        assert not fresh.exception
        assert [error.value for error in fresh.error] == [
            "The MNIST digits cannot be read. Restore them."
        ]
