"""Where ConvScope keeps what it is to remember, and how it writes a file."""

import os
import secrets
from pathlib import Path

import platformdirs


def home() -> Path:
    """``CONVSCOPE_HOME``, or the platform's folder for user data."""
    chosen = os.environ.get("CONVSCOPE_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("convscope", False))


def read_small(file: Path, most: int = 5_000_000) -> str:
    """A file's text. Raises `OSError`; `ValueError` if it is larger than `most` bytes, or no text.

    What is larger than anything that is written there was not written here: it is not read.
    """
    with file.open("rb") as opened:
        content = opened.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it is larger than {most:,} bytes")
    return content.decode("utf-8")


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that nobody ever reads half of it."""
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder; those that go meanwhile do not count, nor do links."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                pass  # written whole a moment ago: its unfinished name is no more
    return total
