"""Answers kept in memory by their size."""

from cnn_core.memory import kept_by_size


def test_what_does_not_fit_goes_the_least_recently_used_first() -> None:
    made: list[str] = []

    @kept_by_size(10, len)
    def letters(letter: str, count: int) -> str:
        made.append(letter)
        return letter * count

    assert letters("a", 4) == "aaaa"
    letters("b", 4)
    letters("a", 4)  # kept, and used again
    letters("c", 4)  # 12 letters: the b's go
    assert letters.bytes == 8
    letters("a", 4)
    letters("b", 4)
    assert made == ["a", "b", "c", "b"]


def test_what_is_larger_than_all_room_is_kept_alone() -> None:
    @kept_by_size(10, len)
    def letters(count: int) -> str:
        return "x" * count

    letters(3)
    letters(50)
    assert letters.bytes == 50
    letters(2)
    assert letters.bytes == 2
    letters.cache_clear()
    assert letters.bytes == 0
