"""Orders on their way to a training: lines of a file in the run's folder.

Whoever sees the folder can give orders, from another page, another server, another machine; and
whoever trains the run reads them, wherever that is.
"""

import json
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from cnn_core.disk import write_whole
from cnn_core.errors import RunError
from cnn_core.training.control import Order

_FILE = "orders.jsonl"
_LOCK_SECONDS = 10.0


class Inbox:
    """The orders given to a run, as one reader goes through them.

    Parameters
    ----------
    folder : of the run.
    lock : the file that is locked while an order is written.

    Each `Inbox` reads every order once, from the first since the run was last begun: who takes a
    training over gets those that its forerunner had got.
    """

    def __init__(self, folder: Path, lock: Path) -> None:
        self._file, self._lock = folder / _FILE, lock
        self._read = 0  # bytes

    def put(self, order: Order) -> None:
        """Add an order. Raises `RunError` if it cannot be written."""
        line = (json.dumps(asdict(order)) + "\n").encode()
        try:
            with FileLock(self._lock, timeout=_LOCK_SECONDS), self._file.open("ab") as stream:
                stream.write(line)
        except (OSError, Timeout) as error:
            raise RunError(f"The order cannot be handed over: {error}.") from error

    def clear(self) -> None:
        """Forget all: the run begins anew. Raises `RunError` if that cannot be written."""
        try:
            write_whole(self._file, b"")
        except OSError as error:
            raise RunError(f"The run cannot be written: {error.strerror or error}.") from error

    def read(self) -> list[Order]:
        """The orders since the last time, in the order they were given."""
        try:
            with self._file.open("rb") as stream:
                stream.seek(self._read)
                new = stream.read()
        except OSError:
            return []  # nothing was ordered yet, or the run is gone, as its training will notice
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        orders = []
        for line in whole.splitlines():
            try:
                orders.append(Order(**json.loads(line)))
            except (ValueError, TypeError):
                continue  # cut short by a full disk; who gave it was told
        return orders
