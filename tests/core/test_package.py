"""The package as a whole: its names, its errors, its examples, its weight, its pins."""

import doctest
import importlib
import importlib.metadata
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import cnn_core
from cnn_core import errors

ROOT = Path(__file__).parents[2]
MODULES = sorted(module.name for module in pkgutil.walk_packages(cnn_core.__path__, "cnn_core."))
NEED_KERAS = {
    "cnn_core.insight.attribution",
    "cnn_core.insight.evaluation",
    "cnn_core.insight.embedding",
    "cnn_core.insight.features",
    "cnn_core.lab.handlers",
    "cnn_core.lab.insight",
    "cnn_core.lab.train",
    "cnn_core.networks.architectures",
    "cnn_core.networks.blocks",
    "cnn_core.networks.keras_model",
    "cnn_core.probe.activations",
    "cnn_core.training.batches",
    "cnn_core.training.dissection",
    "cnn_core.training.pretrain",
    "cnn_core.training.skips",
    "cnn_core.training.trainer",
}


@pytest.mark.parametrize("name", cnn_core.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(cnn_core, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'filters'"):
        _ = cnn_core.filters


def test_the_tree_at_the_top_of_errors_shows_every_error() -> None:
    drawn = re.findall(r"\b[A-Z][A-Za-z]+\b", (errors.__doc__ or "").split("A message says")[0])
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ConvScopeError)
    }
    assert defined == set(drawn) - {"Every", "ConvScope"}


def test_modules_free_of_keras_stay_free_of_it() -> None:
    light = [name for name in MODULES if name not in NEED_KERAS]
    script = f"""
import importlib, sys
for name in {light!r}:
    importlib.import_module(name)
    heavy = {{"tensorflow", "keras", "streamlit", "matplotlib.pyplot", "distributed"}}
    heavy &= set(sys.modules)
    assert not heavy, (name, heavy)
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, timeout=120)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("worker")])
def test_examples_in_docstrings_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_requirement_is_pinned_and_installed_as_pinned() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line.partition(" ;")[0] for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][^ ]*", pin) for pin in pins)
    names = {pin.partition("==")[0] for pin in pins}
    installed = {
        name: importlib.metadata.version(name)
        for name in ("streamlit", "tensorflow", "keras", "numpy", "safetensors", "pillow")
    }
    assert {f"{name}=={version}" for name, version in installed.items()} <= set(pins)
    assert "streamlit-drawable-canvas" in names


@pytest.mark.parametrize("name", ["requirements-dev.txt", "requirements-peers.txt"])
def test_what_is_needed_besides_is_pinned(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    pins = [line.partition(" ;")[0] for line in lines if line and line[0] not in "#-"]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][^ ]*", pin) for pin in pins)


def test_the_pins_are_those_of_the_project_file() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    pinned = (ROOT / "requirements.txt").read_text().splitlines()
    assert set(wanted) <= set(pinned)


def test_what_a_cluster_needs_is_pinned_and_installed_as_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = (ROOT / "requirements-cluster.txt").read_text().splitlines()
    assert set(project["optional-dependencies"]["cluster"]) <= set(pins)
    assert "-r requirements.txt" in pins
    exact = [pin.partition(" ;")[0] for pin in pins if not pin.startswith(("#", "-r"))]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][^ ]*", pin) for pin in exact)
    assert f"distributed=={importlib.metadata.version('distributed')}" in exact
    developing = (ROOT / "requirements-dev.txt").read_text().splitlines()
    assert "-r requirements-cluster.txt" in developing


def test_the_readmes_example_runs_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    first, second = capsys.readouterr().out.splitlines()
    assert first == "(11, 11, 64) 7"
    assert "Keras says" in second


def test_the_readme_states_the_accuracies_and_sizes_that_are_shipped() -> None:
    from cnn_core.networks.zoo import shipped_networks

    readme = (ROOT / "README.md").read_text()
    for network in shipped_networks().values():
        accuracy = network.card.accuracy[network.last.step]
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{network.id}`"))
        assert f"{network.graph.parameter_count:,}" in row
        assert f"{accuracy:.2%}" in row
        assert f"| {len(network.film.steps)} |" in row
