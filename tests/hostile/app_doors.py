"""The doors of the pages: what a browser, or somebody in its place, may send."""

from tests.hostile import components, forms, links, requests
from tests.hostile.door import Door

_DOORS = {
    door.name: door
    for door in (links.DOOR, components.DOOR, components.READERS, forms.DOOR, requests.DOOR)
}

DOORS = tuple(_DOORS)
"""Their names."""


def open_door(name: str) -> Door:
    return _DOORS[name]
