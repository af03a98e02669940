"""Pages run through the shell by Streamlit's AppTest, with a real lab behind them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.lab.requests import WarmUp
from cnn_core.lab.supervisor import Lab, LabSettings
from ui import ask

SHELL = Path(__file__).parents[2] / "ui" / "shell.py"


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Runs are kept in a folder of the tests' own."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVSCOPE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """AppTest runs no lifespan: without this the pages would show NumPy's answers only."""
    with Lab(LabSettings(workers=2, warm_up=WarmUp(("classic",)))) as lab:
        end = time.monotonic() + 120
        while lab.status().state != "ready":
            assert time.monotonic() < end, lab.status()
            time.sleep(0.05)
        yield lab


@pytest.fixture
def page(lab: Lab) -> Iterator[AppTest]:
    """The app as a new visitor finds it."""
    ask.use(lab)
    yield AppTest.from_file(SHELL, default_timeout=30).run()
    ask.use(None)


@pytest.fixture
def page_without_lab() -> AppTest:
    ask.use(None)
    return AppTest.from_file(SHELL, default_timeout=30).run()
