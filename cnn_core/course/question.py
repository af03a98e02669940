"""What a question is: values for its words, choices, and which of them is right."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from cnn_core.probe.geometry import Index


@dataclass(frozen=True)
class Question:
    """A question on the present picture, with its answer worked out.

    Attributes
    ----------
    values : for the placeholders of its words.
    choices : two to four; numbers as they are shown, or names that `text.load_words` knows.
    right : which of them.
    slips : for each choice, the mistake that leads to it; empty for none that is known.
    shows : layer and unit that the answer is about.
    """

    values: Mapping[str, str]
    choices: tuple[str, ...]
    right: int
    slips: tuple[str, ...]
    shows: tuple[str, Index] | None = field(default=None)


def question(
    right: str,
    others: Mapping[str, str],
    values: Mapping[str, str],
    order: tuple[str, ...] = (),
    shows: tuple[str, Index] | None = None,
) -> Question:
    """A question of at most four choices.

    Parameters
    ----------
    right : the right choice.
    others : wrong choices, each with the slip that leads to it; one that happens to be right too
        is left out.
    order : the order of the choices; by default mixed, the same way each time.
    """
    wrong = {text: slip for text, slip in others.items() if text != right}
    texts = [right, *list(wrong)[:3]]
    if order:
        texts.sort(key=order.index)
    else:
        salt = "/".join(sorted(texts))
        texts.sort(key=lambda text: zlib.crc32(f"{salt}:{text}".encode()))
    return Question(
        {**values, "right": right},
        tuple(texts),
        texts.index(right),
        tuple(wrong.get(text, "") for text in texts),
        shows,
    )
