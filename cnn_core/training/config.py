"""What a training is asked to do. Plain data, needs no Keras."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from cnn_core.data.datasets import DATASETS
from cnn_core.data.images import TRAINING_IMAGES
from cnn_core.errors import BadConfig, BadDesign
from cnn_core.networks.design import Design
from cnn_core.networks.draft import graph_of_design
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import NetworkCard

OPTIMIZERS = {
    "Adam": "a step size of its own for each weight",
    "SGD": "straight down the gradient",
    "SGD with momentum": "SGD that keeps nine tenths of its last step",
    "RMSprop": "steps scaled by how large gradients have been",
    "AdamW": "Adam, with weights pulled a little towards 0",
}
"""The optimizers there are, each in a few words."""

SCHEDULES = {
    "constant": "the same rate all along",
    "one cycle": "a quarter of the way up to the rate, then down to 0 along a cosine",
}
"""How the learning rate moves, each in a few words."""

_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
MOST_FRAMES = 240
"""Of one film."""

_WARM_UP = 0.25  # of a one-cycle training
_START = 1 / 25  # of the peak rate


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained; the defaults are the course's recipe.

    Attributes
    ----------
    architecture : name of a builder, or of the design.
    optimizer, schedule : keys of `OPTIMIZERS` and `SCHEDULES`.
    learning_rate : above 0, at most 10; the peak of a one-cycle schedule.
    batch_size : digits a step, from 1.
    epochs : from 1 to 1,000.
    share : of the 60,000 training digits, the first so many; above 0, at most 1.
    validation_split : of those, the last so many are held out; from 0, below 1.
    augmentation : shift, turn and scale every digit a little, each time anew.
    label_smoothing : from 0, below 1.
    seed : of the weights, the order and the augmentation; from 0 to 2³¹ − 1.
    start : train on from these weights instead of random ones.
    dataset : a key of `data.datasets.DATASETS`.
    design : the layers, if they are of somebody's own design.

    Raises
    ------
    BadConfig : a value is impossible; says which, and why.
    """

    architecture: str = "classic"
    optimizer: str = "Adam"
    schedule: str = "constant"
    learning_rate: float = 1e-3
    batch_size: int = 64
    epochs: int = 5
    share: float = 1.0
    validation_split: float = 0.2
    augmentation: bool = False
    label_smoothing: float = 0.0
    seed: int = 1
    start: NetworkRef | None = None
    dataset: str = "mnist"
    design: Design | None = None

    def __post_init__(self) -> None:
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        _check_choice("schedule", self.schedule, SCHEDULES)
        _check_choice("data set", self.dataset, DATASETS)
        if not isinstance(self.architecture, str) or not 0 < len(self.architecture) <= 40:
            raise BadConfig(f"The architecture is a name. Received: {self.architecture!r:.40}.")
        if not isinstance(self.start, NetworkRef | None):
            raise BadConfig(f"A training begins with a network. Received: {self.start!r:.40}.")
        if not isinstance(self.design, Design | None):
            raise BadConfig(f"What is trained is a design. Received: {self.design!r:.40}.")
        if self.design is not None:
            try:
                graph_of_design(self.design)
            except BadDesign as error:
                raise BadConfig(f"This network cannot be trained. {error}") from error
        _check_number("learning rate", self.learning_rate, above=0, most=10)
        _check_number("share of the data", self.share, above=0, most=1)
        _check_number("validation split", self.validation_split, least=0, below=1)
        _check_number("label smoothing", self.label_smoothing, least=0, below=1)
        _check_number("seed", self.seed, least=0, below=2**31, whole=True)
        _check_number("number of epochs", self.epochs, least=1, most=1000, whole=True)
        _check_number("batch size", self.batch_size, least=1, most=TRAINING_IMAGES, whole=True)
        if not isinstance(self.augmentation, bool):
            raise BadConfig(f"Augmentation is on or off. Received: {self.augmentation!r:.20}.")
        if self.training_digits < 1:
            raise BadConfig("No digit is left to train on: take a larger share or a smaller split.")
        if self.batch_size > self.training_digits:
            raise BadConfig(
                f"A batch of {self.batch_size:,} does not fit into the {self.training_digits:,} "
                "digits to train on. Take smaller batches, or more digits."
            )

    @property
    def digits(self) -> int:
        """How many of the training digits are taken."""
        return max(1, round(TRAINING_IMAGES * self.share))

    @property
    def training_digits(self) -> int:
        """How many are trained on; as Keras's ``validation_split`` counts them."""
        return math.floor(self.digits * (1 - self.validation_split))

    @property
    def validation_digits(self) -> int:
        """How many are held out."""
        return self.digits - self.training_digits

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.training_digits // self.batch_size)

    @property
    def total_steps(self) -> int:
        return self.steps_per_epoch * self.epochs

    def rate(self, step: int) -> float:
        """The learning rate of the step after `step` steps, unless somebody changed it.

        One cycle: Smith and Topin, arXiv 1708.07120; the way down is a cosine, as in
        ``keras.optimizers.schedules.CosineDecay``.
        """
        if self.schedule == "constant":
            return float(self.learning_rate)
        warm_up = max(1, round(_WARM_UP * self.total_steps))
        if step < warm_up:
            low = self.learning_rate * _START
            return low + (self.learning_rate - low) * step / warm_up
        way = min(1.0, (step - warm_up) / max(1, self.total_steps - warm_up))
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * way))

    def to_json(self) -> str:
        plain = {**asdict(self), "design": self.design and self.design.to_plain()}
        return json.dumps(plain, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "TrainingConfig":
        """The inverse of `to_json`. Raises `BadConfig`."""
        try:
            values: dict[str, Any] = json.loads(text)
            if values.get("start"):
                values["start"] = _start_of(values["start"])
            if values.get("design"):
                values["design"] = Design.from_plain(values["design"])
            known = {field.name for field in fields(cls)}
            return cls(**{name: value for name, value in values.items() if name in known})
        except (
            ValueError,
            TypeError,
            AttributeError,
            KeyError,
            RecursionError,
            BadDesign,
        ) as error:
            raise BadConfig(f"This is no training's configuration: {error}.") from error


def _start_of(plain: Any) -> NetworkRef:
    """The network that a training goes on from. Raises `ValueError`, `TypeError`, `KeyError`."""
    id, step = plain["id"], plain["step"]
    if not isinstance(id, str) or type(step) is not int:
        raise ValueError("it begins with no network")
    return NetworkRef(id[:100], step)


def film_steps(config: TrainingConfig) -> tuple[int, ...]:
    """The steps to keep a frame of: 0, some early ones evenly spaced in the logarithm, then four
    an epoch; of a very long training so many that there are at most `MOST_FRAMES`."""
    first = config.steps_per_epoch
    early = {round(first ** (k / 10)) for k in range(11)}
    count = min(4 * config.epochs, MOST_FRAMES - len(early) - 1)
    quarters = {round(config.total_steps * k / count) for k in range(1, count + 1)}
    late = {step for step in quarters if step >= first / 4}
    return tuple(sorted({0, *(step for step in early if step <= first), *late}))


def _check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    if value not in tuple(choices):
        raise BadConfig(f"There is no {name} {value!r:.40}. Those there are: {', '.join(choices)}.")


def _check_number(
    name: str,
    value: object,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
    whole: bool = False,
) -> None:
    """Raise `BadConfig` unless `value` is a number between the given bounds."""
    wanted = [
        f"{words} {bound:,}"
        for words, bound in (
            ("above", above), ("at least", least), ("below", below), ("at most", most),
        )
        if bound is not None
    ]  # fmt: skip
    kinds = (int,) if whole else (int, float)
    good = (
        isinstance(value, kinds)
        and not isinstance(value, bool)
        and (isinstance(value, int) or math.isfinite(value))  # no float holds every whole number
        and (above is None or value > above)
        and (least is None or value >= least)
        and (below is None or value < below)
        and (most is None or value <= most)
    )
    if not good:
        number = "a whole number" if whole else "a number"
        raise BadConfig(f"The {name} is {number} {' and '.join(wanted)}. Received: {value!r:.20}.")


COURSE = TrainingConfig()
"""The course's recipe."""

FAST = TrainingConfig(
    schedule="one cycle",
    learning_rate=6e-3,
    batch_size=32,
    epochs=1,
    share=4 / 15,
    label_smoothing=0.05,
)
"""About 98% within a coffee sip: 12,800 digits once, one cycle of a high learning rate, small
batches, softened labels."""


def check_start(card: NetworkCard) -> None:
    """Raise `BadConfig` if a training cannot go on from that network; says why."""
    classes, (low, high) = len(card.class_names), card.value_range
    if card.input_shape != (28, 28, 1) or classes != 10 or (low, high) != (0, 1):
        size = "×".join(map(str, card.input_shape))
        raise BadConfig(
            "Training goes on from networks that read 28×28×1 images from 0 to 1 and tell 10 "
            f"classes apart. {card.title} reads {size} images from {low:g} to {high:g} and tells "
            f"{classes} apart. Begin with random weights, or choose another network."
        )
