"""Two servers on one folder, a visitor at each: a run of the one is followed from the other."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnn_core.training.runs import Runs
from tests.browser.server import Server
from tests.browser.test_train import opened, press, state_of
from tests.browser.visitor import Visitor, expect

Visit = Callable[..., Visitor]
AN_EPOCH = 38  # steps: of a twentieth of the digits, four fifths, in batches of 64


def test_a_run_is_ordered_about_from_another_server_and_outlives_its_own(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paused and renamed from the other server; then its own is killed: the other one goes on from
    the last whole epoch."""
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    monkeypatch.setenv("CONVSCOPE_TRAIN_SPARE", "0")  # the other one has nothing ready to train
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
        end = time.monotonic() + 60
        while run.state.step <= AN_EPOCH:
            assert time.monotonic() < end
            time.sleep(0.05)
        here.leave()
        one.crash()
        expect(state_of(there)).to_contain_text("interrupted", timeout=30_000)
        before = run.history()
        epochs = len(before.val_loss)
        assert epochs >= 1
        press(there, "train-again")
        expect(state_of(there)).to_contain_text("running", timeout=90_000)
        press(there, "train-stop")
        expect(state_of(there)).to_contain_text("stopped", timeout=60_000)
        there.leave()
        assert one.complaints() == other.complaints() == []
    assert run.name == "seen by two"
    after, kept = run.history(), epochs * AN_EPOCH
    np.testing.assert_array_equal(after.step, range(1, len(after.step) + 1))
    np.testing.assert_array_equal(after.loss[:kept], before.loss[:kept])
    np.testing.assert_array_equal(after.val_loss[:epochs], before.val_loss)
