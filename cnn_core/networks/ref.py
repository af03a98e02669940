"""The name of a network at a moment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkRef:
    """Which network, frozen at which training step.

    The cache key everywhere; small enough for a link.

    Attributes
    ----------
    id : the network's name, e.g. ``"classic"``.
    step : a training step that its film holds; 0 is the random start.
    """

    id: str
    step: int
