"""Reading what stands on a page that AppTest ran."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from safetensors.numpy import load
from streamlit.testing.v1 import AppTest

from cnn_core.data.digit import Digit, digit_from_token


def html_of(page: AppTest, name: str) -> str:
    """The one piece of HTML that holds an element of class `name`."""
    mark = f'class="{name}"'
    (body,) = [element.proto.body for element in page.get("html") if mark in element.proto.body]
    return body


def shown_probabilities(page: AppTest) -> np.ndarray:
    """The ten numbers behind the bars, at full precision."""
    values = re.findall(r'data-value="([^"]+)"', html_of(page, "cs-bars"))
    return np.array([float(value) for value in values])


def shown_class(page: AppTest) -> str:
    """The predicted class, as the page says it."""
    found = re.search(r"<strong>(\w)</strong>", html_of(page, "cs-prediction"))
    assert found
    return found[1]


def shown_digit(page: AppTest) -> Digit:
    """The digit that the page says the network gets."""
    found = re.search(r'data-digit="([^"]+)"', html_of(page, "cs-figure"))
    assert found
    return digit_from_token(found[1])


def shown_network(page: AppTest) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the network view was sent: its description, and every tensor."""
    (payload,) = [each.proto.bytes for each in page.get("bidi_component") if each.proto.bytes]
    length = int.from_bytes(payload[:8], "little")
    metadata = json.loads(payload[8 : 8 + length])["__metadata__"]
    return json.loads(metadata["view"]), load(payload)


def texts(page: AppTest) -> str:
    """All HTML of the page but its style sheet, and all its sentences."""
    bodies = [element.proto.body for element in page.get("html")]
    sentences = [element.value for element in (*page.markdown, *page.caption)]
    return " ".join([*(body for body in bodies if "<style" not in body), *sentences])


def until(page: AppTest, ready: Callable[[AppTest], bool]) -> None:
    """Run the page again and again, as its timers would, until it is ready."""
    end = time.monotonic() + 90
    while not ready(page):
        assert time.monotonic() < end
        time.sleep(0.3)
        page.run()
        assert not page.exception
