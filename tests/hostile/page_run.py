"""A page, run as AppTest runs it."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

SHELL = Path(__file__).parents[2] / "ui" / "shell.py"
PAGES = (
    "draw", "lessons", "layers", "train", "filters", "evaluate", "explain", "playground",
    "architectures", "about",
)  # fmt: skip


def checked(app: AppTest) -> AppTest:
    """The page, unless its script crashed."""
    if app.exception:
        raise AssertionError(f"The page crashed: {app.exception[0].value}")
    return app
