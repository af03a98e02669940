"""What a training may be asked to do."""

import keras
import pytest

from cnn_core.errors import BadConfig
from cnn_core.networks.ref import NetworkRef
from cnn_core.training.config import COURSE, FAST, TrainingConfig, film_steps


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"learning_rate": 0}, "learning rate is a number above 0"),
        ({"learning_rate": -1e-3}, "learning rate"),
        ({"learning_rate": float("nan")}, "learning rate"),
        ({"learning_rate": "0.1"}, "learning rate"),
        ({"batch_size": 0}, "batch size is a whole number at least 1"),
        ({"batch_size": 32.5}, "batch size"),
        ({"batch_size": 50_000}, "does not fit into the 48,000 digits"),
        ({"share": 0.001}, "does not fit into the 48 digits"),
        ({"share": 0}, "share of the data"),
        ({"share": 1.5}, "share of the data"),
        ({"validation_split": 1.0}, "validation split is a number at least 0 and below 1"),
        ({"epochs": 0}, "number of epochs"),
        ({"epochs": True}, "number of epochs"),
        ({"epochs": 10**6}, "at most 1,000"),
        ({"seed": -1}, "seed"),
        ({"optimizer": "Adagrad"}, "There is no optimizer 'Adagrad'"),
        ({"schedule": "cosine"}, "There is no schedule"),
        ({"augmentation": "yes"}, "Augmentation is on or off"),
        ({"architecture": ""}, "architecture"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(wrong: dict, why: str) -> None:
    with pytest.raises(BadConfig, match=why):
        TrainingConfig(**wrong)


def test_the_default_is_the_courses_recipe() -> None:
    assert (COURSE.training_digits, COURSE.validation_digits) == (48_000, 12_000)
    assert (COURSE.steps_per_epoch, COURSE.total_steps) == (750, 3750)
    assert FAST.training_digits == 12_800


def test_a_config_survives_json() -> None:
    config = TrainingConfig(optimizer="AdamW", start=NetworkRef("classic", 12), augmentation=True)
    assert TrainingConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("text", ["", "[]", "{", '{"epochs": 0}', '{"start": {"a": 1}}'])
def test_damaged_json_is_refused(text: str) -> None:
    with pytest.raises(BadConfig):
        TrainingConfig.from_json(text)


def test_one_cycle_is_kerass_cosine_with_a_warm_up() -> None:
    config = FAST
    warm_up = round(0.25 * config.total_steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 25,
        config.total_steps - warm_up,
        warmup_target=config.learning_rate,
        warmup_steps=warm_up,
    )
    for step in range(0, config.total_steps, 7):
        assert config.rate(step) == pytest.approx(float(schedule(step)), rel=1e-4, abs=1e-8)


def test_frames_are_dense_at_first_and_four_an_epoch_after() -> None:
    steps = film_steps(COURSE)
    assert steps[:4] == (0, 1, 2, 4)
    assert steps[-5:] == (3000, 3188, 3375, 3562, 3750)
    assert len(steps) < 40
    assert film_steps(TrainingConfig(share=0.0002, batch_size=9, epochs=1)) == (0, 1)
