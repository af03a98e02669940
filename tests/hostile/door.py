"""A door, what may be thrown at it, and what becomes of that."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cnn_core.errors import ConvScopeError, WorkFailed


@dataclass(frozen=True)
class Door:
    """A place where something from outside comes in.

    Attributes
    ----------
    name : for people.
    payloads : what is thrown at it at random.
    by_hand : what somebody thought of.
    good : what must come in: a door that is shut keeps out everything.
    enter : takes a payload as far in as it gets. `ConvScopeError` refuses it, as the pages show
        it; anything else that is raised is a crash.
    """

    name: str
    payloads: SearchStrategy[Any]
    by_hand: tuple[Any, ...]
    good: tuple[Any, ...]
    enter: Callable[[Any], object]


def knock(door: Door, payload: Any) -> bool:
    """Whether the payload came in; False if it was refused with a sentence.

    Raises
    ------
    Exception : it crashed; or the refusal is no sentence to be shown.
    """
    try:
        door.enter(payload)
    except WorkFailed:
        raise  # a worker's bug in a sentence's clothes
    except ConvScopeError as error:
        sentence = str(error)
        if not sentence or len(sentence) > 2_000 or "Traceback" in sentence:
            raise AssertionError(f"This is no sentence for people: {sentence[:200]!r}") from error
        return False
    return True


HUGE = 10**400
"""A whole number that no float can hold."""

numbers = st.one_of(
    st.integers(-3, 40),
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, HUGE, -HUGE]),
    st.floats(),
)
words = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", "\0", "..", "../../etc/passwd", "NaN", "-0", "1e999", "constructor",
                     "__proto__", "<script>", "٣", "\ud800", "𝟛", "a" * 5_000]),
)  # fmt: skip
plain: SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, words),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Anything that JSON can say, and a little more: NaN, infinities, half letters."""

DEEP = json.loads("[" * 900 + "]" * 900)
"""As deep as Python's JSON reads."""


def damaged(good: bytes) -> SearchStrategy[bytes]:
    """A file after bits were flipped, parts cut out, doubled or replaced; or no file at all."""
    size = max(1, len(good))
    at = st.integers(0, size - 1)

    def flipped(bits: list[tuple[int, int]]) -> bytes:
        changed = bytearray(good)
        for where, bit in bits:
            if where < len(changed):
                changed[where] ^= 1 << bit
        return bytes(changed)

    return st.one_of(
        st.lists(st.tuples(at, st.integers(0, 7)), min_size=1, max_size=12).map(flipped),
        at.map(lambda where: good[:where]),
        st.tuples(at, at).map(lambda cut: good[: min(cut)] + good[max(cut) :]),
        st.tuples(at, at).map(lambda cut: good[: max(cut)] + good[min(cut) :]),
        st.tuples(at, st.binary(max_size=40)).map(
            lambda put: good[: put[0]] + put[1] + good[put[0] + len(put[1]) :]
        ),
        st.binary(max_size=400),
    )


def altered(good: Any) -> SearchStrategy[Any]:
    """Plain data with one value, anywhere in it, replaced, removed or added."""
    places = list(_places(good))

    def change(chosen: tuple[tuple[Any, ...], str, Any]) -> Any:
        place, how, value = chosen
        copy = json.loads(json.dumps(good))
        if not place:
            return value
        inner = copy
        for step in place[:-1]:
            inner = inner[step]
        if how == "replace":
            inner[place[-1]] = value
        elif how == "remove":
            del inner[place[-1]]
        elif isinstance(inner, list):
            inner.append(value)
        else:
            inner[str(value)[:10]] = value
        return copy

    how = st.sampled_from(["replace", "replace", "remove", "add"])
    return st.tuples(st.sampled_from(places), how, plain).map(change)


def _places(value: Any, so_far: tuple[Any, ...] = ()) -> Any:
    yield so_far
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for step, one in inner:
        yield from _places(one, (*so_far, step))


def as_json(value: Any) -> bytes:
    """The value as JSON's bytes, as far as JSON can say it."""
    return json.dumps(value).encode("utf-8", "surrogatepass")
