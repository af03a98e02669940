"""Locks among all servers, and all machines, that share a folder of runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cnn_core.errors import RunError

_LOCK_SECONDS = 30.0  # nobody holds one of them for long


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Hold a lock among all processes, and all machines, that share its folder."""
    try:
        lock = FileLock(file, timeout=_LOCK_SECONDS).acquire()
    except Timeout as error:
        raise RunError(
            f"Another server has been at the runs in {file.parent.parent} for longer than "
            f"{_LOCK_SECONDS:.0f} seconds. Try again in a while."
        ) from error
    except OSError as error:
        raise no_room(file.parent.parent, error) from error
    with lock:
        yield


def no_room(folder: Path, error: OSError) -> RunError:
    """Why nothing can be written there."""
    return RunError(
        f"No run can be kept in {folder}: {error.strerror}. Make room there, or set "
        "CONVSCOPE_HOME to another folder."
    )
