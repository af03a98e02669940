"""What is asked in `make soak` only."""

from collections.abc import Iterable

import pytest


def dearest_in_soak(networks: Iterable[str]) -> list[object]:
    """Parameters for a test of every network; the one with the most layers takes a minute."""
    return [
        pytest.param(name, marks=pytest.mark.soak) if name == "densenet_mini" else name
        for name in networks
    ]
