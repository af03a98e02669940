"""Whole numbers that arrive as text: in links, in file names, in the environment."""

_MOST_DIGITS = 11
"""More count nothing here; and Python itself refuses numbers of more than 4,300 of them."""


def is_whole(text: object, least: int = 0, most: int = 10**_MOST_DIGITS - 1) -> bool:
    """Whether it is a whole number from `least` to `most`, none below 0, in decimal digits."""
    return (
        isinstance(text, str)
        and text.isascii()
        and text.isdecimal()
        and len(text) <= _MOST_DIGITS
        and least <= int(text) <= most
    )
