"""The Dockerfile and `docs/serving.md` tell the truth."""

import re
import tomllib
from pathlib import Path

import pytest

from cnn_core.settings import is_classroom, is_public, whole_number
from cnn_core.training.budget import OWN, PUBLIC

ROOT = Path(__file__).parents[2]
SERVING = (ROOT / "docs" / "serving.md").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def instructions(name: str) -> list[str]:
    whole = DOCKERFILE.replace("\\\n", " ")
    return [line.partition(" ")[2] for line in whole.splitlines() if line.startswith(f"{name} ")]


def test_all_that_the_image_copies_is_there_and_goes_to_the_builder() -> None:
    copied = [line.split()[0] for line in instructions("COPY")]
    assert {
        "app.py",
        "requirements.txt",
        "cnn_core",
        "ui",
        "pages",
        "lessons",
        ".streamlit",
    } == set(copied)
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in let_in


def test_the_image_runs_the_pinned_requirements_as_nobody_special() -> None:
    (base,) = instructions("FROM")
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    python = re.fullmatch(r"python:(3\.\d+)-slim", base)
    assert python
    assert f">={python[1]}" in wanted
    assert any("-r requirements.txt" in line for line in instructions("RUN"))
    assert instructions("USER") == ["convscope"]
    assert "CONVSCOPE_HOME=/data" in instructions("ENV")[0]
    assert instructions("VOLUME") == ["/data"]
    assert "/_stcore/health" in instructions("HEALTHCHECK")[0]
    last = [line for line in DOCKERFILE.splitlines() if line][-1]
    assert last.startswith("CMD")
    assert "0.0.0.0" in last


def test_every_setting_in_the_code_stands_in_the_table() -> None:
    files = [*ROOT.glob("*.py"), *(ROOT / "cnn_core").rglob("*.py"), *(ROOT / "ui").rglob("*.py"),
             *(ROOT / "pages").rglob("*.py")]  # fmt: skip
    in_code = {
        name for file in files for name in re.findall(r"CONVSCOPE_[A-Z_]+", file.read_text("utf-8"))
    }
    in_table = re.findall(r"^\| `(CONVSCOPE_[A-Z_]+)` \|", SERVING, re.MULTILINE)
    assert in_code == set(in_table)
    assert len(in_table) == len(set(in_table))


def test_every_file_that_is_said_to_protect_is_there() -> None:
    section = SERVING.partition("## What protects what")[2]
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]*(?:\.py)?)`", section)
    assert named
    for name in named:
        assert any((ROOT / room / name).exists() for room in ("", "cnn_core")), name


def test_the_budgets_are_those_that_are_written() -> None:
    assert f"at most {PUBLIC.epochs} epochs, {PUBLIC.steps:,} steps" in SERVING
    assert f"{PUBLIC.film_bytes // 10**6} MB of film" in SERVING
    assert f"{OWN.epochs:,} epochs, {OWN.steps:,} steps" in SERVING


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("", 5), ("x", 5), ("-1", 5), ("٣", 5), ("9" * 40, 5), ("0", 5)]
)
def test_a_setting_that_makes_no_sense_is_not_set(
    text: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSCOPE_WAITING", text)
    assert whole_number("CONVSCOPE_WAITING", 5, 1, 100) == value


def test_public_is_a_classroom_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVSCOPE_PUBLIC", raising=False)
    monkeypatch.delenv("CONVSCOPE_CLASSROOM", raising=False)
    assert not is_public()
    assert not is_classroom()
    monkeypatch.setenv("CONVSCOPE_PUBLIC", "1")
    assert is_public()
    assert is_classroom()
