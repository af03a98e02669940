"""A Dask cluster as this server sees it: whether its scheduler answers, and how many machines.

``CONVSCOPE_SCHEDULER`` names the scheduler, ``CONVSCOPE_SCHEDULER_FALLBACK=0`` forbids this machine
to do its work while it does not answer. Dask is imported only if there is one.
"""

import logging
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from cnn_core.disk import home
from cnn_core.errors import LabDown, WorkerLost
from cnn_core.lab.errand import work
from cnn_core.lab.requests import Request
from cnn_core.settings import is_classroom

if TYPE_CHECKING:
    from distributed import Client

_log = logging.getLogger("convscope.lab")
_LOOK_EVERY = 1.0  # seconds
_TRY_EVERY = 3.0  # seconds between two attempts to reach a scheduler that does not answer
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
_ADDRESS = re.compile(r"(?:tcp|tls)://(?:\[([0-9A-Fa-f:.]+)\]|([^\s/:\[\]]+)):(\d{1,5})")


@dataclass(frozen=True)
class ClusterStatus:
    """How the cluster is.

    Attributes
    ----------
    state : ``"connecting"`` until the first answer, ``"connected"``, ``"dead"``.
    address : of the scheduler.
    falls_back : whether this machine does the work while the scheduler is dead.
    why : it is dead; a clause.
    since : seconds since 1970.
    machines : Dask workers.
    places : what they can do at once.
    """

    state: Literal["connecting", "connected", "dead"]
    address: str
    falls_back: bool
    why: str = ""
    since: float = 0.0
    machines: int = 0
    places: int = 0

    @property
    def at(self) -> str:
        """Where the scheduler is, as part of a sentence. Where others come it is not said: whoever
        reaches a scheduler can run anything on its machines."""
        return "" if is_classroom() else f" at {self.address}"

    @property
    def sentence(self) -> str:
        """For a page."""
        if self.state == "connecting":
            return f"The scheduler{self.at} is being asked."
        if self.state == "dead":
            here = "What it would do is done on this machine." if self.falls_back else (
                "Nothing can be trained until it answers."
            )  # fmt: skip
            return f"{self.why}. {here}"
        if not self.machines:
            return f"The cluster{self.at} has no workers; trainings wait for one."
        workers = "1 worker" if self.machines == 1 else f"{self.machines} workers"
        return f"Trainings and studies run on the cluster{self.at}, {workers}."


class Scheduler:
    """The connection to a cluster's scheduler, kept by a thread of its own.

    Parameters
    ----------
    address : ``tcp://host:port``, or ``tls://`` as Dask's own configuration says.
    falls_back : whether this machine does the work while it does not answer.
    """

    def __init__(self, address: str, falls_back: bool = True) -> None:
        self.status = ClusterStatus("connecting", address, falls_back, since=time.time())
        self._client: Client | None = None
        self._closing = threading.Event()
        self._answered = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lab-scheduler", daemon=True)

    @classmethod
    def from_environment(cls) -> "Scheduler | None":
        """What the environment asks for; None if it names no scheduler."""
        address = os.environ.get("CONVSCOPE_SCHEDULER", "").strip()
        falls_back = os.environ.get("CONVSCOPE_SCHEDULER_FALLBACK", "1") != "0"
        return cls(address, falls_back) if address else None

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_ANSWER_SECONDS)

    def is_there(self) -> bool:
        """Whether it answers; at the beginning, waits until it does or does not."""
        self._answered.wait(2 * _CONNECT_SECONDS)
        return self.status.state == "connected"

    def send(
        self, request: Request, priority: int, told: Callable[[float], None] | None = None
    ) -> "Sent":
        """Have a request worked off by one of the machines.

        Parameters
        ----------
        priority : the higher ones go first.
        told : called when it has begun, with 0, and then with the share done.

        Raises
        ------
        LabDown : the scheduler does not answer.
        """
        client = self._client
        if client is None or self.status.state != "connected":
            raise LabDown(self.status.sentence)
        topic = f"convscope-{secrets.token_hex(8)}"
        try:
            if told is not None:
                client.subscribe_topic(topic, lambda event: told(float(event[1])))
            future = client.submit(
                work, request, str(home().absolute()), topic,
                key=topic, pure=False, priority=priority,
            )  # fmt: skip
        except Exception as error:  # Dask raises what it likes when its connection breaks
            raise LabDown(f"The cluster took no work: {error}.") from error
        return Sent(client, future, topic)

    # The thread

    def _watch(self) -> None:
        try:
            while not self._closing.is_set():
                try:
                    self._look()
                except Exception as error:
                    # Whatever Dask raises, this thread goes on: nobody else would find it again.
                    _log.info("The scheduler was lost: %s: %s", type(error).__name__, error)
                    self._lose()
                self._answered.set()
                self._closing.wait(_LOOK_EVERY if self._client else _TRY_EVERY)
        finally:
            self._drop()

    def _look(self) -> None:
        if self._client is None:
            self._connect()
        client = self._client
        if client is None:
            return
        if client.status != "running":
            self._lose()
            return
        threads = client.sync(
            client.scheduler.ncores, workers=None, callback_timeout=_ANSWER_SECONDS
        )
        if self.status.state != "connected":
            _log.info("The scheduler at %s answers.", self.status.address)
            self.status = replace(self.status, state="connected", why="", since=time.time())
        self.status = replace(self.status, machines=len(threads), places=sum(threads.values()))

    def _connect(self) -> None:
        address = self.status.address
        found = _ADDRESS.fullmatch(address)
        if found is None:
            self._say_dead(
                f"CONVSCOPE_SCHEDULER must look like tcp://host:8786. Received: {address:.80}"
            )
            return
        try:  # a bare look first: a client that cannot connect leaves threads behind
            socket.create_connection(
                (found[1] or found[2], int(found[3])), timeout=_CONNECT_SECONDS
            ).close()
        except (OSError, OverflowError):
            self._lose()
            return
        try:
            from distributed import Client
        except ImportError:
            self._say_dead(
                "CONVSCOPE_SCHEDULER is set, but Dask is not installed "
                "(pip install -r requirements-cluster.txt)"
            )
            return
        # It prints tracebacks of a scheduler that is lost; a sentence of ours says the same.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        self._client = Client(
            address, timeout=_CONNECT_SECONDS, set_as_default=False, name="convscope"
        )

    def _lose(self) -> None:
        self._drop()
        since = self.status.since if self.status.state == "dead" else time.time()
        moment = time.strftime("%H:%M", time.localtime(since))
        self._say_dead(f"The scheduler{self.status.at} has not answered since {moment}")

    def _say_dead(self, why: str) -> None:
        if self.status.state != "dead":
            _log.warning("%s.", why)
            self.status = replace(self.status, since=time.time())
        self.status = replace(self.status, state="dead", why=why, machines=0, places=0)

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                client.close(timeout=_CONNECT_SECONDS)
            except Exception as error:
                _log.info("The scheduler was left without a word: %s", error)


class Sent:
    """A request on its way through the cluster."""

    def __init__(self, client: Any, future: Any, topic: str) -> None:
        self._client, self._future, self._topic = client, future, topic

    @property
    def ended(self) -> bool:
        return bool(self._future.done())

    def answer(self) -> Any:
        """What came of it, once it has ended.

        Raises
        ------
        LabDown : the scheduler was lost meanwhile.
        WorkerLost : each machine that tried ended while it worked.
        ConvScopeError : what the work raises.
        """
        if self._future.status in ("cancelled", "lost"):
            raise LabDown("The cluster's scheduler was lost.")
        try:
            kind, content = self._future.result(timeout=_ANSWER_SECONDS)
        except Exception as error:  # Dask's own; the work's come as an answer
            if self._future.status in ("cancelled", "lost"):
                raise LabDown("The cluster's scheduler was lost.") from error
            raise WorkerLost(f"The cluster gave this work up: {error}") from error
        if kind == "failed":
            raise content
        return content

    def end(self) -> None:
        """Nobody wants it any more; what still works at it is ended."""
        if self._client.status != "running":
            return
        try:
            self._client.unsubscribe_topic(self._topic)
        except ValueError:
            pass  # nobody listened
        try:
            self._future.cancel()
        except Exception as error:
            _log.info("The cluster could not be told to end some work: %s", error)
