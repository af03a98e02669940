"""What stands in the README about others is what was measured: data in, Markdown out."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import command
from benchmarks.peers.command import check_same, left_out
from benchmarks.peers.figures import (
    Comparison,
    Disagreement,
    Figures,
    Findings,
    Way,
    compared,
    newest_figures,
    read_figures,
    write_json,
)
from benchmarks.peers.in_turn import in_turn
from benchmarks.peers.table import duration, speed, table, with_table
from benchmarks.peers.torch_side.client import quicker

ROOT = Path(__file__).parents[2]

FIGURES = Figures(
    date="2026-11-25",
    cores=2,
    load=0.5,
    findings=(
        Findings(
            (
                Comparison(
                    "a cake",
                    Way("by hand", 0.002),
                    (Way("a mixer", 0.001), Way("a spoon", 0.3)),
                    rounds=7,
                ),
            ),
            checked="Cakes: they taste the same.",
            missing=("A bakery is not installed.", "A bakery is not installed."),
            versions={"Spoon": "1.0"},
        ),
    ),
)


def test_the_readmes_table_is_made_of_the_figures_that_are_kept() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert with_table(text, read_figures(newest_figures())) == text


def test_a_table_says_who_is_faster_and_what_is_missing() -> None:
    assert table(FIGURES).splitlines() == [
        "| what | ConvScope | beside it | took | ConvScope is |",
        "|---|---|---|---|---|",
        "| a cake | by hand: 2.00 ms | a mixer | 1.00 ms | 0.50 × as fast: **slower** |",
        "| | | a spoon | 300 ms | 150 × as fast |",
        "",
        "Measured 2026-11-25 on 2 cores, load 0.5 at the start: Spoon 1.0.",
        "",
        "- Cakes: they taste the same.",
        "- A bakery is not installed.",
    ]


def test_a_table_made_on_a_busy_machine_says_so() -> None:
    busy = "load 2.5 at the start (others were at work: no ratio near 1 says anything)"
    assert busy in table(replace(FIGURES, load=2.5))
    assert "others" not in table(replace(FIGURES, load=None))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (75, "75.0 s"),
        (1.0, "1.00 s"),
        (0.9996, "1.00 s"),
        (0.999, "999 ms"),
        (0.01234, "12.3 ms"),
        (0.00156, "1.56 ms"),
        (0.0009996, "1.00 ms"),
        (0.00009876, "98.8 µs"),
        (0.0000012, "1.20 µs"),
    ],
)
def test_a_duration_has_three_digits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("ours", "theirs", "text"),
    [
        (1, 2368, "2,368 × as fast"),
        (2, 3, "1.50 × as fast"),
        (1.00, 1.04, "as fast (1.04)"),
        (1.04, 1.00, "as fast (0.96)"),
        (4, 3, "0.75 × as fast: **slower**"),
    ],
)
def test_a_speed_is_the_others_time_by_ours(ours: float, theirs: float, text: str) -> None:
    assert speed(ours, theirs) == text


def test_a_table_replaces_the_one_before() -> None:
    once = with_table("a\n<!-- peers -->\nold\n<!-- /peers -->\nz\n", FIGURES)
    assert once == f"a\n<!-- peers -->\n{table(FIGURES)}\n<!-- /peers -->\nz\n"
    assert with_table(once, FIGURES) == once


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "<!-- peers -->",
        "<!-- /peers --> <!-- peers -->",
        "<!-- peers --><!-- peers --><!-- /peers -->",
    ],
)
def test_a_readme_without_a_place_for_it_is_not_written(text: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        with_table(text, FIGURES)


def test_figures_come_back_from_their_file_and_the_newest_counts(tmp_path: Path) -> None:
    write_json(FIGURES, tmp_path / "peers-2026-11-25.json")
    (tmp_path / "peers-2026-09-30.json").write_text("{}")
    assert read_figures(newest_figures(tmp_path)) == FIGURES


def test_the_first_way_is_convscopes() -> None:
    made = compared("a cake", {"by hand": 2.0, "a spoon": 3.0}, rounds=5)
    assert made == Comparison("a cake", Way("by hand", 2.0), (Way("a spoon", 3.0),), 5)


def test_ways_take_turns_and_the_first_round_does_not_count() -> None:
    order: list[str] = []
    seconds = {"a": iter([9.0, 1.0, 2.0, 6.0]), "b": iter([9.0, 5.0, 4.0, 3.0])}

    def way(name: str):
        def run(times: int) -> list[float]:
            order.append(name)
            return [next(seconds[name]) for _ in range(times)]

        return run

    assert in_turn({"a": way("a"), "b": way("b")}, rounds=3) == {"a": 2.0, "b": 4.0}
    assert order == ["a", "b"] * 4


def test_of_several_calls_in_a_round_the_first_does_not_count() -> None:
    assert in_turn({"a": lambda times: [9.0, *[1.0] * (times - 1)]}, rounds=1, calls=1) == {"a": 9}
    assert in_turn({"a": lambda times: [9.0, *[1.0] * (times - 1)]}, rounds=2, calls=3) == {"a": 1}


def test_of_a_peer_tried_with_several_threads_the_quickest_stands_in_the_table() -> None:
    tried = {"ours": 5.0, "it, 1 thread": 3.0, "it, 2 threads": 2.0}
    assert quicker("it", tried) == {"ours": 5.0, "it, 2 threads": 2.0}
    assert quicker("another", tried) == tried


def test_ways_that_disagree_are_not_compared() -> None:
    right = np.array([0.0, 10.0])
    assert check_same("cakes", right + 5e-5, right) == pytest.approx(5e-6)
    with pytest.raises(Disagreement, match="cakes: expected a difference of at most 1e-05"):
        check_same("cakes", right + 2e-4, right)
    with pytest.raises(Disagreement, match=r"expected shape \(2,\), received \(1,\)"):
        check_same("cakes", right[:1], right)
    with pytest.raises(Disagreement, match="received nan"):
        check_same("cakes", np.array([np.nan, 10.0]), right)


def test_a_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(command._MODULES, "PyTorch", "no_such_module")
    assert left_out("tf-keras-vis", "PyTorch") == (
        "PyTorch is not installed, its rows are left out "
        "(`pip install -r requirements-peers.txt`).",
    )


def test_the_table_is_written_without_keras_and_without_pytorch() -> None:
    script = (
        "import sys, benchmarks.peers.__main__, benchmarks.peers.torch_side.client; "
        "assert not {'keras', 'tensorflow', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, timeout=60)
