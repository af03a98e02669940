"""The trainer: it is Keras's fit, it obeys, and a broken-off training ends as a whole one."""

from collections.abc import Callable
from typing import Any, TypeVar

import keras
import numpy as np
import pytest

from cnn_core.data.mnist import load_mnist
from cnn_core.networks.architectures import build
from cnn_core.networks.design import FIRST_DESIGN
from cnn_core.networks.film import Weights
from cnn_core.networks.keras_model import weights_of
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.training.batches import Batches, as_input, held_out_digits, training_digits
from cnn_core.training.config import TrainingConfig
from cnn_core.training.control import Control, Order
from cnn_core.training.events import (
    BatchDone,
    CheckpointReached,
    Dissected,
    Dissection,
    Ended,
    EpochDone,
    FrameTaken,
    Paused,
    Sampled,
    TrainingEvent,
)
from cnn_core.training.trainer import train

SMALL = TrainingConfig(share=0.01, batch_size=32, epochs=2)  # 480 digits, 15 steps an epoch

Event = TypeVar("Event", bound=TrainingEvent)


def trained(
    config: TrainingConfig = SMALL, control: Control | None = None, **options: Any
) -> tuple[Weights, list[TrainingEvent]]:
    events: list[TrainingEvent] = []
    model = train(config, events.append, control, **options)
    return weights_of(model), events


def of(kind: type[Event], events: list[TrainingEvent]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def assert_same(one: Weights, other: Weights) -> None:
    for layer, named in one.items():
        for name, array in named.items():
            np.testing.assert_array_equal(array, other[layer][name], err_msg=f"{layer}/{name}")


@pytest.fixture(scope="module")
def whole() -> tuple[Weights, list[TrainingEvent]]:
    """The small training from start to end, with nobody interfering."""
    return trained()


class Script(Control):
    """A control that gives itself orders when it is told something."""

    def __init__(self, orders: dict[int, list[Order]]) -> None:
        super().__init__()
        self.orders, self.paused_at = orders, []  # type: ignore[var-annotated]

    def wait(self, waiting: Callable[[], None], dissect: Callable[[], None]) -> None:
        def while_paused() -> None:
            waiting()
            self.paused_at.append(len(self.paused_at))
            if not self.after:
                self.give(Order("stop"))
            else:
                self.give(self.after.pop(0))

        self.after: list[Order] = getattr(self, "after", [])
        step = self.count = getattr(self, "count", -1) + 1
        for order in self.orders.get(step, []):
            if self.after or order.word in ("resume", "batch", "epoch"):
                self.after.append(order)
            else:
                self.give(order)
        super().wait(while_paused, dissect)


def test_it_is_kerass_own_fit(whole: tuple[Weights, list[TrainingEvent]]) -> None:
    weights, events = whole
    keras.utils.set_random_seed(SMALL.seed)
    model = build("classic")
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    images, labels = held_out_digits(SMALL)
    batches = Batches(*training_digits(SMALL), SMALL)
    turn = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: setattr(batches, "epoch", epoch)
    )
    history = model.fit(
        batches,
        epochs=2,
        shuffle=False,
        callbacks=[turn],
        validation_data=(as_input(images), labels),
        verbose=0,
    ).history
    epochs = of(EpochDone, events)
    np.testing.assert_allclose([e.loss for e in epochs], history["loss"], rtol=1e-5)
    np.testing.assert_allclose([e.accuracy for e in epochs], history["accuracy"], rtol=1e-6)
    np.testing.assert_allclose([e.val_loss for e in epochs], history["val_loss"], rtol=1e-4)
    for layer, named in weights_of(model).items():
        for name, array in named.items():
            np.testing.assert_allclose(weights[layer][name], array, atol=1e-5)


def test_the_same_config_gives_the_same_history(
    whole: tuple[Weights, list[TrainingEvent]],
) -> None:
    weights, events = trained()
    assert_same(weights, whole[0])
    assert of(BatchDone, events) == of(BatchDone, whole[1])


def test_it_tells_batches_epochs_frames_and_its_end(
    whole: tuple[Weights, list[TrainingEvent]],
) -> None:
    weights, events = whole
    batches, epochs = of(BatchDone, events), of(EpochDone, events)
    assert [event.step for event in batches] == list(range(1, 31))
    assert [event.step for event in epochs] == [15, 30]
    # The mean of the batches' own losses is the epoch's.
    assert np.mean([event.loss for event in batches[:15]]) == pytest.approx(epochs[0].loss, 1e-4)
    frames = of(FrameTaken, events)
    assert frames[0].step == 0
    assert frames[-1].step == 30
    assert_same(frames[-1].weights, weights)
    assert of(Sampled, events)[0].gradient_norms.keys() == weights.keys()
    assert events[-1] == Ended(30, False)


def test_a_training_resumed_from_a_checkpoint_ends_as_the_whole_one(
    whole: tuple[Weights, list[TrainingEvent]],
) -> None:
    weights, events = whole
    checkpoint = of(CheckpointReached, events)[0]
    resumed, later = trained(resume=checkpoint)
    assert_same(resumed, weights)
    assert of(BatchDone, later) == of(BatchDone, events)[15:]
    assert of(EpochDone, later) == of(EpochDone, events)[1:]


def test_a_dissected_step_is_an_ordinary_one(whole: tuple[Weights, list[TrainingEvent]]) -> None:
    control = Script({4: [Order("dissect"), Order("batch"), Order("resume")]})
    weights, events = trained(control=control)
    assert_same(weights, whole[0])
    assert of(BatchDone, events) == of(BatchDone, whole[1])
    before, after = (event.dissection for event in of(Dissected, events))
    assert before.step == 4
    assert before.after is None
    assert after.after is not None
    assert len(of(Paused, events)) >= 2


def test_a_dissection_is_keras_own_arithmetic() -> None:
    """The first step of all: Adam's state is empty, so its update can be written out."""
    control = Script({0: [Order("dissect"), Order("batch"), Order("resume")]})
    _, events = trained(control=control)
    dissection: Dissection = of(Dissected, events)[-1].dissection
    answers = dissection.probabilities[np.arange(32), dissection.labels]
    np.testing.assert_allclose(dissection.losses, -np.log(answers), rtol=1e-4)
    loss = of(BatchDone, events)[0].loss
    assert dissection.losses.mean() == pytest.approx(loss, rel=1e-5)
    # The output's gradient by hand: (probability − 1 for the label) · input, mean over the batch.
    error = dissection.probabilities.copy()
    error[np.arange(32), dissection.labels] -= 1
    np.testing.assert_allclose(
        dissection.gradients["output"]["bias"], error.mean(axis=0), atol=1e-6
    )
    assert dissection.after is not None
    for layer, named in dissection.gradients.items():
        for name, gradient in named.items():
            moved = dissection.after[layer][name] - dissection.before[layer][name]
            expected = -1e-3 * gradient / (np.abs(gradient) + 1e-7 / np.sqrt(1 - 0.999))
            np.testing.assert_allclose(moved, expected, atol=2e-6)


def test_pause_batch_epoch_and_stop() -> None:
    control = Script({2: [Order("pause"), Order("batch"), Order("batch"), Order("epoch")]})
    _, events = trained(control=control)
    assert of(BatchDone, events)[-1].step == 15  # the epoch's end; then the script says stop
    assert events[-1] == Ended(15, True)
    assert {event.step for event in of(Paused, events)} == {2, 3, 4, 15}


def test_a_stop_ends_it_at_once() -> None:
    _, events = trained(control=Script({3: [Order("stop")]}))
    assert of(BatchDone, events)[-1].step == 3
    assert events[-1] == Ended(3, True)
    assert not of(EpochDone, events)


class WhileLooking(keras.callbacks.Callback):
    """Gives an order as soon as the held-out digits are being looked at."""

    def __init__(self, control: Control, order: Order) -> None:
        super().__init__()
        self.control, self.order = control, order

    def on_test_begin(self, logs: Any = None) -> None:
        self.control.give(self.order)


def test_a_stop_is_obeyed_while_the_held_out_digits_are_looked_at() -> None:
    control = Control()
    _, events = trained(control=control, callbacks=[WhileLooking(control, Order("stop"))])
    assert events[-1] == Ended(15, True)
    assert not of(EpochDone, events)


def test_a_pause_is_obeyed_while_the_held_out_digits_are_looked_at(
    whole: tuple[Weights, list[TrainingEvent]],
) -> None:
    control = Control()
    events: list[TrainingEvent] = []

    def on_event(event: TrainingEvent) -> None:
        events.append(event)
        if isinstance(event, Paused):
            control.give(Order("resume"))

    model = train(SMALL, on_event, control, callbacks=[WhileLooking(control, Order("pause"))])
    kinds = [type(event) for event in events if isinstance(event, Paused | EpochDone)]
    assert kinds == [Paused, EpochDone, Paused, EpochDone]
    assert_same(weights_of(model), whole[0])


def test_the_learning_rate_can_be_changed() -> None:
    _, events = trained(control=Script({5: [Order(rate=0.01)]}))
    rates = [event.learning_rate for event in of(BatchDone, events)]
    assert rates == [1e-3] * 5 + [0.01] * 25


def test_a_loss_that_is_not_finite_ends_it_and_is_said() -> None:
    config = TrainingConfig(share=0.01, batch_size=32, optimizer="SGD", learning_rate=10)
    _, events = trained(config)
    assert isinstance(events[-1], Ended)
    assert events[-1].stopped
    assert "no longer a finite number" in events[-1].message
    assert events[-1].step < 75


def test_it_goes_on_from_a_network() -> None:
    ref = NetworkRef("classic", open_network("classic").film.steps[-1])
    config = TrainingConfig(share=0.01, batch_size=32, epochs=1, start=ref, learning_rate=1e-4)
    _, events = trained(config)
    first = of(FrameTaken, events)[0]
    assert_same(weights_at(ref), first.weights)
    assert first.accuracy > 0.97


@pytest.mark.parametrize("optimizer", ["SGD", "SGD with momentum", "RMSprop", "AdamW"])
def test_every_optimizer_learns_and_resumes(optimizer: str) -> None:
    config = TrainingConfig(
        architecture="intro", share=0.01, batch_size=32, epochs=2, optimizer=optimizer,
        learning_rate=0.05 if "SGD" in optimizer else 1e-3, label_smoothing=0.05,
    )  # fmt: skip
    weights, events = trained(config)
    assert of(EpochDone, events)[-1].accuracy > 0.4
    resumed, _ = trained(config, resume=of(CheckpointReached, events)[0])
    assert_same(resumed, weights)


def test_a_training_resumed_after_its_last_epoch_is_done(
    whole: tuple[Weights, list[TrainingEvent]],
) -> None:
    weights, events = whole
    resumed, more = trained(resume=of(CheckpointReached, events)[-1])
    assert more == [Ended(30, False)]
    assert_same(resumed, weights)


def test_a_network_without_a_relu_learns_from_two_thousand_digits() -> None:
    config = TrainingConfig(
        architecture="lenet5", schedule="one cycle", learning_rate=3e-3, batch_size=32, epochs=4,
        share=1 / 30, validation_split=0.0,
    )  # fmt: skip
    events: list[TrainingEvent] = []
    model = train(config, events.append)
    mnist = load_mnist()
    answers = model.predict(as_input(mnist.x_test[::5]), batch_size=500, verbose=0).argmax(axis=1)
    assert np.mean(answers == mnist.y_test[::5]) > 0.8
    (first, *_) = of(Sampled, events)
    assert set(first.gradient_norms) == {"c1", "c3", "c5", "f6", "output"}
    assert first.dead_shares == {}


def test_a_design_is_trained_as_its_layers_say() -> None:
    config = TrainingConfig(
        architecture="My network", design=FIRST_DESIGN, share=0.01, batch_size=32, epochs=1
    )
    weights, events = trained(config)
    assert weights["conv_2"]["kernel"].shape == (3, 3, 16, 32)
    assert of(EpochDone, events)[0].val_accuracy > 0.2
