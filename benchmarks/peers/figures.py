"""What a comparison found: plain data that goes to JSON and back. Needs no Keras."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results"


class Disagreement(Exception):
    """Two ways of doing the same thing gave different answers: their times compare nothing."""


@dataclass(frozen=True)
class Way:
    """One way of doing a thing, and the median of the seconds that it took."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """One thing, done by ConvScope and by others in turn.

    Attributes
    ----------
    what : is done.
    ours : how ConvScope does it.
    beside : the other ways.
    rounds : of each way; the seconds are their median.
    """

    what: str
    ours: Way
    beside: tuple[Way, ...]
    rounds: int


@dataclass(frozen=True)
class Findings:
    """What one command found.

    Attributes
    ----------
    checked : in one sentence, that the answers were the same, or how far they can be.
    missing : what is left out, and why; a sentence each.
    versions : of what took part, by name.
    """

    comparisons: tuple[Comparison, ...]
    checked: str
    missing: tuple[str, ...]
    versions: dict[str, str]


@dataclass(frozen=True)
class Figures:
    """What all commands found, one after the other on one machine.

    Attributes
    ----------
    date : ISO.
    cores : of the machine.
    load : processes that wanted a core when the run began; None where nobody counts them.
    """

    date: str
    cores: int
    load: float | None
    findings: tuple[Findings, ...]


def findings_of(content: dict) -> Findings:
    """The findings that `asdict` made plain."""
    return Findings(
        comparisons=tuple(
            Comparison(
                one["what"],
                Way(**one["ours"]),
                tuple(Way(**way) for way in one["beside"]),
                one["rounds"],
            )
            for one in content["comparisons"]
        ),
        checked=content["checked"],
        missing=tuple(content["missing"]),
        versions=content["versions"],
    )


def write_json(what: Findings | Figures, path: Path) -> None:
    text = json.dumps(asdict(what), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_findings(path: Path) -> Findings:
    return findings_of(json.loads(path.read_text("utf-8")))


def read_figures(path: Path) -> Figures:
    content = json.loads(path.read_text("utf-8"))
    findings = tuple(findings_of(one) for one in content.pop("findings"))
    return Figures(**content, findings=findings)


def newest_figures(folder: Path = RESULTS) -> Path:
    """The file of the last run that was kept. Its name ends in its date.

    Raises
    ------
    FileNotFoundError : no run was kept.
    """
    files = sorted(folder.glob("peers-*.json"))
    if not files:
        raise FileNotFoundError(f"No peers-*.json in {folder}: run python -m benchmarks.peers.")
    return files[-1]


def compared(what: str, medians: dict[str, float], rounds: int) -> Comparison:
    """A comparison from medians by name, of which the first is ConvScope's."""
    ours, *beside = (Way(name, seconds) for name, seconds in medians.items())
    return Comparison(what, ours, tuple(beside), rounds)
