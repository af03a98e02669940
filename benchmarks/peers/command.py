"""What all commands of this folder have in common: who is there, whether they agree, a report."""

import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import report
from benchmarks.peers.figures import Disagreement, Findings, write_json

SAME = 1e-5  # of the largest magnitude, as everywhere in ConvScope

_MODULES = {"PyTorch": "torch", "Captum": "captum", "tf-keras-vis": "tf_keras_vis"}
_PACKAGES = {
    "TensorFlow": "tensorflow", "Keras": "keras", "PyTorch": "torch", "Captum": "captum",
    "tf-keras-vis": "tf-keras-vis", "Streamlit": "streamlit", "Matplotlib": "matplotlib",
    "Plotly": "plotly", "NumPy": "numpy",
}  # fmt: skip


def is_here(peer: str) -> bool:
    """Whether a peer is installed."""
    return importlib.util.find_spec(_MODULES[peer]) is not None


def left_out(*peers: str) -> tuple[str, ...]:
    """A sentence about each of these peers that is not installed."""
    return tuple(
        f"{peer} is not installed, its rows are left out (`pip install -r requirements-peers.txt`)."
        for peer in peers
        if not is_here(peer)
    )


def versions_of(*names: str) -> dict[str, str]:
    """Of those that are installed, by the name that people know."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(_PACKAGES[name])
        except importlib.metadata.PackageNotFoundError:
            continue  # `left_out` says so
    return found


def difference(one: NDArray, other: NDArray) -> float:
    """The largest difference, as a share of the second's largest magnitude."""
    largest = max(float(np.abs(other).max()), 1e-30)
    return float(np.abs(one - other).max()) / largest


def check_same(what: str, one: NDArray, other: NDArray, most: float = SAME) -> float:
    """Their `difference`, at most `most`.

    Raises
    ------
    Disagreement : they have different shapes, or differ by more.
    """
    if one.shape != other.shape:
        raise Disagreement(f"{what}: expected shape {other.shape}, received {one.shape}.")
    found = difference(one, other)
    if not found <= most:
        raise Disagreement(
            f"{what}: expected a difference of at most {most:g} of the largest value, "
            f"received {found:.1e}. The times of ways that disagree compare nothing."
        )
    return found


def within(share: float) -> str:
    """A difference in words."""
    return f"within {share:.0e} of the largest value" if share else "to the last bit"


def run(compare: Callable[[], Findings]) -> None:
    """Print what a comparison finds; after ``--json PATH``, write it there as well."""
    findings = compare()
    for one in findings.comparisons:
        medians = {way.name: way.seconds for way in (one.ours, *one.beside)}
        report(f"{one.what}, {one.rounds} interleaved rounds", medians, one.ours.name)
    print(f"\n{findings.checked}")
    print(", ".join(f"{name} {version}" for name, version in findings.versions.items()))
    for note in findings.missing:
        print(note)
    if len(sys.argv) == 3 and sys.argv[1] == "--json":
        write_json(findings, Path(sys.argv[2]))
