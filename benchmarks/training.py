"""Training: its speed beside a plain fit, alone and watched; the fast recipe; how soon it obeys."""

import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from benchmarks.browsing import CANVAS, chromium, stroke, watch
from benchmarks.measure import report
from cnn_core.data.mnist import load_mnist
from cnn_core.insight.evaluation import accuracy_of
from cnn_core.lab.requests import TrainRequest
from cnn_core.lab.supervisor import Lab, LabSettings
from cnn_core.networks.architectures import build
from cnn_core.networks.keras_model import graph_of
from cnn_core.training.config import COURSE, FAST, TrainingConfig
from cnn_core.training.control import Control, Order
from cnn_core.training.events import BatchDone, TrainingEvent
from cnn_core.training.recorder import Recorder
from cnn_core.training.run import Run
from cnn_core.training.runs import Runs
from cnn_core.training.trainer import model_for, train
from tests.browser.server import Server

ROUNDS = 5
SKIPPED = 30  # batches before the clock starts: compiling
SPEED = replace(COURSE, epochs=3)
SEEN = [".st-key-digit-card", ".st-key-probabilities", ".st-key-network-view"]


class Clock(keras.callbacks.Callback):
    """Images per second of a plain fit."""

    seconds = 0.0

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        if batch == SKIPPED:
            self.began = time.perf_counter()
        elif batch == SPEED.steps_per_epoch - 1:  # looking at the held-out digits is not counted
            self.seconds += time.perf_counter() - self.began

    @property
    def speed(self) -> float:
        steps = SPEED.epochs * (SPEED.steps_per_epoch - 1 - SKIPPED)
        return steps * SPEED.batch_size / self.seconds


def plain_speed() -> float:
    """The course's code, as it is printed."""
    mnist = load_mnist()
    x_train = mnist.x_train[: SPEED.digits, ..., None].astype("float32") / 255
    model = build("classic")
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    clock = Clock()
    model.fit(
        x_train, mnist.y_train[: SPEED.digits], batch_size=SPEED.batch_size, epochs=SPEED.epochs,
        validation_split=0.2, verbose=0, callbacks=[clock],
    )  # fmt: skip
    return clock.speed


def our_speed() -> float:
    """A recorded training: history, frames, samples and all."""
    run = Runs().create(SPEED)
    clock = Clock()
    train(SPEED, Recorder(run, graph_of(model_for(SPEED))), callbacks=[clock])
    return clock.speed


def alone() -> None:
    speeds: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(ROUNDS):
        speeds["plain"].append(plain_speed())
        speeds["ours"].append(our_speed())
    _print_speeds("Images per second, nobody watching", speeds)


def _print_speeds(title: str, speeds: dict[str, list[float]]) -> None:
    plain, ours = (statistics.median(speeds[name]) for name in ("plain", "ours"))
    print(f"\n{title}, medians of {len(speeds['ours'])} interleaved runs")
    print(f"  plain model.fit   {plain:8.0f}   1.00 ×")
    print(f"  ours              {ours:8.0f}   {ours / plain:.2f} ×")


def watched() -> None:
    """In a worker of the real server, with Chromium showing Train, all on the same cores."""
    speeds: dict[str, list[float]] = {"plain": [], "ours": []}
    with Server(home=Path(os.environ["CONVSCOPE_HOME"])) as server, chromium() as browser:
        server.wait_for_lab()
        for _ in range(ROUNDS):
            speeds["plain"].append(plain_speed())
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{server.url}/train")
            page.locator(".st-key-train-start button").wait_for()
            page.wait_for_timeout(8000)  # the spare worker is warm
            page.locator(".st-key-train-start button").click()
            page.locator(".st-key-train-pause button").first.wait_for(timeout=60_000)
            run = Runs().all()[0][0]
            epoch = COURSE.steps_per_epoch
            # Two epochs, without what lies between: there plain fit looks at held-out digits too.
            parts = [_steps(run, SKIPPED, epoch - 10), _steps(run, epoch + 20, 2 * epoch - 10)]
            steps, seconds = (sum(part) for part in zip(*parts, strict=True))
            speeds["ours"].append(steps * 64 / seconds)
            page.locator(".st-key-train-stop button").first.click()
            _until(run, lambda run: run.state.word == "stopped")
            page.close()
    _print_speeds("Images per second, a browser watching", speeds)


def _steps(run: Run, first: int, last: int) -> tuple[int, float]:
    """Steps from the first to the last, and the seconds that they took."""
    _until(run, lambda run: run.state.step > first)
    start, began = run.state.step, time.perf_counter()
    _until(run, lambda run: run.state.step > last)
    return run.state.step - start, time.perf_counter() - began


def _until(run: Run, done: object, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not done(run):  # type: ignore[operator]
        if time.monotonic() > end:
            raise TimeoutError(run.state)
        time.sleep(0.005)


def obedience() -> None:
    """Milliseconds from an order until the run's state says so."""
    paused, stopped = [], []
    with Lab(LabSettings(workers=1)) as lab:
        for _ in range(ROUNDS):
            run = Runs().create(COURSE)
            lab.trainings.start(TrainRequest(run.id))
            _until(run, lambda run: run.state.step > 20)
            began = time.perf_counter()
            lab.trainings.give(run.id, Order("pause"))
            _until(run, lambda run: run.state.word == "paused")
            paused.append(time.perf_counter() - began)
            lab.trainings.give(run.id, Order("resume"))
            _until(run, lambda run: run.state.word == "running")
            time.sleep(1)
            began = time.time()
            lab.trainings.give(run.id, Order("stop"))
            _until(run, lambda run: run.state.word == "stopped")
            stopped.append((run.folder / "history.csv").stat().st_mtime - began)
        batch = 64 / run.state.images_per_second
    print("\nHow soon it obeys, medians of 5")
    print(f"  one batch: {1000 * batch:.0f} ms")
    print(f"  pause → paused: {1000 * statistics.median(paused):.0f} ms")
    print(f"  stop → its last batch is written: {1000 * statistics.median(stopped):.0f} ms")


def recipes() -> None:
    """Digits seen until 98% of the 12,000 held-out ones are right, on fresh seeds."""
    print("\nUntil 98% of 12,000 held-out digits: seed, digits seen, seconds, held out, test")
    for name, recipe in (("course", COURSE), ("fast", FAST)):
        for seed in (201, 202, 203):
            _one_recipe(name, recipe, seed)


class UntilGood(keras.callbacks.Callback):
    """Stops a fit once 98% of the held-out digits are right; its looking is not counted."""

    def __init__(self, every: int, control: Control) -> None:
        super().__init__()
        mnist = load_mnist()
        self.images, self.labels = mnist.x_train[48_000:], mnist.y_train[48_000:]
        self.every, self.control, self.step, self.looked = every, control, 0, 0.0

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.step += 1
        if self.step % self.every == 0 and self.step >= 500:
            began = time.perf_counter()
            if accuracy_of(self.model, self.images, self.labels) >= 0.98:
                self.control.give(Order("stop"))
            self.looked += time.perf_counter() - began


def _one_recipe(name: str, recipe: TrainingConfig, seed: int) -> None:
    control, seen = Control(), 0
    watcher = UntilGood(50, control)

    def on_event(event: TrainingEvent) -> None:
        nonlocal seen
        seen += event.images if isinstance(event, BatchDone) else 0

    began = time.perf_counter()
    model = train(replace(recipe, seed=seed), on_event, control, callbacks=[watcher])
    seconds = time.perf_counter() - began - watcher.looked
    held_out = accuracy_of(model, watcher.images, watcher.labels)
    mnist = load_mnist()
    test = accuracy_of(model, mnist.x_test, mnist.y_test)
    print(f"  {name:7} {seed} {seen:8,} {seconds:6.1f} s  {held_out:.2%}  {test:.2%}", flush=True)


def drawing() -> None:
    """Pen-up → Draw painted, before a training and during it."""
    times: dict[str, float] = {}
    with Server(home=Path(os.environ["CONVSCOPE_HOME"])) as server, chromium() as browser:
        server.wait_for_lab()
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        for name in ("idle", "while a training runs"):
            page.goto(server.url)
            page.locator(CANVAS).wait_for()
            page.wait_for_timeout(3000)
            watch(page, SEEN)
            times[name] = statistics.median([stroke(page, k, SEEN) for k in range(13)][3:])
            if name == "idle":
                page.goto(f"{server.url}/train")
                page.locator(".st-key-train-start button").wait_for()
                page.wait_for_timeout(2000)
                page.locator(".st-key-train-start button").click()
                page.locator(".st-key-train-pause button").first.wait_for(timeout=60_000)
    report("Pen-up → Draw painted", times, "idle")


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["CONVSCOPE_HOME"] = home
        alone()
        recipes()
        obedience()
        drawing()
        watched()


if __name__ == "__main__":
    main()
