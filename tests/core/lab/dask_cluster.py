"""A real Dask scheduler and real Dask workers, each a process of its own, as people start them."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
_START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class DaskCluster:
    """A scheduler and its workers on this machine. A context manager: leaving it ends them all.

    Parameters
    ----------
    folder : their logs and scratch files.
    home : the shared folder, ``CONVSCOPE_HOME`` of the workers.
    """

    def __init__(self, folder: Path, home: Path, *names: str) -> None:
        self._folder, self._home, self._names = folder, home, names
        self.port = free_port()
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def __enter__(self) -> "DaskCluster":
        self.mend()
        return self

    def mend(self) -> None:
        """Start what is not there, or not any more."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            for worker in self.workers.values():
                crash(worker)
            self.scheduler = self._start(
                "scheduler", "scheduler", "--host=127.0.0.1", f"--port={self.port}",
                "--no-dashboard",
            )  # fmt: skip
        for name in self._names:
            if name not in self.workers or self.workers[name].poll() is not None:
                self.workers[name] = self._start(
                    name, "worker", self.address, f"--name={name}", "--nthreads=1",
                    "--nworkers=1", "--no-dashboard", "--host=127.0.0.1",
                    f"--local-directory={self._folder / name}",
                )  # fmt: skip
        end = time.monotonic() + _START_SECONDS
        while not all("Registered to" in self.log(name) for name in self._names):
            assert time.monotonic() < end, [self.log(name) for name in self._names]
            time.sleep(0.05)

    def __exit__(self, *exc: object) -> None:
        for process in (*self.workers.values(), self.scheduler):
            if process is not None:
                crash(process)

    def _start(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self._folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, to be killed as one
                env={**os.environ, "CONVSCOPE_HOME": str(self._home)},
            )

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text()


def crash(process: "subprocess.Popen[bytes]") -> None:
    """As when the plug is pulled: the process and its whole group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
