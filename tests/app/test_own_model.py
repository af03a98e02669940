"""A network of one's own: uploaded, refused, looked through on every page, deleted."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.course.lesson import load_course
from cnn_core.lab.requests import TraceRequest
from cnn_core.lab.supervisor import Lab
from cnn_core.lab.uploads import receive
from cnn_core.networks.upload.kept import Told
from cnn_core.networks.zoo import Network, open_network, uploaded_networks
from tests.app.conftest import SHELL
from tests.app.read import html_of, texts, until
from ui import ask

ROOT = Path(__file__).parents[2]
PAGES = (
    "draw", "layers", "train", "filters", "evaluate", "explain", "playground", "architectures",
    "about", "lessons",
)  # fmt: skip
_SAVE = """
import sys
from cnn_core.lab.bare_keras import bare_keras
with bare_keras():
    from tests.core.keras_files import colour, residual, small
for build in (small, colour, residual):
    build().save(f"{sys.argv[1]}/{build.__name__}.keras")
"""


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Saved in a process of their own: this one is to be free of Keras."""
    folder = tmp_path_factory.mktemp("files")
    subprocess.run([sys.executable, "-c", _SAVE, str(folder)], check=True, cwd=ROOT)
    return {file.stem: file.read_bytes() for file in folder.glob("*.keras")}


@pytest.fixture(scope="session")
def networks(files: dict[str, bytes]) -> dict[str, Network]:
    """28×28×1 of ten digits; 32×32×3 of a hundred classes; 64×48×1 of seven."""
    return {
        "small": receive(files["small"], Told("Small", dataset="mnist")),
        "colour": receive(files["colour"], Told("Colour", (0.0, 255.0))),
        "residual": receive(files["residual"], Told("Residual", class_names=tuple("abcdefg"))),
    }


@pytest.fixture
def opened(lab: Lab) -> Iterator[Callable[..., AppTest]]:
    ask.use(lab)

    def open_page(name: str = "architectures", **link: str) -> AppTest:
        app = AppTest.from_file(SHELL, default_timeout=90)
        for key, value in link.items():
            app.query_params[key] = value
        app.session_state["architectures-part"] = "Open your own"
        app.switch_page(f"../pages/{name}.py")
        app.run()
        assert not app.exception
        return app

    yield open_page
    ask.use(None)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("which", ["small", "colour", "residual"])
def test_every_page_works_with_it(
    opened: Callable[..., AppTest], networks: dict[str, Network], which: str, page: str
) -> None:
    app = opened(page, network=networks[which].id)
    assert [error.value for error in app.error] == []
    assert app.session_state["network"].id == networks[which].id


@pytest.mark.parametrize("which", ["colour", "residual"])
def test_every_card_of_the_lessons_stands_it(
    opened: Callable[..., AppTest], networks: dict[str, Network], which: str
) -> None:
    app = opened("lessons", network=networks[which].id)
    for lesson in load_course():
        for k in range(1, len(lesson.cards) + 1):
            app.session_state["place"] = app.session_state["entered"] = (lesson.number, k)
            app.run()
            assert not app.exception, (lesson.number, k)


@pytest.mark.parametrize(
    "part", ["Scores", "Mistakes", "Guess", "Calibration", "Map", "Robustness"]
)
def test_evaluate_says_that_there_are_no_test_images(
    opened: Callable[..., AppTest], networks: dict[str, Network], part: str
) -> None:
    app = opened("evaluate", network=networks["residual"].id)
    app.button_group(key="evaluate-part").set_value(part).run()
    assert not app.exception
    assert "There are no test images for Residual" in texts(app)
    assert not app.get("plotly_chart")


def test_compare_meets_on_the_digit_only(
    opened: Callable[..., AppTest], networks: dict[str, Network]
) -> None:
    app = opened("evaluate", network=networks["colour"].id)
    app.button_group(key="evaluate-part").set_value("Compare").run()
    app.selectbox(key="compare-network-0").set_value("classic").run()
    assert not app.exception
    assert "no test images for all of them" in texts(app)


def test_of_digits_it_is_evaluated_at_its_own_size(
    opened: Callable[..., AppTest], files: dict[str, bytes]
) -> None:
    network = receive(files["small"], Told("Tested", dataset="mnist"))
    app = opened("evaluate", network=network.id)
    until(app, lambda page: "95% interval" in texts(page))
    assert "of 10,000 test digits right" in texts(app)


def test_of_a_hundred_classes_the_ten_greatest_stand_there_as_keras_has_them(
    opened: Callable[..., AppTest], networks: dict[str, Network], lab: Lab
) -> None:
    network = networks["colour"]
    app = opened("draw", network=network.id)
    digit = app.session_state["digit"]
    trace = lab.ask(TraceRequest(network.last, network.card.fit(digit.pixels)), time_limit=60)
    values = [float(value) for value in re.findall(r'data-value="([^"]+)"', texts(app))]
    np.testing.assert_allclose(values, np.sort(trace.output)[::-1][:10], rtol=1e-6)
    assert "The 10 greatest of 100" in texts(app)


def test_a_training_cannot_begin_with_one_of_another_size(
    opened: Callable[..., AppTest], networks: dict[str, Network]
) -> None:
    app = opened("train", network=networks["colour"].id)
    app.selectbox(key="set-begin").set_value("as in the sidebar").run()
    assert not app.exception
    (error,) = app.error
    assert "Colour reads 32×32×3 images from -1 to 1 and tells 100 apart" in error.value
    assert app.button(key="train-start").disabled


def test_a_file_is_opened_and_becomes_the_present_network(
    opened: Callable[..., AppTest], files: dict[str, bytes]
) -> None:
    app = opened()
    app.file_uploader(key="own-model-file-0").set_value(("mine.keras", files["small"], "")).run()
    app.text_input(key="own-model-names").set_value("a, b, c, d, e, f, g, h, i, j").run()
    app.button(key="own-model-open").click().run(timeout=90)
    assert not app.exception
    network = open_network(app.session_state["network"].id)
    assert network.card.title == "mine"
    assert network.card.class_names == tuple("abcdefghij")
    assert network.dataset is None
    assert "10 classes: a, b, c, d, e, f, g, h, i, j" in texts(app)
    assert not app.error


def test_a_refusal_says_why_and_changes_nothing(
    opened: Callable[..., AppTest], files: dict[str, bytes]
) -> None:
    app = opened()
    before = list(uploaded_networks())
    cut = files["small"][:1000]
    app.file_uploader(key="own-model-file-0").set_value(("cut.keras", cut, "")).run()
    app.button(key="own-model-open").click().run()
    assert not app.exception
    (error,) = app.error
    assert "truncated" in error.value
    assert app.session_state["network"].id == "classic"
    assert list(uploaded_networks()) == before


def test_a_deleted_one_is_left(opened: Callable[..., AppTest], files: dict[str, bytes]) -> None:
    network = receive(files["small"], Told("Gone soon"))
    app = opened(network=network.id)
    app.button(key=f"own-delete-{network.id}").click().run()
    assert not app.exception
    assert app.session_state["network"].id == "classic"
    assert network.id not in uploaded_networks()
    assert not app.error


def test_in_a_classroom_others_are_not_listed_but_a_link_opens_them(
    opened: Callable[..., AppTest], files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSCOPE_CLASSROOM", "1")
    network = receive(files["small"], Told("Somebody’s"), owner="a" * 32)
    assert f"own-row-{network.id}" not in str(opened().main)
    app = opened(network=network.id)
    assert app.session_state["network"].id == network.id
    with pytest.raises(KeyError):
        app.button(key=f"own-delete-{network.id}")


@pytest.mark.parametrize("part", ["Input", "Convolution", "Activation", "Flatten and dense"])
@pytest.mark.parametrize("which", ["colour", "residual"])
def test_the_playground_takes_its_parts_from_it(
    opened: Callable[..., AppTest], networks: dict[str, Network], which: str, part: str
) -> None:
    app = opened("playground", network=networks[which].id)
    app.button_group(key="play-part").set_value(part).run()
    assert not app.exception
    assert [error.value for error in app.error] == []


def test_without_its_training_nothing_is_compared_with_a_start(
    opened: Callable[..., AppTest], networks: dict[str, Network]
) -> None:
    app = opened("filters", network=networks["colour"].id)
    assert list(app.button_group(key="filter-weights").options) == ["At this moment"]
    assert "How it was learned" not in [header.value for header in app.header]
    explained = opened("explain", network=networks["colour"].id)
    assert "nobody knows how it began" in texts(explained)


def test_the_digit_is_seen_at_the_networks_size(
    opened: Callable[..., AppTest], networks: dict[str, Network]
) -> None:
    app = opened("draw", network=networks["residual"].id)
    assert "as 64 × 48 × 1" in html_of(app, "cs-figure")
