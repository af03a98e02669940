"""One worker process as the server sees it: started, spoken to, killed."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

from cnn_core.errors import LabDown

ROOT = Path(__file__).parents[2]  # the folder that holds cnn_core
_CONNECT_SECONDS = 60.0


class Door:
    """Where workers of this server connect: a local socket with a key only they are told."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        try:
            self._listener = Listener(backlog=16, authkey=self._key)
        except OSError:  # the folder for temporary files has too long a name for a local socket
            self._listener = Listener(("127.0.0.1", 0), backlog=16, authkey=self._key)
        self._arrived: dict[str, Connection] = {}
        self._someone = threading.Condition()
        self._open = True
        threading.Thread(target=self._welcome, name="lab-door", daemon=True).start()

    def _welcome(self) -> None:
        while self._open:
            try:
                connection = self._listener.accept()
                name = connection.recv()
            except (AuthenticationError, EOFError, OSError):
                continue  # a stranger, or one that died on the doorstep
            with self._someone:
                self._arrived[name] = connection
                self._someone.notify_all()

    def invitation(self, name: str, nice: int) -> str:
        """The line that a worker reads on its standard input."""
        key = self._key.hex()
        return json.dumps(
            {"address": self._listener.address, "key": key, "name": name, "nice": nice}
        )

    def wait_for(self, name: str, give_up: Callable[[], bool]) -> Connection | None:
        """The connection of the worker `name`, or None once `give_up()` says so."""
        with self._someone:
            while name not in self._arrived:
                if give_up():
                    return None
                self._someone.wait(0.1)
            return self._arrived.pop(name)

    def close(self) -> None:
        self._open = False
        try:
            Client(self._listener.address, authkey=self._key).close()  # wakes `accept`
        except OSError:
            pass  # already gone
        self._listener.close()


class WorkerProcess:
    """A running ``python -m cnn_core.lab.worker``.

    Parameters
    ----------
    door : where it connects.
    nice : how much it gives way to others.
    stopping : whether it need not be waited for any more.
    environment : variables that it gets beside this process's own.

    Raises
    ------
    LabDown : it could not be started, or ended before it could be spoken to; says why.
    """

    def __init__(
        self,
        door: Door,
        nice: int,
        stopping: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 (read when the worker dies)
        name = secrets.token_hex(8)
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cnn_core.lab.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                # Ctrl-C in the terminal is the server's business, on Windows by the flag.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path for path in paths if path),
                    "TF_CPP_MIN_LOG_LEVEL": "3",
                    "KERAS_BACKEND": "tensorflow",
                    **(environment or {}),
                },
            )
        except OSError as error:
            self._stderr.close()
            raise LabDown(f"A worker could not be started: {error}.") from error
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(door.invitation(name, nice).encode() + b"\n")
            self._process.stdin.close()
        except OSError:
            pass  # it died at once; what it printed is reported below
        patience = time.monotonic() + _CONNECT_SECONDS
        connection = door.wait_for(
            name,
            lambda: not self.alive or stopping() or time.monotonic() > patience,
        )
        if connection is None:
            why = self.last_words() or "no message"
            self.kill()
            raise LabDown(f"A worker could not be started: {why}.")
        self.connection = connection

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def last_words(self) -> str:
        """The last line that it printed on its standard error."""
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._stderr.close()
        if hasattr(self, "connection"):
            self.connection.close()
