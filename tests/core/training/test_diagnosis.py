"""Warnings apply when they should, and not else."""

import numpy as np
import pytest

from cnn_core.training.diagnosis import smoothed, warnings_of
from cnn_core.training.tables import History


def history(
    loss: list[float], accuracy: list[float], own: list[float], held_out: list[float]
) -> History:
    steps, epochs = np.arange(len(loss)) + 1, np.arange(len(own)) + 1
    nothing = np.full(len(own), np.nan)
    return History(
        steps, np.array(loss), np.array(accuracy), np.full(len(loss), 1e-3),
        epochs, np.array(own), nothing, np.array(held_out), nothing,
    )  # fmt: skip


WELL = [1.0] * 300, [0.9] * 300


@pytest.mark.parametrize(
    ("own", "held_out", "overfits"),
    [
        ([1, 0.5, 0.3, 0.2], [1, 0.6, 0.7, 0.8], True),
        ([1, 0.5, 0.3, 0.2], [1, 0.6, 0.5, 0.4], False),
        ([1, 0.5, 0.6, 0.7], [1, 0.6, 0.7, 0.8], False),  # both rise: not that
        ([1, 0.5, 0.3, 0.2], [1, 0.6, 0.601, 0.602], False),  # within noise
        ([1, 0.5], [1, 1.5], False),  # too early to say
        ([1, 0.5, 0.3, 0.2], [np.nan] * 4, False),  # nothing was held out
    ],
)
def test_overfitting_is_said_when_the_held_out_loss_turns(
    own: list[float], held_out: list[float], overfits: bool
) -> None:
    found = warnings_of(history(*WELL, own, held_out))
    assert any("overfits" in sentence for sentence in found) == overfits


@pytest.mark.parametrize(("share", "count", "said"), [(0.1, 200, True), (0.5, 200, False),
                                                      (0.1, 20, False)])  # fmt: skip
def test_nothing_learned_is_said_after_a_while(share: float, count: int, said: bool) -> None:
    found = warnings_of(history([2.3] * count, [share] * count, [], []))
    assert any("Nothing has been learned" in sentence for sentence in found) == said


def test_a_loss_that_is_not_finite_is_said() -> None:
    assert "no longer a finite number" in warnings_of(history([1, np.inf], [0.1, 0.1], [], []))[0]


def test_an_empty_history_says_nothing() -> None:
    assert warnings_of(history([], [], [], [])) == []


def test_smoothing_is_a_moving_average_without_a_biased_start() -> None:
    values = np.array([4.0, 2.0, np.nan, 1.0])
    first, second = 4.0, (0.5 * 4 * 0.5 + 0.5 * 2) / (0.5 * 0.5 + 0.5)
    third = (0.25 * 4 * 0.5 + 0.5 * 2 * 0.5 + 0.5 * 1) / (0.25 * 0.5 + 0.5 * 0.5 + 0.5)
    np.testing.assert_allclose(smoothed(values, 0.5), [first, second, second, third])
