"""`streamlit run app.py` as a person would start it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
_START_SECONDS = 90


class Server:
    """A running server on a free port. A context manager: leaving it stops it with Ctrl-C.

    Parameters
    ----------
    home : where it keeps its runs; a folder of its own by default.
    """

    def __init__(self, script: Path = ROOT / "app.py", home: Path | None = None) -> None:
        self._own_home = tempfile.TemporaryDirectory()
        self.home = home or Path(self._own_home.name)
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            self.port: int = probe.getsockname()[1]
        self._log = tempfile.NamedTemporaryFile(suffix=".log")  # noqa: SIM115
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true",
             f"--server.port={self.port}"],
            cwd=ROOT,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "CONVSCOPE_HOME": str(self.home)},
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def __enter__(self) -> "Server":
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1):
                    return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"The server did not start: {self.log}")

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._own_home.cleanup()

    def crash(self) -> None:
        """As when the plug is pulled."""
        self.process.kill()
        self.process.wait()

    @property
    def log(self) -> str:
        return Path(self._log.name).read_text()

    def complaints(self) -> list[str]:
        """Lines in the log beyond the greeting and what is known to be harmless."""
        greeting = ("You can now view", "URL:", "Local URL", "Stopping...")
        # A fragment's timer may fire once more after a whole run has removed the fragment.
        late = "it might have been removed during a preceding full-app rerun"
        lines = [line.strip() for line in self.log.splitlines()]
        return [
            line for line in lines if line and not line.startswith(greeting) and late not in line
        ]

    def workers(self) -> list[psutil.Process]:
        """The living lab workers of this server."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            try:
                if "cnn_core.lab.worker" in child.cmdline():
                    found.append(child)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                pass  # it has just ended
        return found

    def wait_for_lab(self) -> None:
        """Until a worker has TensorFlow loaded and sits idle."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            loaded = [w for w in self.workers() if w.memory_info().rss > 400e6]
            if loaded and all(worker.cpu_percent(0.5) < 20 for worker in loaded):
                return
            time.sleep(0.1)
        raise AssertionError("The lab did not get ready.")
