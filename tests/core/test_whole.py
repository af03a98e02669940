import pytest

from cnn_core.whole import is_whole


@pytest.mark.parametrize("text", ["0", "7", "007", "99999999999"])
def test_decimal_digits_are_a_whole_number(text: str) -> None:
    assert is_whole(text)


@pytest.mark.parametrize(
    "text", ["", " 7", "7\n", "+7", "-1", "1e3", "1_000", "٣", "²", "9" * 12, "9" * 5000, 7, None]
)
def test_nothing_else_is(text: object) -> None:
    assert not is_whole(text)


def test_it_may_have_bounds() -> None:
    assert [is_whole(str(k), 3, 5) for k in range(2, 7)] == [False, True, True, True, False]
