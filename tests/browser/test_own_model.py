"""A file of one's own, through the browser: larger than any picture, its layers named as no
JavaScript likes it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.browser.server import ROOT, Server
from tests.browser.visitor import Visitor, expect

_SAVE = """
import sys
from cnn_core.lab.bare_keras import bare_keras
with bare_keras():
    import keras
from keras import layers
keras.Sequential([
    keras.Input((28, 28, 1), name="toString"),
    layers.Conv2D(32, 3, activation="relu", name="constructor"),
    layers.Flatten(name="hasOwnProperty"),
    layers.Dense(150, activation="relu"),
    layers.Dense(10, activation="softmax", name="valueOf"),
]).save(sys.argv[1])
"""


def test_a_large_file_is_opened_and_drawn(
    server: Server, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    file = tmp_path / "large.keras"  # 13 MB: 676 · 32 · 150 weights of 4 bytes
    subprocess.run([sys.executable, "-c", _SAVE, str(file)], check=True, cwd=ROOT)
    assert file.stat().st_size > 12_000_000
    page = visit(server, "architectures").page
    page.get_by_role("radio", name="Open your own").click()
    page.locator(".st-key-own-model input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Open it").click()
    expect(page.locator(".st-key-own-model-summary h2")).to_have_text("large", timeout=120_000)
    page.get_by_role("link", name="Draw").click()
    expect(page.locator(".st-key-network-view")).to_contain_text("constructor")
    expect(page.locator(".st-key-probabilities .cs-row")).to_have_count(10)
