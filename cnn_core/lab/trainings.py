"""Who trains now and who waits: one queue for the whole server, a thread for each training."""

import logging
import threading
import time
from dataclasses import replace

from cnn_core.errors import ConvScopeError, RunError, RunLost, UnknownRun, WorkFailed
from cnn_core.lab.executor import Executor, Seat
from cnn_core.lab.requests import TrainRequest
from cnn_core.training.budget import most_waiting
from cnn_core.training.control import Order
from cnn_core.training.run_state import ENDED, LIVING, RunState
from cnn_core.training.runs import Runs

_log = logging.getLogger("convscope.lab")
_TICK = 0.05
_SIGN_OF_LIFE = 1.0  # seconds between two
_SPEECHLESS = 3.0  # seconds without one, after which the queue gives it for who trains
_SEEN_EVERY = 20.0  # seconds between two notes to other servers that somebody is here
GRACE_SECONDS = 300.0
PAUSE_SECONDS = 600.0


class Trainings:
    """The queue. As many train at once as the executor has seats; the others wait their turn.

    Parameters
    ----------
    executor : where they run.

    Other servers may share the folder of the runs, each with a queue of its own: a run is in one
    queue at a time, and orders reach it from everywhere. Somebody's own training ends when they
    have been gone from all of them for `GRACE_SECONDS`, unless it is kept; and a paused one, kept
    or not, when others wait and nothing has been ordered for `PAUSE_SECONDS`.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._lock = threading.Lock()
        self._line: list[Training] = []  # in the order of arrival, running ones included
        self._stopping = threading.Event()
        self._seen: dict[str, float] = {}
        self._passed_on: dict[str, float] = {}

    def seen(self, owner: str) -> None:
        """An owner is here, as their pages say again and again."""
        now = time.monotonic()
        self._seen[owner] = now
        if owner and now - self._passed_on.get(owner, float("-inf")) > _SEEN_EVERY:
            self._passed_on[owner] = now
            for run in Runs().all(owner)[0]:
                if not self.knows(run.id):
                    run.visit()

    def _abandoned(self, training: "Training") -> bool:
        if not training.owner:
            return False
        last = max(self._seen.get(training.owner, training.began), training.visited())
        return time.monotonic() - last > GRACE_SECONDS

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits for a seat."""
        return any(not training.is_running for training in list(self._line))

    def warm(self) -> None:
        """Somebody may want to train soon."""
        if not self._line:
            self._executor.warm()

    def start(self, request: TrainRequest) -> None:
        """Queue a run.

        Raises
        ------
        RunError : it, or another of its owner, is in a queue; it has come to its end; or the queue
            is full.
        LabDown : nothing can be trained at present.
        """
        self._see_off(request.run)
        self._executor.check()
        training = Training(request, self)
        with self._lock:
            if self.knows(request.run):
                raise RunError("This run is going on already.")
            if sum(not other.is_running for other in self._line) >= most_waiting():
                raise RunError(
                    f"{most_waiting()} trainings wait for their turn; no more can. Try again in a "
                    "while."
                )
            with Runs().changing():
                training.enter()
            self.seen(training.owner)
            self._line.append(training)
        training.start()

    def _see_off(self, run: str) -> None:
        """Wait until a run that has said its last word has left: whoever read it may start anew."""
        for training in list(self._line):
            if training.request.run == run and training.has_ended:
                training.join(10)

    def give(self, run: str, order: Order) -> None:
        """Hand an order to a run's training, whichever server's it is.

        Raises
        ------
        UnknownRun : it is not going on any more.
        RunError : the order cannot be written.
        """
        if not self.knows(run) and Runs()[run].state.word not in LIVING:
            raise UnknownRun("This training is not going on any more.")
        Runs()[run].inbox.put(order)

    def knows(self, run: str) -> bool:
        """Whether a run trains or waits here."""
        return any(training.request.run == run for training in self._line)

    def place(self, run: str) -> int:
        """How many must end before a run that waits here begins; 0 if its turn has come."""
        before = 0
        for training in list(self._line):
            if not training.is_running:
                before += 1
            if training.request.run == run:
                return 0 if training.is_running else before
        return 0

    def seat(self, training: "Training") -> Seat | None:
        """A place to train at, if one is free and nobody has waited for it longer."""
        with self._lock:
            waiting = [other for other in self._line if not other.is_running]
            return self._executor.seat() if waiting[:1] == [training] else None

    def _leave(self, training: "Training") -> None:
        with self._lock:
            if training in self._line:
                self._line.remove(training)

    def stop(self) -> None:
        """End everything: what runs is interrupted, and can go on later."""
        self._stopping.set()
        for training in list(self._line):
            training.join(10)
        self._executor.close()


class Training(threading.Thread):
    """One run's way through the queue and through its worker."""

    def __init__(self, request: TrainRequest, line: Trainings) -> None:
        super().__init__(name="lab-training", daemon=True)
        self.request = request
        self._line = line
        self._run = Runs()[request.run]
        self._inbox = self._run.inbox
        self._withdrawn = False
        self._over = threading.Event()
        self._seat: Seat | None = None
        self._is_unwanted = False
        self._stands_at, self._stands_since = -1, 0.0  # the step at which it is paused
        self._visit = self._run.last_visit
        self._visited = self.began = time.monotonic()
        self.owner = self._run.owner

    def enter(self) -> None:
        """Make the run this server's. Only for those who hold `Runs.changing`.

        Raises
        ------
        RunError : it is another's, it has come to its end, or its owner has another one going on.
        """
        run = self._run
        going_on = run.state.word in LIVING  # else it may be about to leave another server's queue
        claim = run.claim(0.0) if going_on else run.claim()
        try:
            if self.request.resume and run.state.word == "finished":
                raise RunError("This run has come to its end already.")
            if self.owner and any(
                other.id != run.id and other.state.word in LIVING and other.is_claimed()
                for other in Runs().all(self.owner)[0]
            ):
                raise RunError("You have a training that is going on. Stop it first.")
            run.inbox.clear()
            run.tell(replace(run.state, word="waiting", message=""))
        except OSError as error:
            claim.release()
            raise RunError(f"The run cannot be written: {error.strerror or error}.") from error
        except BaseException:
            claim.release()
            raise
        self._claim = claim

    @property
    def is_running(self) -> bool:
        """Whether its turn has come."""
        return self._seat is not None

    @property
    def has_ended(self) -> bool:
        """Whether its turn came and its run's state says that it is over."""
        return self.is_running and self._run.state.word in ENDED

    def visited(self) -> float:
        """When its owner was last seen on another server, by this one's monotonic clock."""
        visit = self._run.last_visit
        if visit != self._visit:
            self._visit, self._visited = visit, time.monotonic()
        return self._visited

    def run(self) -> None:
        speaker = threading.Thread(target=self._speak, daemon=True)
        speaker.start()
        word, message = "", ""
        try:
            if self._wait():
                self._line._executor.run(self.request, self._to_end)
            if self._withdrawn:
                word, message = "stopped", "It was taken out of the queue."
            elif self._line._stopping.is_set():
                word, message = "interrupted", "The server was stopped. It can go on."
        except WorkFailed as error:
            _log.error("%s\n%s", error, error.details)
            word, message = "failed", str(error)
        except RunLost as error:
            word, message = "interrupted", f"{error} It can go on from its last whole epoch."
        except ConvScopeError as error:
            word, message = "failed", str(error)
        except Exception:
            _log.exception("A training was lost.")
            word, message = "failed", "The lab lost this training; the log says why."
        finally:
            self._over.set()
            speaker.join()  # the last word is this thread's
            if word:
                self._say(word, message)
            self._line._leave(self)
            if self._seat is not None:
                self._seat.release()
            self._claim.release()

    def _speak(self) -> None:
        """Signs of life while nobody who trains gives any: while it waits, while its process
        starts, and when a cluster has lost the machine and looks for another."""
        beat, since = 0.0, time.monotonic()
        while not self._over.wait(_SIGN_OF_LIFE):
            try:
                state = self._run.told
                self._watch(state)
                if state.beat != beat:
                    beat, since = state.beat, time.monotonic()
                waiting = state.word == "waiting"
                late = time.monotonic() - since > _SPEECHLESS
                if state.word in LIVING and (waiting or late) and not self._run.is_trained:
                    lost = "Who trained it was lost; it goes on from its last whole epoch."
                    words = state.message if waiting else lost
                    self._run.tell(replace(state, word="waiting", message=words, where=""))
            except (ConvScopeError, OSError):
                pass  # a damaged run, or a full disk: who trains it says so

    def _watch(self, state: RunState) -> None:
        """Note for how long it has been paused."""
        at = state.step if state.word == "paused" else -1
        if at != self._stands_at:
            self._stands_at, self._stands_since = at, time.monotonic()

    def _gives_way(self) -> bool:
        """Whether a training of somebody's own has had its turn."""
        if not self.owner:
            return False
        stands = self._stands_at >= 0
        if stands and self._line.is_waited_for:
            stood = time.monotonic() - self._stands_since
            return stood > PAUSE_SECONDS or self._line._abandoned(self)
        return self._line._abandoned(self) and not self._run.kept

    def _to_end(self) -> bool:
        """Whether the worker is to be ended from outside. Who has had their turn is told to stop
        first, so that what was learned is kept; who is told to while nobody trains it, as when a
        cluster has lost the machine, needs no telling."""
        if not self._is_unwanted and self._gives_way():
            self._inbox.put(Order("stop"))
        self._is_unwanted |= any(order.word == "stop" for order in self._inbox.read())
        self._withdrawn = self._is_unwanted and self._run.told.word == "waiting"
        return self._withdrawn or self._line._stopping.is_set()

    def _wait(self) -> bool:
        """Until its turn comes; False if it will not."""
        while True:
            self._withdrawn = any(order.word == "stop" for order in self._inbox.read())
            if self._withdrawn or self._line._stopping.is_set():
                return False
            self._seat = self._line.seat(self)
            if self._seat is not None:
                return True
            time.sleep(_TICK)

    def _say(self, word: str, message: str) -> None:
        """The run's last word, unless it has had one."""
        try:
            state = self._run.state
            if state.word not in ENDED or state.word == "interrupted":
                self._run.tell(replace(state, word=word, message=message, seconds_left=0.0))
        except (ConvScopeError, OSError) as error:
            _log.warning("The end of a training could not be written: %s", error)
