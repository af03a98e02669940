"""A worker process: ``python -m cnn_core.lab.worker``, started by the supervisor only.

Reads one line of JSON on standard input (address, key, name), connects, and answers requests
one after another. It ends when the connection does, even in the middle of its work, so that no
worker outlives a killed server.
"""

import json
import os
import queue
import sys
import threading
import traceback
from importlib import import_module
from multiprocessing.connection import Client, Connection
from typing import Any

from cnn_core.errors import ConvScopeError, WorkFailed
from cnn_core.lab.bare_keras import bare_keras
from cnn_core.lab.requests import Request


def main() -> None:
    hello = json.loads(sys.stdin.readline())
    if hasattr(os, "nice"):
        os.nice(hello["nice"])
    address = hello["address"]
    connection = Client(
        tuple(address) if isinstance(address, list) else address,
        authkey=bytes.fromhex(hello["key"]),
    )
    connection.send(hello["name"])
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, requests), daemon=True).start()
    while True:
        _answer(connection, requests.get())


def _listen(connection: Connection, requests: "queue.SimpleQueue[Request]") -> None:
    """Hand requests on; end the process, whatever it is doing, when nobody asks any more."""
    try:
        while True:
            requests.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)


def _answer(connection: Connection, request: Request) -> None:
    def progress(share: float) -> None:
        connection.send(("progress", share))

    reply: tuple[str, Any]
    try:
        name, function = request.handler.split(":")
        with bare_keras():
            module = import_module(name)
        reply = ("done", getattr(module, function)(request, progress))
    except ConvScopeError as error:
        reply = ("failed", error)
    except Exception as error:
        # Text only: unpickling a TensorFlow error would bring TensorFlow into the server.
        first_line = str(error).strip().partition("\n")[0]
        message = f"The lab could not work this out: {type(error).__name__}: {first_line}"
        reply = ("failed", WorkFailed(message, traceback.format_exc()))
    connection.send(reply)


if __name__ == "__main__":
    main()
