"""What the environment sets, and where strangers are let in. `docs/serving.md` lists every name."""

import os

from cnn_core.whole import is_whole


def is_public() -> bool:
    """``CONVSCOPE_PUBLIC=1``: anybody may come. No models are uploaded, nothing of the machine
    can be named, and trainings, queues and what is kept are smaller."""
    return os.environ.get("CONVSCOPE_PUBLIC") == "1"


def is_classroom() -> bool:
    """``CONVSCOPE_CLASSROOM=1``, or public: what is made belongs to the browser that made it."""
    return is_public() or os.environ.get("CONVSCOPE_CLASSROOM") == "1"


def whole_number(name: str, usual: int, least: int, most: int) -> int:
    """A setting that is a whole number; `usual` if it is not set or makes no sense."""
    text = os.environ.get(name, "")
    return int(text) if is_whole(text, least, most) else usual
