"""The code of every lesson runs exactly as printed, and prints what it says it prints.

Where a lesson states a shorter stand-in for a long training, that runs here; `make soak` runs
everything as printed. A line ``print(...)  # → text`` promises its output.
"""

import re
import socket
import warnings
from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt  # noqa: TID251 - what the lessons' code draws with
import pytest

from cnn_core.course.lesson import Code, Lesson, load_course

COURSE = load_course()
MOST_LINES = 60  # a summary of Keras has 30


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No address of the internet can be reached, and no window is opened."""

    def refused(*args: object, **kwargs: object) -> None:
        raise OSError("A lesson's code tried to reach the internet.")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    matplotlib.use("Agg")
    yield
    plt.close("all")


def promised(code: Code) -> list[str]:
    return re.findall(r"^ *print\(.*\)  # → (.*)$", code.text, re.MULTILINE)


@pytest.mark.parametrize("lesson", COURSE, ids=lambda lesson: lesson.path.stem)
def test_the_code_runs_as_printed_and_prints_what_it_says(
    lesson: Lesson, offline: None, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    for code in lesson.code:
        text = lesson.shortened(code.text)
        where = f"{lesson.path.name}, line {code.line}"
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # a reader would see it, and wonder
            warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
            exec(compile("\n" * (code.line - 1) + text, where, "exec"), names)
        printed = capsys.readouterr().out.splitlines()
        assert len(printed) <= MOST_LINES
        lines = iter(printed)
        for promise in promised(code):
            assert promise in lines, f"{where}: {promise!r} is not printed, in this order"


@pytest.mark.parametrize("lesson", COURSE, ids=lambda lesson: lesson.path.stem)
def test_what_is_shortened_is_there_and_only_made_shorter(lesson: Lesson) -> None:
    whole = "".join(code.text for code in lesson.code)
    for long, short in lesson.shorter.items():
        assert long in whole
        assert re.search(r"epochs=|x_train|y_train", long)
        assert long != short


def test_every_lesson_has_code_and_no_trap_in_it() -> None:
    for lesson in COURSE:
        assert lesson.code
        whole = "".join(code.text for code in lesson.code)
        assert "input_shape" not in whole  # deprecated on a first layer
        assert "datasets" not in whole  # would be fetched
        assert max(map(len, whole.splitlines())) <= 100
