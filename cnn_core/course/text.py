"""The words of the course: the glossary, the words of choices, and what fills their braces."""

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cnn_core.course.lesson import LESSONS
from cnn_core.errors import DataError

_TERM = re.compile(r"\[\[([^\]|]+)(?:\|([^\]|]+))?\]\]")


@lru_cache(maxsize=4)
def load_glossary(folder: Path = LESSONS) -> Mapping[str, str]:
    """Every term with its explanation, one sentence or two."""
    return _table(folder / "glossary.toml")


@lru_cache(maxsize=4)
def load_words(folder: Path = LESSONS) -> Mapping[str, Mapping[str, str]]:
    """The words around the lessons: ``choices`` that are no numbers, by the names that askers give
    them, and those of the ``page``."""
    return _table(folder / "words.toml")


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path.parent.name}/{path.name} cannot be read: {error}.") from error


def terms_in(text: str) -> list[str]:
    """The glossary's terms that a text marks, in order.

    >>> terms_in("A [[kernel]] makes [[feature maps|feature map]].")
    ['kernel', 'feature map']
    """
    return [found[2] or found[1] for found in _TERM.finditer(text)]


def with_terms(text: str, shown: Callable[[str, str], str]) -> str:
    """The text with each mark replaced by ``shown(words, term)``."""
    return _TERM.sub(lambda found: shown(found[1], found[2] or found[1]), text)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its braces filled in.

    Raises
    ------
    DataError : a brace names no value.
    """
    try:
        return text.format_map(values)
    except (KeyError, IndexError, ValueError) as error:
        raise DataError(
            f"The text {text[:60]!r} asks for {error}; there are {', '.join(values)}."
        ) from error


def number(value: float) -> str:
    """A value at three significant digits, with a true minus sign.

    >>> number(-0.12345), number(113_912.7)
    ('−0.123', '114,000')
    """
    text = f"{value:.3g}"
    if 1e3 <= abs(value) < 1e15:
        text = f"{float(text):,.0f}"
    return text.replace("-", "\N{MINUS SIGN}")


def fixed(value: float, decimals: int = 2) -> str:
    """A value at so many decimals, with a true minus sign."""
    return f"{value:z.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def shape_text(sizes: tuple[int, ...]) -> str:
    """``26 × 26 × 32``."""
    return " × ".join(f"{size:,}" for size in sizes)


def share(value: float) -> str:
    """``98.7%``; what would be rounded to 0 or 1 without being it says so."""
    if 0 < value < 0.0005:
        return "less than 0.1%"
    if 0.9995 <= value < 1:
        return "more than 99.9%"
    return f"{value:.1%}"
