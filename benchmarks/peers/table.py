"""Figures → the README's table. Needs no Keras."""

from datetime import date
from pathlib import Path

from benchmarks.peers.figures import Figures, newest_figures, read_figures

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- peers -->", "<!-- /peers -->"
AS_FAST = 1.05  # closer than this nobody is called faster: the machines are noisy


def three_digits(value: float) -> str:
    """A number from 0 to thousands, as exact as it was measured."""
    places = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{places}f}"


def duration(seconds: float) -> str:
    """In the unit that leaves the number below a thousand."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= 0.9995 * size:
            return f"{three_digits(seconds / size)} {unit}"
    return f"{three_digits(seconds / 1e-6)} µs"


def speed(ours: float, theirs: float) -> str:
    """How many times as fast as the other way ConvScope is, from the seconds of both."""
    ratio = theirs / ours
    if ratio < 1 / AS_FAST:
        return f"{three_digits(ratio)} × as fast: **slower**"
    if ratio <= AS_FAST:
        return f"as fast ({three_digits(ratio)})"
    return f"{three_digits(ratio)} × as fast"


def table(figures: Figures) -> str:
    """The Markdown that stands between the README's markers."""
    lines = [
        "| what | ConvScope | beside it | took | ConvScope is |",
        "|---|---|---|---|---|",
    ]
    for findings in figures.findings:
        for one in findings.comparisons:
            first = f"| {one.what} | {one.ours.name}: {duration(one.ours.seconds)} "
            for way in one.beside:
                ratio = speed(one.ours.seconds, way.seconds)
                lines.append(f"{first}| {way.name} | {duration(way.seconds)} | {ratio} |")
                first = "| | "
    versions = {name: v for findings in figures.findings for name, v in findings.versions.items()}
    day = date.fromisoformat(figures.date)
    load = "" if figures.load is None else f", load {figures.load:.1f} at the start"
    if figures.load is not None and figures.load > figures.cores:
        load += " (others were at work: no ratio near 1 says anything)"
    lines += [
        "",
        f"Measured {day.isoformat()} on {figures.cores} cores{load}: "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + ".",
        "",
    ]
    lines += [f"- {findings.checked}" for findings in figures.findings]
    notes = dict.fromkeys(note for findings in figures.findings for note in findings.missing)
    lines += [f"- {note}" for note in notes]  # several commands may miss the same
    return "\n".join(lines)


def with_table(text: str, figures: Figures) -> str:
    """A README with this table in the place of the one that stood there.

    Raises
    ------
    ValueError : the two markers are not there, once each and in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in after:
        raise ValueError(f"Expected {BEGIN} and {END} once each, in this order, in the README.")
    return f"{before}{BEGIN}\n{table(figures)}\n{END}{after}"


def main() -> None:
    """Write the table of the newest figures that were kept."""
    figures = read_figures(newest_figures())
    README.write_text(with_table(README.read_text("utf-8"), figures), encoding="utf-8")


if __name__ == "__main__":
    main()
