"""What a training's numbers say is wrong, in plain words. NumPy only."""

import numpy as np

from cnn_core.training.tables import History

_CHANCE = 0.2  # of ten classes: not learned
_ENOUGH_BATCHES = 150
_WINDOW = 50


def warnings_of(history: History) -> list[str]:
    """A sentence for each thing that applies; none if all is well."""
    found = [_not_finite(history), _nothing_learned(history), _overfitting(history)]
    return [sentence for sentence in found if sentence]


def _not_finite(history: History) -> str:
    if len(history.loss) and not np.isfinite(history.loss[-1]):
        return (
            "The loss is no longer a finite number: the steps were too large. Take a smaller "
            "learning rate."
        )
    return ""


def _nothing_learned(history: History) -> str:
    if len(history.accuracy) < _ENOUGH_BATCHES:
        return ""
    lately = float(history.accuracy[-_WINDOW:].mean())
    if lately >= _CHANCE:
        return ""
    return (
        f"Nothing has been learned yet: {lately:.0%} of the last {_WINDOW} batches are right, "
        "guessing gives 10%. The learning rate may be too large or too small."
    )


def _overfitting(history: History) -> str:
    """The held-out loss has turned upwards, twice in a row, while training's still falls."""
    held_out, own = history.val_loss, history.epoch_loss
    if len(held_out) < 3 or not np.isfinite(held_out).all():
        return ""
    best = int(held_out.argmin())
    turned = held_out[-1] > held_out[-2] > held_out[-3] or len(held_out) - 1 - best >= 2
    falls = own[-1] < own[best]
    if not (turned and falls and held_out[-1] > 1.02 * held_out[best]):
        return ""
    return (
        f"It overfits: since epoch {best + 1} the loss on the held-out digits rises while the loss "
        "on its own digits still falls. It learns these digits by heart."
    )


def smoothed(values: np.ndarray, keep: float = 0.9) -> np.ndarray:
    """An exponential moving average without the bias of its start; NaN is passed over."""
    result = np.empty(len(values))
    mean = weight = 0.0
    for k, value in enumerate(values):
        if np.isfinite(value):
            mean = keep * mean + (1 - keep) * value
            weight = keep * weight + (1 - keep)
        result[k] = mean / weight if weight else np.nan
    return result
