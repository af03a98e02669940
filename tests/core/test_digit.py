import base64
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnn_core.data.digit import Digit, digit_from_token, mnist_digit
from cnn_core.data.mnist import load_mnist
from cnn_core.errors import InkError


@given(arrays(np.uint8, (28, 28)), st.sampled_from(["drawn", "uploaded"]))
def test_any_digit_survives_a_link_bit_by_bit(image: np.ndarray, source: str) -> None:
    digit = Digit.of_bytes(image, source)
    again = digit_from_token(digit.token)
    assert again == digit
    assert again.pixels.tobytes() == digit.pixels.tobytes()


def test_pixels_are_whole_255ths_and_read_only() -> None:
    digit = mnist_digit(0)
    assert digit.pixels.dtype == np.float32
    np.testing.assert_array_equal(np.rint(digit.pixels * 255) / np.float32(255), digit.pixels)
    with pytest.raises(ValueError, match="read-only"):
        digit.pixels[0, 0] = 1


def test_a_test_digit_is_the_one_of_that_number_with_its_label() -> None:
    digit = mnist_digit(1234)
    np.testing.assert_array_equal(digit.bytes, load_mnist().x_test[1234])
    assert (digit.source, digit.label) == ("test-1234", int(load_mnist().y_test[1234]))
    assert digit_from_token(digit.token) == digit


def test_drawn_mnist_digits_make_links_of_some_hundred_letters() -> None:
    lengths = [len(Digit.of_bytes(image, "drawn").token) for image in load_mnist().x_test[:200]]
    assert 150 < np.median(lengths) < 400


@pytest.mark.parametrize("number", [-1, 10_000])
def test_there_are_ten_thousand_test_digits(number: int) -> None:
    with pytest.raises(InkError, match=f"Received: {number}"):
        mnist_digit(number)


BOMB = base64.urlsafe_b64encode(zlib.compress(bytes(100_000_000), 9)).decode()
SHORT = base64.urlsafe_b64encode(zlib.compress(bytes(783))).decode()
CUT = Digit.of_bytes(np.arange(784, dtype=np.uint8).reshape(28, 28), "drawn").token[:-40]


@pytest.mark.parametrize(
    "token",
    ["", "test-", "test-99999", "test--1", "x.abc", "d.", "d.§", f"d.{BOMB}", f"d.{SHORT}", CUT,
     "d." + "A" * 1201, "u.AAAA"],
)  # fmt: skip
def test_a_damaged_token_is_refused_in_one_sentence(token: str) -> None:
    with pytest.raises(InkError) as caught:
        digit_from_token(token)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=60))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    try:
        digit = digit_from_token(text)
    except InkError:
        return
    assert digit.pixels.shape == (28, 28)
