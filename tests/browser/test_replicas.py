"""Two servers on one folder, a visitor at each: a run of the one is followed from the other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnn_core.training.runs import Runs
from tests.browser.server import Server
from tests.browser.test_train import opened, press, state_of
from tests.browser.visitor import Visitor, expect

Visit = Callable[..., Visitor]


def test_a_run_of_one_server_is_paused_renamed_and_stopped_on_another(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    monkeypatch.setenv("CONVSCOPE_TRAIN_SPARE", "0")  # the other one trains nothing
    with Server(home=tmp_path) as one, Server(home=tmp_path) as other:
        here = opened(visit, one, "0.05", "200")
        press(here, "train-start")
        expect(state_of(here)).to_contain_text("running", timeout=90_000)
        (run,) = Runs().all()[0]
        there = visit(other, "train")
        expect(state_of(there)).to_contain_text("running")
        press(there, "train-pause")
        for visitor in (there, here):
            expect(state_of(visitor)).to_contain_text("paused")
        run.rename("seen by two")
        press(here, "train-resume")
        for visitor in (here, there):
            expect(state_of(visitor)).to_contain_text("running")
        press(there, "train-stop")
        for visitor in (there, here):
            expect(state_of(visitor)).to_contain_text("stopped", timeout=60_000)
        assert run.name == "seen by two"
        for visitor in (there, here):
            visitor.leave()
        assert one.complaints() == other.complaints() == []
