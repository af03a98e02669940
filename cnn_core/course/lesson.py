"""A lesson as its Markdown file says it: cards, each with text, code, a live view, a question.

    +++                        front matter, TOML: title, what one will be able to explain,
    title = "Pooling"          what cards start from, what is shortened in quick tests
    +++
    ## A card                  its words: Markdown, [[terms]] of the glossary, {live} values
    ```view                    TOML: what stands beside them, and what it is to look at
    ```python                  Keras code, run by the tests as printed
    ```question                TOML: who asks, and the reasons

A card without a view keeps that of the card before. The last card is the summary.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from cnn_core.errors import DataError

LESSONS = Path(__file__).parents[2] / "lessons"

Kind = Literal["text", "question", "summary"]

_FENCES = ("view", "python", "question")


@dataclass(frozen=True)
class View:
    """What stands beside a card, and what a person looks at when they come to it.

    Attributes
    ----------
    panel : which live picture.
    network, step, digit, layer : looked at from then on; empty or None leaves what is there.
    unit : numbers, or ``"strongest"``: of the layer, or of its `map`, on the digit that is there.
    map : a map of the layer.
    highlight : maps or filters that are outlined.
    page : the page that shows more of the same; empty for none.
    options : what this panel alone knows, e.g. which kernel.
    """

    panel: str
    network: str = ""
    step: int | None = None
    digit: str = ""
    layer: str = ""
    unit: tuple[int, ...] | str = ""
    map: int | None = None
    highlight: tuple[int, ...] = ()
    page: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Code:
    """Python of a card, exactly as printed, and the line of the file where it begins."""

    text: str
    line: int


@dataclass(frozen=True)
class Ask:
    """A question: who works it out, with what, and what is said then.

    Attributes
    ----------
    name : a name of `questions.ASKERS`.
    arguments : what it is called with.
    right, wrong : said after the answer; placeholders in braces are filled in.
    slips : said in place of `wrong` when a known mistake leads to the choice.
    reveal : the panel that is shown after the answer.
    """

    name: str
    arguments: Mapping[str, Any]
    right: str
    wrong: str
    slips: Mapping[str, str]
    reveal: str


@dataclass(frozen=True)
class Card:
    """One step of a lesson.

    Attributes
    ----------
    title, text : Markdown, with ``[[terms]]`` and ``{placeholders}``.
    kind : what it is for.
    view : what stands beside it.
    code : in order; all of a lesson share their names.
    question : there is one exactly if `kind` says so.
    line : where it begins in the file.
    """

    title: str
    text: str
    kind: Kind
    view: View
    code: tuple[Code, ...]
    question: Ask | None
    line: int


@dataclass(frozen=True)
class Lesson:
    """A topic of the course.

    Attributes
    ----------
    number : from 1.
    title : of the topic.
    explain : what one can explain afterwards.
    cards : in order; the last one sums up.
    shorter : text of the code → what stands for it where the whole would take too long.
    path : the file.
    """

    number: int
    title: str
    explain: tuple[str, ...]
    cards: tuple[Card, ...]
    shorter: Mapping[str, str]
    path: Path

    @property
    def code(self) -> tuple[Code, ...]:
        """All its code, in order."""
        return tuple(code for card in self.cards for code in card.code)

    def shortened(self, text: str) -> str:
        """Code with the stated substitutions made."""
        for long, short in self.shorter.items():
            text = text.replace(long, short)
        return text


@lru_cache(maxsize=4)
def load_course(folder: Path = LESSONS) -> tuple[Lesson, ...]:
    """All lessons, in order.

    Raises
    ------
    DataError : a file is broken; names it and the line.
    """
    lessons = tuple(read_lesson(path) for path in sorted(folder.glob("[0-9][0-9]-*.md")))
    numbers = [lesson.number for lesson in lessons]
    if not lessons or numbers != list(range(1, len(lessons) + 1)):
        raise DataError(f"Lessons are numbered from 1 without a gap. In {folder}: {numbers}.")
    return lessons


def read_lesson(path: Path) -> Lesson:
    """The lesson of one file. Raises `DataError` as `load_course` does."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The lesson {path.name} cannot be read: {error}.") from error
    return _Reader(path, text.splitlines()).lesson()


class _Reader:
    """Reads the lines of one file."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self.path, self.lines = path, lines

    def fail(self, line: int, what: str) -> DataError:
        return DataError(f"{self.path.parent.name}/{self.path.name}, line {line}: {what}")

    def lesson(self) -> Lesson:
        front, body = self._front()
        wanted = {"title", "explain"}
        allowed = wanted | {"view", "shorter"}
        if not wanted <= front.keys() or not front.keys() <= allowed:
            raise self.fail(1, f"the front matter has {', '.join(sorted(wanted))}, and may have "
                               f"view and shorter. Received: {', '.join(front)}.")  # fmt: skip
        sections = self._sections(body)
        cards: list[Card] = []
        view = front.get("view", {})
        before: View | None = None
        for position, (title, line, rest) in enumerate(sections):
            last = position == len(sections) - 1
            card = self._card(title, line, rest, view, before, last)
            before = card.view
            cards.append(card)
        if not cards:
            raise self.fail(1, "there is no card; each begins with ##.")
        return Lesson(
            int(self.path.name[:2]),
            front["title"],
            tuple(front["explain"]),
            tuple(cards),
            front.get("shorter", {}),
            self.path,
        )

    def _front(self) -> tuple[dict[str, Any], int]:
        """The front matter, and the index of the first line after it."""
        if not self.lines or self.lines[0] != "+++" or "+++" not in self.lines[1:]:
            raise self.fail(1, "a lesson begins with front matter between two lines +++.")
        end = self.lines.index("+++", 1)
        return self._toml(self.lines[1:end], 2), end + 1

    def _toml(self, lines: list[str], first: int) -> dict[str, Any]:
        try:
            return tomllib.loads("\n".join(lines))
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"at line (\d+)", str(error))
            line = first + int(at[1]) - 1 if at else first
            raise self.fail(line, f"this is no TOML: {error}.") from error

    def _sections(self, start: int) -> list[tuple[str, int, list[tuple[int, str]]]]:
        """Title, line, and numbered lines of each card."""
        found: list[tuple[str, int, list[tuple[int, str]]]] = []
        fenced = False
        for number, text in enumerate(self.lines[start:], start + 1):
            if text.startswith("```"):
                fenced = not fenced
            if text.startswith("## ") and not fenced:
                found.append((text[3:].strip(), number, []))
            elif found:
                found[-1][2].append((number, text))
            elif text.strip():
                raise self.fail(number, "text before the first card; a card begins with ##.")
        return found

    def _card(
        self,
        title: str,
        line: int,
        rest: list[tuple[int, str]],
        defaults: dict[str, Any],
        before: View | None,
        last: bool,
    ) -> Card:
        words: list[str] = []
        code: list[Code] = []
        blocks: dict[str, tuple[int, dict[str, Any]]] = {}
        lines = iter(rest)
        for number, text in lines:
            if not text.startswith("```"):
                words.append(text)
                continue
            name, inside = text[3:].strip(), []
            if name not in _FENCES:
                raise self.fail(number, f"a block is one of {', '.join(_FENCES)}, not {name!r}.")
            for _, one in lines:
                if one.startswith("```"):
                    break
                inside.append(one)
            else:
                raise self.fail(number, f"the {name} block has no end.")
            if name == "python":
                code.append(Code("\n".join(inside) + "\n", number + 1))
            elif name in blocks:
                raise self.fail(number, f"a card has one {name} at most.")
            else:
                blocks[name] = number, self._toml(inside, number + 1)
        view = before
        if "view" in blocks:
            view = self._view(*blocks["view"], defaults)
        if view is None:
            raise self.fail(line, "the first card has no view.")
        ask = self._ask(*blocks["question"]) if "question" in blocks else None
        if ask is not None and last:
            raise self.fail(line, "the last card sums up; it asks nothing.")
        kind: Kind = "question" if ask is not None else "summary" if last else "text"
        return Card(title, "\n".join(words).strip(), kind, view, tuple(code), ask, line)

    def _view(self, line: int, given: dict[str, Any], defaults: dict[str, Any]) -> View:
        settings = {**defaults, **given}
        names = {one.name for one in fields(View)}
        if "panel" not in settings or not settings.keys() <= names:
            raise self.fail(line, f"a view has a panel, and may have {', '.join(sorted(names))}. "
                                  f"Received: {', '.join(settings)}.")  # fmt: skip
        for name in ("unit", "highlight"):
            if isinstance(settings.get(name), list):
                settings[name] = tuple(settings[name])
        return View(**settings)

    def _ask(self, line: int, given: dict[str, Any]) -> Ask:
        arguments = dict(given)
        try:
            return Ask(
                name=arguments.pop("ask"),
                right=arguments.pop("right"),
                wrong=arguments.pop("wrong"),
                slips=arguments.pop("slips", {}),
                reveal=arguments.pop("reveal", ""),
                arguments=arguments,
            )
        except KeyError as error:
            raise self.fail(line, f"a question has no {error.args[0]}.") from error
