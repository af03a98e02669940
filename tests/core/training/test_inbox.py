"""Orders as lines of a file: read once by each reader, in order, whole."""

from pathlib import Path

import pytest

from cnn_core.errors import RunError
from cnn_core.training.config import TrainingConfig
from cnn_core.training.control import Order
from cnn_core.training.run import Run
from cnn_core.training.runs import Runs


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Runs(tmp_path / "runs").create(TrainingConfig(share=0.02))


def test_every_reader_gets_every_order_once_in_the_order_given(run: Run) -> None:
    first = run.inbox
    assert first.read() == []  # nothing was ever ordered
    run.inbox.put(Order("pause"))
    assert first.read() == [Order("pause")]
    run.inbox.put(Order(rate=0.01))
    run.inbox.put(Order("stop"))
    assert first.read() == [Order(rate=0.01), Order("stop")]
    assert first.read() == []
    # Who takes the training over begins with what its forerunner was told.
    assert run.inbox.read() == [Order("pause"), Order(rate=0.01), Order("stop")]


def test_an_order_that_is_half_written_waits_for_its_end(run: Run) -> None:
    inbox = run.inbox
    with (run.folder / "orders.jsonl").open("a") as file:
        file.write('{"word": "pau')
        file.flush()
        assert inbox.read() == []
        file.write('se", "rate": null}\n')
    assert inbox.read() == [Order("pause")]


def test_an_order_that_a_full_disk_cut_short_is_left_out(run: Run) -> None:
    (run.folder / "orders.jsonl").write_text('{"word": "pa\n')
    run.inbox.put(Order("stop"))
    assert run.inbox.read() == [Order("stop")]


def test_a_run_that_begins_anew_has_no_orders(run: Run) -> None:
    run.inbox.put(Order("stop"))
    run.inbox.clear()
    assert run.inbox.read() == []
    run.inbox.put(Order("pause"))
    assert run.inbox.read() == [Order("pause")]


def test_a_deleted_run_takes_no_orders(run: Run) -> None:
    inbox = run.inbox
    for file in run.folder.iterdir():
        file.unlink()
    run.folder.rmdir()
    with pytest.raises(RunError, match="cannot be handed over"):
        inbox.put(Order("stop"))
    assert inbox.read() == []
