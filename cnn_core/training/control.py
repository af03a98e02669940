"""Holds a training's reins: pause, resume, one batch, one epoch, stop, another learning rate."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Word = Literal["pause", "resume", "batch", "epoch", "stop", "dissect"]

_BEAT = 0.5  # seconds between signs of life while paused


@dataclass(frozen=True)
class Order:
    """What somebody asks of a running training; `rate` alone changes the learning rate."""

    word: Word | None = None
    rate: float | None = None


class Control:
    """Orders come in from any thread; the training asks before every batch.

    A stop is final. Until something else is ordered the training runs.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._permits: float = float("inf")  # batches that may run; 0 is a pause
        self._until_epoch = False
        self._dissect = False
        self._halted = False  # by a pause; other orders that end in one let the epoch be judged
        self.stopping = False
        self.rate: float | None = None

    def give(self, order: Order) -> None:
        """Take an order."""
        with self._changed:
            if order.rate is not None:
                self.rate = order.rate
            if order.word is not None:
                self._halted = order.word == "pause"
            if order.word == "pause":
                self._permits, self._until_epoch = 0, False
            elif order.word == "resume":
                self._permits, self._until_epoch = float("inf"), False
            elif order.word == "batch":
                self._permits, self._until_epoch = 1, False
            elif order.word == "epoch":
                self._permits, self._until_epoch = float("inf"), True
            elif order.word == "dissect":
                self._permits, self._dissect, self._until_epoch = 0, True, False
            elif order.word == "stop":
                self.stopping = True
            self._changed.notify_all()

    def wait(self, waiting: Callable[[], None], dissect: Callable[[], None]) -> None:
        """Return when the next batch may run, or when all is to stop.

        Parameters
        ----------
        waiting : called now and then while paused.
        dissect : called when the next batch is to be taken apart first.
        """
        while True:
            with self._changed:
                asked, self._dissect = self._dissect, False
                if self.stopping:
                    return
                if not asked and self._permits > 0:
                    self._permits -= 1
                    return
            if asked:
                dissect()
                continue
            waiting()
            with self._changed:
                if not (self._permits or self.stopping or self._dissect):
                    self._changed.wait(_BEAT)

    def hold(self, waiting: Callable[[], None]) -> None:
        """Return when no pause is on, or when all is to stop: for the time between epochs.

        Parameters
        ----------
        waiting : called now and then while paused.
        """
        while True:
            with self._changed:
                if self.stopping or not self._halted:
                    return
            waiting()
            with self._changed:
                if self._halted and not self.stopping:
                    self._changed.wait(_BEAT)

    def epoch_done(self) -> None:
        """An epoch ended: who asked for one epoch gets a pause."""
        with self._changed:
            if self._until_epoch:
                self._permits, self._until_epoch = 0, False
