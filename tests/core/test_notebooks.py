"""Notebooks are run, all in one kernel, and give the numbers that Keras gives here."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import v4

from cnn_core import ActivationProbe, Attributor, explain_unit, load_model
from cnn_core.course.lesson import Lesson, load_course
from cnn_core.data.digit import Digit, mnist_digit
from cnn_core.data.mnist import load_mnist
from cnn_core.insight.evaluation import evaluation_of
from cnn_core.insight.scores import Evaluation
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import SHIPPED, open_network
from cnn_core.notebooks.by_hand import by_hand
from cnn_core.notebooks.cells import Cell, Code, Text, notebook_file
from cnn_core.notebooks.draw import draw_cells
from cnn_core.notebooks.evaluate import evaluate_cells
from cnn_core.notebooks.explain import explain_cells
from cnn_core.notebooks.filters import VIEWS, filters_cells
from cnn_core.notebooks.layers import layers_cells
from cnn_core.notebooks.lesson import lesson_cells
from cnn_core.notebooks.opening import plain
from cnn_core.probe.trace import Trace
from tests.core.branched import branched
from tests.core.layer_strategies import one_layer_models

ROOT = Path(__file__).parents[2]
OWN = "0123456789abcdef"
LAST = open_network("classic").last
EARLY = NetworkRef("classic", 133)
LESIONED = NetworkRef("classic", 8442, (("conv_1", 3), ("conv_2", 10), ("conv_2", 11)))
DRAWN = Digit.of_bytes(np.flipud(mnist_digit(4).bytes).copy(), "drawn")
TEST = mnist_digit(30)


class Kernel:
    """One Python that runs notebooks one after the other, each with nothing of the last."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._client = NotebookClient(v4.new_notebook(), kernel_name="python3", timeout=120)
        self._client.create_kernel_manager()
        self._client.start_new_kernel(cwd=str(ROOT), env=environment)
        self._client.start_new_kernel_client()

    def stop(self) -> None:
        self._client._cleanup_kernel()

    def run(self, cells: list[Cell]) -> str:
        """Run a notebook's file from top to bottom; what it printed."""
        notebook = nbformat.reads(notebook_file(cells).decode(), as_version=4)
        self._execute([v4.new_code_cell("%reset -f")])
        return self._execute(notebook.cells)

    def value(self, expression: str) -> Any:
        """What a variable of the last notebook holds."""
        code = f"import json; print(json.dumps(np.asarray({expression}).tolist()))"
        return json.loads(self._execute([v4.new_code_cell(code)]))

    def _execute(self, cells: list[Any]) -> str:
        client = NotebookClient(v4.new_notebook(cells=cells), km=self._client.km, timeout=120)
        client.kc = self._client.kc
        printed = []
        for k, cell in enumerate(cells):
            client.execute_cell(cell, k)
            printed += [one.text for one in cell.get("outputs", ()) if one.get("name") == "stdout"]
        return "".join(printed)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(SHIPPED / "intro", home / "runs" / OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVSCOPE_HOME", str(home))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(home / "jupyter"))
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        kernel = Kernel(dict(os.environ))
        yield kernel
        kernel.stop()


def image_of(ref: NetworkRef, digit: Digit) -> np.ndarray:
    return open_network(ref.id).card.fit(digit.pixels)


def trace_of(ref: NetworkRef, digit: Digit) -> Trace:
    return ActivationProbe(load_model(ref)).trace(image_of(ref, digit))


def answer_of(ref: NetworkRef, digit: Digit) -> np.ndarray:
    """What Keras says, asked directly."""
    return np.asarray(load_model(ref)(image_of(ref, digit)[None]))[0]


def evaluated(ref: NetworkRef) -> Evaluation:
    data, card = load_mnist(), open_network(ref.id).card
    return evaluation_of(load_model(ref), [card.fit_all(data.x_test)], data.y_test)


@pytest.mark.parametrize("ref", [EARLY, LESIONED], ids=["early", "lesioned"])
@pytest.mark.parametrize("digit", [DRAWN, TEST], ids=["drawn", "test"])
def test_draws_notebook_gives_the_answer_of_keras(
    kernel: Kernel, ref: NetworkRef, digit: Digit
) -> None:
    printed = kernel.run(draw_cells(ref, digit, trace_of(ref, digit)))
    assert kernel.value("digit.bytes") == digit.bytes.tolist()
    np.testing.assert_allclose(
        kernel.value("probabilities"), answer_of(ref, digit), rtol=1e-5, atol=1e-7
    )
    assert f"The answer: {answer_of(ref, digit).argmax()}" in printed
    assert "probabilities: as shown" in printed
    assert "greatest number of each layer: as shown" in printed


@pytest.mark.parametrize(
    ("ref", "layer", "unit"),
    [
        (LESIONED, "conv_2", (2, 3, 4)),
        (LESIONED, "conv_2", (2, 3, 10)),  # off
        (LAST, "output", (3,)),
        (open_network("lenet5").last, "c1", (0, 27, 5)),  # its window hangs over the edge
        (open_network("resnet_mini").last, "stage_2_block_1_conv_1", (13, 13, 20)),
        (open_network("resnet_mini").last, "stage_2_block_1_add", (3, 4, 5)),
        (open_network("inception_mini").last, "module_1_join", (6, 6, 20)),
    ],
)
def test_layers_notebook_works_the_unit_out_by_hand(
    kernel: Kernel, ref: NetworkRef, layer: str, unit: tuple[int, ...]
) -> None:
    trace = trace_of(ref, TEST)
    printed = kernel.run(layers_cells(ref, TEST, trace, layer, unit))
    model = load_model(ref)
    part = keras.Model(model.inputs[0], model.get_layer(layer).output)
    output = np.asarray(part(image_of(ref, TEST)[None]))[0]
    np.testing.assert_allclose(kernel.value("output"), output, rtol=1e-4, atol=1e-5)
    assert kernel.value("value") == pytest.approx(float(output[unit]), rel=1e-4, abs=1e-5)
    assert "the unit by hand: as shown" in printed
    assert "the unit's total: as shown" in printed


def assert_by_hand_is_right(model: keras.Model, rng: np.random.Generator) -> None:
    """Two units of every layer: the printed code gives what Keras gives."""
    image = rng.normal(size=model.input_shape[1:]).astype(np.float32)
    trace = ActivationProbe(model).trace(image)
    for layer in trace:
        for _ in range(2):
            unit = tuple(int(rng.integers(size)) for size in layer.output.shape)
            why = explain_unit(trace, layer.name, unit)
            words, code = by_hand(trace, why)
            names: dict[str, Any] = {"np": np, "trace": trace, "model": model, "image": image}
            exec(compile(code, layer.name, "exec"), names)
            assert words.endswith(".")
            assert abs(names["total"] - why.total) <= why.tolerance, code
            assert abs(names["value"] - layer.output[unit]) <= why.tolerance, code


def test_every_kind_of_layer_is_worked_out_by_hand(rng: np.random.Generator) -> None:
    assert_by_hand_is_right(branched(), rng)


@given(one_layer_models())
@settings(max_examples=20)
def test_any_layer_is_worked_out_by_hand(model: keras.Model) -> None:
    assert_by_hand_is_right(model, np.random.default_rng(0))


@pytest.mark.parametrize("view", VIEWS)
def test_filters_notebook_gives_the_kernels_of_the_view(kernel: Kernel, view: str) -> None:
    trace = trace_of(EARLY, DRAWN)
    kernel.run(filters_cells(EARLY, DRAWN, trace, "conv_2", 7, view))
    now = load_model(EARLY).get_layer("conv_2").kernel.numpy()
    start = load_model(NetworkRef("classic", 0)).get_layer("conv_2").kernel.numpy()
    expected = {VIEWS[0]: now, VIEWS[1]: start, VIEWS[2]: now - start}[view]
    np.testing.assert_array_equal(kernel.value("kernels"), expected)
    np.testing.assert_allclose(kernel.value("answer"), trace["conv_2"].output[..., 7], atol=1e-5)


def test_filters_notebook_says_what_units_switched_off_cost(kernel: Kernel) -> None:
    scores = evaluated(LESIONED.whole), evaluated(LESIONED)
    whole = trace_of(LESIONED.whole, TEST)
    printed = kernel.run(
        filters_cells(
            LESIONED, TEST, trace_of(LESIONED, TEST), "conv_2", 10, VIEWS[0], whole, scores
        )
    )
    assert "3 units are switched off" in text_of(
        filters_cells(LESIONED, TEST, trace_of(LESIONED, TEST), "conv_2", 10)
    )
    assert not np.any(np.array(kernel.value("kernels"))[..., 10])
    for name, ref in (("before", LESIONED.whole), ("probabilities", LESIONED)):
        np.testing.assert_allclose(kernel.value(name), answer_of(ref, TEST), rtol=1e-4, atol=1e-7)
    assert kernel.value("right_before.mean()") == pytest.approx(scores[0].accuracy, abs=2e-4)
    assert kernel.value("right_after.mean()") == pytest.approx(scores[1].accuracy, abs=2e-4)
    assert "right by class, without: as shown" in printed


@pytest.mark.parametrize(
    ("ref", "digit", "target", "layer", "method"),
    [
        (LESIONED, DRAWN, 9, "conv_2", "integrated"),
        (open_network("resnet_mini").last, TEST, 3, "stage_3_block_1_conv_2", "gradcam++"),
        (EARLY, TEST, 5, None, "occlusion"),
    ],
)
def test_explains_notebook_gives_every_methods_picture(
    kernel: Kernel, ref: NetworkRef, digit: Digit, target: int, layer: str | None, method: str
) -> None:
    attributor = Attributor(load_model(ref))
    image = image_of(ref, digit)
    found = attributor.explain(image, target, layer)
    deletion = attributor.delete(image, found[method].values, target)
    printed = kernel.run(explain_cells(ref, digit, found, target, layer, method, deletion))
    for name, attribution in found.items():
        np.testing.assert_allclose(
            kernel.value(f"found[{name!r}].values"),
            attribution.values,
            atol=1e-3 * float(np.abs(attribution.values).max()),
        )
        assert f"{name}: as shown" in printed
    np.testing.assert_allclose(
        kernel.value("gradient"),
        found["gradient"].values,
        atol=1e-4 * np.ptp(found["gradient"].values),
    )
    assert kernel.value("deletion.area") == pytest.approx(deletion.area, rel=1e-3)
    assert "rank correlation with the untrained network" in printed


def test_evaluates_notebook_counts_what_is_right(kernel: Kernel) -> None:
    found = evaluated(EARLY)
    printed = kernel.run(evaluate_cells(EARLY, found))
    data, card = load_mnist(), open_network(EARLY.id).card
    answers = load_model(EARLY).predict(card.fit_all(data.x_test), verbose=0).argmax(axis=1)
    right = answers == data.y_test
    assert kernel.value("right.mean()") == pytest.approx(right.mean(), abs=2e-4)
    confusion = np.array(kernel.value("confusion"))
    assert confusion.sum() == 10_000
    assert np.trace(confusion) == pytest.approx(right.sum(), abs=2)
    assert f"{right.mean():.2%} right" in printed
    for said in ("loss", "F1", "calibration error", "best temperature", "how sure it was of them"):
        assert f"{said}: as shown" in printed


def test_a_network_trained_here_is_found_by_the_notebook(kernel: Kernel) -> None:
    own = NetworkRef(OWN, 31)
    cells = draw_cells(own, TEST, trace_of(own, TEST))
    assert "CONVSCOPE_HOME" in text_of(cells)
    assert "CONVSCOPE_HOME" not in text_of(draw_cells(LAST, TEST, trace_of(LAST, TEST)))
    kernel.run(cells)
    intro = NetworkRef("intro", 31)
    np.testing.assert_allclose(kernel.value("probabilities"), answer_of(intro, TEST), atol=1e-6)


def test_a_number_that_is_not_the_networks_stops_the_notebook(kernel: Kernel) -> None:
    other = trace_of(NetworkRef("classic", 0), TEST)
    with pytest.raises(CellExecutionError, match="probabilities"):
        kernel.run(draw_cells(LAST, TEST, other))


@pytest.mark.parametrize("lesson", load_course(), ids=lambda lesson: lesson.path.stem)
def test_a_lesson_is_a_notebook_that_works_its_numbers_out(kernel: Kernel, lesson: Lesson) -> None:
    cells = lesson_cells(lesson, LAST, DRAWN)
    words = text_of(cells)
    assert all(card.title in words for card in lesson.cards)
    assert words.count("<details>") == sum(card.kind == "question" for card in lesson.cards)
    assert "{" not in re.sub(r"```.*?```|`[^`]*`", "", words, flags=re.DOTALL)
    shorter = [
        Code(lesson.shortened(cell.source)) if isinstance(cell, Code) else cell for cell in cells
    ]
    printed = kernel.run(shorter)
    assert printed.count("as shown") == words_with_values(lesson)


def words_with_values(lesson: Lesson) -> int:
    """Cards that name a unit or its value."""
    return sum(
        card.kind != "question" and ("{value}" in card.text or "{unit}" in card.text)
        for card in lesson.cards
    )


def test_a_lessons_number_that_is_not_the_networks_stops_the_notebook(kernel: Kernel) -> None:
    cells = lesson_cells(load_course()[2], LAST, DRAWN)
    wrong = [
        Code(cell.source.replace(".output[", ".output[0 * ")) if isinstance(cell, Code) else cell
        for cell in cells
    ]
    with pytest.raises(CellExecutionError, match="conv_1"):
        kernel.run(wrong)


def test_the_same_page_makes_the_same_file() -> None:
    cells = draw_cells(LAST, DRAWN, trace_of(LAST, DRAWN))
    assert notebook_file(cells) == notebook_file(cells)
    notebook = nbformat.reads(notebook_file(cells).decode(), as_version=4)
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells if cell.cell_type == "code"] == [
        cell.source for cell in cells if isinstance(cell, Code)
    ]


def test_names_that_people_chose_are_no_markup() -> None:
    assert plain("a_b <script>\n*c*") == r"a\_b \<script\> \*c\*"


def text_of(cells: list[Cell]) -> str:
    return "\n".join(cell.markdown for cell in cells if isinstance(cell, Text))
