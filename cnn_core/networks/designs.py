"""The designs kept on disk, one JSON file each: ``<home>/designs/<id>.json``. Needs no Keras."""

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from cnn_core.disk import home, read_small, write_whole
from cnn_core.errors import BadDesign
from cnn_core.networks.design import Design

MOST_KEPT = 40
"""Designs that one owner may keep."""
_MOST_ON_DISK = 4_000  # of all owners: a few megabytes


@dataclass(frozen=True)
class SavedDesign:
    """A design with its place.

    Attributes
    ----------
    id : 16 hexadecimal digits, the name of its file.
    owner : whose it is; empty for everybody's.
    """

    id: str
    design: Design
    owner: str = ""


def saved_designs(owner: str = "") -> list[SavedDesign]:
    """The designs that can be read, in the order of their names.

    Parameters
    ----------
    owner : only theirs; empty for all.
    """
    found = []
    for file in _folder().glob("*.json"):
        try:
            saved = _read(file)
        except BadDesign:
            continue  # damaged, or being deleted; it is left alone
        if owner in ("", saved.owner):
            found.append(saved)
    return sorted(found, key=lambda saved: (saved.design.name.casefold(), saved.id))


def save_design(design: Design, owner: str = "") -> SavedDesign:
    """Keep it; in the place of the owner's design of the same name, if there is one.

    Raises
    ------
    BadDesign : there are too many, or the file cannot be written.
    """
    theirs = saved_designs(owner)
    same = [saved.id for saved in theirs if saved.design.name == design.name]
    if not same and len(theirs) >= MOST_KEPT:
        raise BadDesign(f"At most {MOST_KEPT} designs are kept. Delete one, or download this one.")
    saved = SavedDesign(same[0] if same else secrets.token_hex(8), design, owner)
    content = json.dumps({"owner": owner, "design": design.to_plain()}, ensure_ascii=False)
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        write_whole(_folder() / f"{saved.id}.json", content.encode())
        _make_room()
    except OSError as error:
        raise BadDesign(f"The design cannot be written: {error.strerror}.") from error
    return saved


def delete_design(id: str, owner: str = "") -> None:
    """Raises `BadDesign` if they have none of that id, or it cannot be deleted."""
    if id not in {saved.id for saved in saved_designs(owner)}:
        raise BadDesign("There is no such design; it may have been deleted.")
    try:
        (_folder() / f"{id}.json").unlink(missing_ok=True)
    except OSError as error:
        raise BadDesign(f"The design cannot be deleted: {error.strerror}.") from error


def _folder() -> Path:
    return home() / "designs"


def _make_room() -> None:
    """Of all owners together the oldest go."""
    files = list(_folder().glob("*.json"))
    if len(files) <= _MOST_ON_DISK:
        return
    files.sort(key=lambda file: file.stat().st_mtime_ns)
    for file in files[: len(files) - _MOST_ON_DISK]:
        file.unlink(missing_ok=True)


def _read(file: Path) -> SavedDesign:
    if not re.fullmatch(r"[0-9a-f]{16}", file.stem):
        raise BadDesign(f"{file.name} is no design's name.")
    try:
        plain = json.loads(read_small(file))
        return SavedDesign(file.stem, Design.from_plain(plain["design"]), str(plain["owner"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadDesign(f"The design in {file.name} is damaged: {error}.") from error
