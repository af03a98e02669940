"""The Train page: what is asked for is trained, what cannot be is refused."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.data.digit import mnist_digit
from cnn_core.lab.requests import TraceRequest
from cnn_core.lab.supervisor import Lab
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.training.config import COURSE, FAST
from cnn_core.training.control import Order
from cnn_core.training.run import Run
from cnn_core.training.run_state import LIVING, RunState
from cnn_core.training.runs import Runs
from tests.app.conftest import SHELL
from tests.app.read import shown_probabilities, texts
from ui import ask, state
from ui.state import FIRST_DIGIT

TRAIN = "../pages/train.py"


@pytest.fixture
def page(lab: Lab) -> Iterator[AppTest]:
    """Train, as somebody finds it who has no runs."""
    for run in Runs().all()[0]:
        Runs().delete(run.id)
    ask.use(lab)
    app = AppTest.from_file(SHELL, default_timeout=60)
    app.switch_page(TRAIN)
    yield app.run()
    for run in Runs().all()[0]:
        if run.state.word in LIVING:
            lab.trainings.give(run.id, Order("stop"))
            wait(run, lambda run: run.state.word not in LIVING)


def wait(run: Run, until: Callable[[Run], bool]) -> None:
    end = time.monotonic() + 90
    while not until(run):
        assert time.monotonic() < end, run.state
        time.sleep(0.05)


def ended(run: Run) -> bool:
    return run.state.word not in LIVING


def set_up_small(page: AppTest) -> None:
    """600 digits, one epoch."""
    page.number_input(key="set-share").set_value(0.01)
    page.number_input(key="set-epochs").set_value(1).run()


def started(page: AppTest) -> Run:
    page.button(key="train-start").click().run()
    assert not page.exception
    return Runs().all()[0][0]


def test_a_new_visitor_finds_the_courses_recipe(page: AppTest) -> None:
    assert not page.exception
    assert "3,750 steps of 64 digits; 48,000 to learn from, 12,000 held out." in [
        caption.value for caption in page.caption
    ]
    code = next(block.value for block in page.code if "model.fit" in block.value)
    assert "model.fit(x_train, y_train, batch_size=64, epochs=5, validation_split=0.2)" in code
    assert "keras.optimizers.Adam(0.001)" in code


def test_the_fast_recipe_fills_the_fields(page: AppTest, lab: Lab) -> None:
    page.button(key="recipe-Fast").click().run()
    assert started(page).config == FAST
    page.button(key="recipe-The course's").click().run()
    assert page.number_input(key="set-epochs").value == COURSE.epochs


def test_what_is_trained_becomes_a_network_of_every_page(page: AppTest, lab: Lab) -> None:
    set_up_small(page)
    run = started(page)
    wait(run, ended)
    assert (run.state.word, run.config.share, run.config.epochs) == ("finished", 0.01, 1)
    page.run()
    assert f"{run.state.test_accuracy:.2%} of 10,000 test digits right" in texts(page)
    page.switch_page("../pages/draw.py").run()
    page.selectbox(key="network-choice").set_value(run.id).run()
    ref = open_network(run.id).last
    trace = lab.ask(
        TraceRequest(ref, open_network(run.id).card.fit(mnist_digit(FIRST_DIGIT).pixels)),
        time_limit=60,
    )
    np.testing.assert_array_equal(shown_probabilities(page), trace.output.astype(float))
    assert page.session_state["network"] == ref


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"batch_size": 60_000}, "does not fit into the 48,000 digits"),
        ({"share": 0.0005}, "does not fit into the 24 digits"),
        ({"validation_split": 0.95, "share": 0.01}, "does not fit into the 30 digits"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    page: AppTest, changes: dict[str, float], why: str
) -> None:
    for name, value in changes.items():
        page.number_input(key=f"set-{name}").set_value(value)
    page.run()
    assert not page.exception
    assert any(why in error.value for error in page.error)
    assert page.button(key="train-start").disabled
    assert Runs().all()[0] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("learning_rate", 0.0), ("learning_rate", -1.0), ("validation_split", 1.0), ("epochs", 0),
     ("share", 7.0), ("seed", -3), ("batch_size", 0)],
)  # fmt: skip
def test_values_past_the_forms_limits_are_not_taken(page: AppTest, name: str, value: float) -> None:
    page.number_input(key=f"set-{name}").set_value(value).run()
    assert not page.exception
    assert page.session_state[f"set-{name}"] != value


def test_a_reload_finds_the_training_again(page: AppTest, lab: Lab) -> None:
    set_up_small(page)
    page.number_input(key="set-epochs").set_value(50).run()
    run = started(page)
    wait(run, lambda run: run.state.word == "running")
    other = AppTest.from_file(SHELL, default_timeout=60)
    other.switch_page(TRAIN)
    other.run()
    assert "running" in texts(other)
    other.button(key="train-pause").click().run()
    wait(run, lambda run: run.state.word == "paused")
    other.run()
    other.button(key="train-batch").click().run()
    other.button(key="train-stop").click().run()
    wait(run, ended)
    assert run.state.word == "stopped"
    other.run()
    set_up = next(block for block in other.expander if block.label == "Set-up")
    assert not set_up.proto.expanded  # what was looked at stays where it is


def test_a_moment_that_is_gone_gives_way_with_a_notice(page: AppTest) -> None:
    page.session_state["network"] = NetworkRef("classic", 7777)
    page.run()
    assert not page.exception
    assert page.session_state["network"] == open_network("classic").last
    assert any("no frame at step 7777" in error.value for error in page.error)


def test_a_link_to_a_deleted_run_opens_the_first_network(page: AppTest, lab: Lab) -> None:
    set_up_small(page)
    run = started(page)
    wait(run, ended)
    Runs().delete(run.id)
    other = AppTest.from_file(SHELL, default_timeout=60)
    other.query_params["network"] = run.id
    other.switch_page(TRAIN)
    other.run()
    assert not other.exception
    assert other.session_state["network"] == open_network("classic").last
    assert any("may have been deleted" in error.value for error in other.error)


def test_ones_own_digits_are_trained_on_and_read_before_and_after(page: AppTest, lab: Lab) -> None:
    page.selectbox(key="own-label").set_value(3).run()
    page.button(key="own-collect").click().run()
    page.toggle(key="own-use").set_value(True)
    page.selectbox(key="set-begin").set_value("as in the sidebar")
    page.number_input(key="set-learning_rate").set_value(1e-4)
    set_up_small(page)
    run = started(page)
    wait(run, ended)
    assert run.config.start == open_network("classic").last
    page.run()
    shown = texts(page)
    assert "<th>before</th>" in shown
    assert "for 3" in shown
    assert f"{run.state.test_accuracy:.2%}" in shown
    later = AppTest.from_file(SHELL, default_timeout=60)  # the run has kept them
    later.switch_page(TRAIN)
    assert "for 3" in texts(later.run())


def test_a_damaged_run_is_named_and_the_others_stand(page: AppTest, lab: Lab) -> None:
    good, bad = Runs().create(COURSE, "good"), Runs().create(COURSE, "bad")
    for run in (good, bad):
        run.tell(run.state.__class__("stopped"))
    (bad.folder / "config.json").write_text("{")
    page.run()
    assert not page.exception
    assert any(bad.id in warning.value for warning in page.warning)
    assert page.dataframe[0].value["Run"].tolist() == ["good"]
    (bad.folder / "config.json").write_text((good.folder / "config.json").read_text())


def test_a_server_without_a_lab_says_that_nothing_can_be_trained(page: AppTest) -> None:
    ask.use(None)
    page.run()
    assert not page.exception
    assert any("nothing can be trained" in error.value for error in page.error)


def test_in_a_classroom_runs_are_their_makers_and_a_link_shares(
    page: AppTest, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSCOPE_CLASSROOM", "1")
    mine, theirs = "a" * 32, "b" * 32
    page.session_state["owner"] = mine
    set_up_small(page)
    run = started(page)
    assert run.owner == mine
    wait(run, ended)
    page.run()
    assert page.dataframe[0].value["Run"].tolist() == [run.name]
    other = AppTest.from_file(SHELL, default_timeout=60)
    other.session_state["owner"] = theirs
    other.switch_page(TRAIN)
    other.run()
    assert not other.exception
    assert not other.dataframe
    assert run.id not in other.selectbox(key="network-choice").options
    shared = AppTest.from_file(SHELL, default_timeout=60)
    shared.session_state["owner"] = theirs
    shared.query_params["network"] = run.id
    shared.switch_page("../pages/draw.py")
    shared.run()
    assert shared.session_state["network"].id == run.id


@pytest.mark.parametrize("token", [None, 7, "", "x" * 32, "A" * 32, "a" * 31, ["a" * 32], {}])
def test_a_token_that_is_none_changes_nothing(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, token: object
) -> None:
    monkeypatch.setenv("CONVSCOPE_CLASSROOM", "1")
    page.session_state["owner"] = "c" * 32
    monkeypatch.setattr("streamlit.session_state", page.session_state)
    state.take_owner(token)
    assert page.session_state["owner"] == "c" * 32
    state.take_owner("d" * 32)
    assert page.session_state["owner"] == "d" * 32


def test_a_run_that_failed_can_go_on(page: AppTest) -> None:
    Runs().create(FAST).tell(RunState("failed", step=1, message="There was no room."))
    page.run()
    assert any(one.key == "train-again" for one in page.button)


def test_a_deleted_start_or_a_damaged_history_leaves_the_table_of_runs(page: AppTest) -> None:
    gone = NetworkRef("0123456789abcdef", 5)
    runs = [Runs().create(replace(FAST, start=gone)), Runs().create(FAST)]
    for run in runs:
        run.tell(RunState("stopped", step=5))
        (run.folder / "history.csv").write_text("kind,step\n\0\0\0,x,\n")
    page.session_state["own-digits"] = [(mnist_digit(0), 7)]
    page.session_state["run"] = runs[0].id
    page.run()
    assert not page.exception
    assert "What changed cannot be shown. There is no network" in texts(page)
    table = page.dataframe[0].value
    assert sorted(table["Run"]) == sorted(run.name for run in runs)
