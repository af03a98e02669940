"""What is asked in `make soak` only."""

from collections.abc import Iterable

import pytest


def dearest_in_soak(networks: Iterable[str]) -> list[object]:
    """Parameters for a test of every network; the deepest take as long as all others together."""
    dearest = ("densenet_mini", "inception_mini", "plain_mini", "resnet_mini")
    return [
        pytest.param(name, marks=pytest.mark.soak) if name in dearest else name for name in networks
    ]
