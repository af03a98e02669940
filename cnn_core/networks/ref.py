"""The name of a network at a moment."""

from dataclasses import dataclass, replace

Lesion = tuple[tuple[str, int], ...]
"""Units that are off: layer and channel of each."""


@dataclass(frozen=True)
class NetworkRef:
    """Which network, frozen at which training step, without which units.

    The cache key everywhere; small enough for a link.

    Attributes
    ----------
    id : the network's name, e.g. ``"classic"``.
    step : a training step that its film holds; 0 is the random start.
    lesion : the units that are off, as `networks.lesion.check_lesion` orders them.
    """

    id: str
    step: int
    lesion: Lesion = ()

    @property
    def whole(self) -> "NetworkRef":
        """The same network at the same moment, with every unit on."""
        return replace(self, lesion=())

    def off(self, layer: str) -> tuple[int, ...]:
        """The units of a layer that are off."""
        return tuple(unit for name, unit in self.lesion if name == layer)
