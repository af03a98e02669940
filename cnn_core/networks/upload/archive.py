"""The outside of a ``.keras`` file: a zip archive of three members, unpacked in memory.

Nothing the archive says of itself is trusted: sizes are measured while it is read, and nothing is
written to disk.
"""

import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

from cnn_core.errors import BadUpload

MOST_BYTES = 64 * 1024**2
"""How large a file may be."""

_WEIGHTS = "model.weights.h5"
_MOST_UNPACKED = {"metadata.json": 10_000, "config.json": 1_000_000, _WEIGHTS: 80 * 1024**2}
_END = b"PK\x05\x06"  # of the end of a zip archive's directory: 22 bytes without a comment
_END_BYTES = 22
_LARGE_END = b"PK\x06\x07"  # of what points to a second, larger end
_LARGE_END_BYTES = 20
_MOST_DIRECTORY = 4_000
_DEEPEST = 40
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError,
    ValueError, OverflowError, IndexError, struct.error,
)  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """The three members of a ``.keras`` file.

    Attributes
    ----------
    metadata, config : the two that are JSON, as plain values at most 40 levels deep.
    weights : the third, an HDF5 file that nobody has opened.
    """

    metadata: Any
    config: Any
    weights: bytes


def read_archive(content: bytes) -> Archive:
    """The members of a ``.keras`` file.

    Raises
    ------
    BadUpload : too large, no such archive, other members than those three, damaged, or larger
        unpacked than allowed.
    """
    if len(content) > MOST_BYTES:
        raise BadUpload(
            f"The file is {len(content) / 1024**2:,.0f} MB large; up to "
            f"{MOST_BYTES // 1024**2} MB are read."
        )
    _check_end(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_members(members)
            metadata, config, weights = (_unpacked(archive, name) for name in _MOST_UNPACKED)
    except _DAMAGED as error:
        raise BadUpload(
            f"The file is a damaged archive: {str(error)[:100] or type(error).__name__}. "
            "Save the model once more with model.save(…)."
        ) from error
    return Archive(_json(metadata, "metadata.json"), _json(config, "config.json"), weights)


def _check_end(content: bytes) -> None:
    """Refuse what is no zip archive, and one whose directory would take long to read."""
    end = content[-_END_BYTES:]
    if not content.startswith(b"PK\x03\x04"):
        raise BadUpload(
            "This is no .keras file: it does not begin as a zip archive does. Save the model with "
            "model.save('name.keras') in Keras 3."
        )
    if len(end) < _END_BYTES or not end.startswith(_END) or end[-2:] != b"\0\0":
        raise BadUpload(
            "The archive does not end as a .keras file does: it is truncated, or something was "
            "added to it."
        )
    directory = int.from_bytes(end[12:16], "little")
    larger = content[-_END_BYTES - _LARGE_END_BYTES :].startswith(_LARGE_END)
    if larger or directory > _MOST_DIRECTORY:
        raise BadUpload(
            "The archive has a directory for more than the three members of a .keras file."
        )


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    expected = ", ".join(_MOST_UNPACKED)
    names = [member.filename for member in members]
    for member in members:
        # What zipfile shows ends at a zero byte; the original is what other tools may read.
        if member.filename not in _MOST_UNPACKED or member.orig_filename != member.filename:
            raise BadUpload(
                f"The archive holds {member.orig_filename[:60]!r}, which does not belong into a "
                f".keras file. Expected: {expected} and nothing else."
            )
        if member.flag_bits & 0x1:
            raise BadUpload(f"{member.filename} in the archive is encrypted.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadUpload(f"{member.filename} is compressed in a way that is not read here.")
    if len(set(names)) < len(names):
        raise BadUpload("The archive holds the same member twice.")
    missing = [name for name in _MOST_UNPACKED if name not in names]
    if missing:
        raise BadUpload(f"The archive lacks {', '.join(missing)}. Expected: {expected}.")


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member, unpacked no further than its limit, whatever size it claims to have."""
    most = _MOST_UNPACKED[name]
    with archive.open(name) as member:
        content = member.read(most + 1)
    if len(content) > most:
        raise BadUpload(
            f"{name} in the archive is larger than {most:,} bytes once unpacked; no network that "
            "is accepted here needs that."
        )
    return content


def _json(text: bytes, name: str) -> Any:
    def no_constant(constant: str) -> None:
        raise ValueError(f"{constant} is no number")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name stands twice")
        return found

    try:
        value = json.loads(text.decode("utf-8"), parse_constant=no_constant, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise BadUpload(f"{name} cannot be read: {str(error)[:100]}.") from error
    _check_depth(value, name)
    return value


def _check_depth(value: Any, name: str) -> None:
    layer = [value]
    for _ in range(_DEEPEST):
        layer = [
            inner
            for outer in layer
            for inner in (
                outer.values()
                if isinstance(outer, dict)
                else outer
                if isinstance(outer, list)
                else ()
            )
        ]
    if layer:
        raise BadUpload(f"{name} is nested deeper than {_DEEPEST} levels.")
