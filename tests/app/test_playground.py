"""The Playground: every number is the operation's own, and nonsense is refused."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy.signal import correlate2d
from streamlit.testing.v1 import AppTest

from cnn_core.data.digit import mnist_digit
from cnn_core.lab.supervisor import Lab
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.functions import slope
from cnn_core.probe.single import KERNELS
from tests.app.conftest import SHELL
from tests.app.read import shown_network, texts
from ui import ask, state
from ui.kernel_editor import edited_kernel
from ui.panels import try_convolution, try_source
from ui.panels.try_activation import NAMES
from ui.state import FIRST_DIGIT

PARTS = ("Input", "Convolution", "Activation", "Pooling", "Flatten and dense")
PIXELS = mnist_digit(FIRST_DIGIT).pixels


@pytest.fixture
def page(lab: Lab) -> Iterator[AppTest]:
    ask.use(lab)
    app = AppTest.from_file(SHELL, default_timeout=60)
    app.switch_page("../pages/playground.py")
    yield app.run()
    ask.use(None)


def choose(page: AppTest, part: str) -> None:
    page.button_group(key="play-part").set_value(part).run()
    assert not page.exception


@pytest.mark.parametrize("part", PARTS)
def test_every_part_opens(page: AppTest, part: str) -> None:
    choose(page, part)
    assert not page.error


def test_a_preset_is_slid_over_the_digit(page: AppTest) -> None:
    name = "Sobel, upright edges"
    page.selectbox(key="try-preset").set_value(name).run()
    view, tensors = shown_network(page)
    expected = correlate2d(PIXELS, KERNELS[name], mode="valid")
    np.testing.assert_allclose(tensors["convolution"][..., 0], expected, atol=1e-5)
    assert [layer["name"] for layer in view["layers"]] == ["input", "convolution"]
    assert "products a cell instead of 9" in texts(page)
    assert "⌊(28 − 3) / 1⌋ + 1 = 26 rows" in texts(page)


def test_the_arithmetic_of_the_chosen_cell_stands_beside_it(page: AppTest) -> None:
    page.selectbox(key="try-preset").set_value("sharpen").run()
    page.number_input(key="try-bias").set_value(0.5).run()
    page.session_state["convolution-unit"] = (10, 12, 0)
    page.run()
    by_hand = float((PIXELS[10:13, 12:15] * KERNELS["sharpen"]).sum()) + 0.5
    assert "convolution[10, 12, 0]" in texts(page)
    (value,) = [
        part.split('"')[0]
        for part in texts(page).split('data-testid="unit-value" data-value="')[1:]
    ]
    assert float(value) == pytest.approx(by_hand, abs=1e-5)


def sent(page: AppTest, monkeypatch: pytest.MonkeyPatch, key: str, value: Any) -> None:
    """As if the browser had sent it."""
    page.session_state[key] = value
    monkeypatch.setattr("streamlit.session_state", page.session_state)


def test_a_kernel_that_was_typed_is_used(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = [[0, 0, 0], [0, 2, 0], [0, 0, -1.5]]
    with monkeypatch.context() as patch:
        sent(page, patch, "try-kernel-editor-3", {"kernel": kernel})
        try_convolution._take(3)
    page.run()
    _, tensors = shown_network(page)
    expected = correlate2d(PIXELS, np.array(kernel), mode="valid")
    np.testing.assert_allclose(tensors["convolution"][..., 0], expected, atol=1e-5)
    assert page.selectbox(key="try-preset").value == "your own"


@pytest.mark.parametrize(
    "kernel",
    [None, 3, "kernel", [], [[1]], [[1, 2], [3, 4]], [[0] * 3] * 2, [["0"] * 3] * 3,
     [[float("nan")] * 3] * 3, [[float("inf")] * 3] * 3, [[1000] * 3] * 3, [[True] * 3] * 3],
)  # fmt: skip
def test_what_is_no_kernel_changes_nothing(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, kernel: object
) -> None:
    before = page.session_state["try-kernel"]
    sent(page, monkeypatch, "try-kernel-editor-3", {"kernel": kernel})
    try_convolution._take(3)
    np.testing.assert_array_equal(page.session_state["try-kernel"], before)
    assert "nothing was changed" in state.notice()


def test_an_editor_may_send_whole_numbers() -> None:
    np.testing.assert_array_equal(edited_kernel([[1, -2], [0, 99]], 2), [[1, -2], [0, 99]])


@pytest.mark.parametrize("unit", [None, 3, {"index": "x"}, {"index": [-1, 0, 0]}, {"index": [1.5]}])
def test_what_is_no_unit_changes_nothing(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, unit: object
) -> None:
    sent(page, monkeypatch, "convolution-view", {"unit": unit})
    try_convolution._take_unit("convolution")
    assert "convolution-unit" not in page.session_state
    assert "names no unit" in state.notice()


def test_a_learned_filter_is_taken_from_the_network(page: AppTest) -> None:
    page.selectbox(key="try-preset").set_value("a learned filter").run()
    page.selectbox(key="try-layer").set_value("conv_2").run()
    page.number_input(key="try-channel-conv_2").set_value(5)
    page.number_input(key="try-filter-conv_2").set_value(17).run()
    page.button(key="try-take").click().run()
    kernel = weights_at(open_network("classic").last)["conv_2"]["kernel"][:, :, 5, 17]
    np.testing.assert_array_equal(page.session_state["try-kernel"], kernel)
    _, tensors = shown_network(page)
    expected = correlate2d(PIXELS, kernel, mode="valid")
    np.testing.assert_allclose(tensors["convolution"][..., 0], expected, atol=1e-5)


def test_a_kernel_grows_around_its_middle_and_shrinks_to_it(page: AppTest) -> None:
    page.selectbox(key="try-preset").set_value("Laplacian").run()
    page.number_input(key="try-size-3").set_value(5).run()
    grown = page.session_state["try-kernel"]
    np.testing.assert_array_equal(grown[1:4, 1:4], KERNELS["Laplacian"])
    assert np.abs(grown).sum() == np.abs(KERNELS["Laplacian"]).sum()
    page.number_input(key="try-size-5").set_value(1).run()
    np.testing.assert_array_equal(page.session_state["try-kernel"], [[-4]])
    assert not page.exception


def test_an_operation_that_cannot_be_is_said_in_a_sentence(page: AppTest) -> None:
    page.number_input(key="try-stride").set_value(2)
    page.number_input(key="try-dilation").set_value(2).run()
    assert not page.exception
    assert any("Keras does not allow" in error.value for error in page.error)
    page.number_input(key="try-dilation").set_value(1).run()
    assert not page.error


def test_the_small_grid_can_be_painted(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    page.button_group(key="try-on").set_value("A small grid").run()
    _, tensors = shown_network(page)
    assert tensors["input"].shape == (try_source.GRID, try_source.GRID, 1)
    with monkeypatch.context() as patch:
        sent(page, patch, "try-painter", {"image": "nonsense"})
        try_source._take()
        assert "no 12×12 image" in state.notice()


def test_the_courses_vector_through_relu_and_others(page: AppTest) -> None:
    choose(page, "Activation")
    assert page.dataframe[0].value["value"].tolist() == [0, 0, 0, 1, 2]
    page.text_input(key="act-vector").set_value("1; 2, x").run()
    assert any("A vector is" in error.value for error in page.error)
    page.text_input(key="act-vector").set_value("−1 0,5").run()
    assert page.dataframe[0].value["input"].tolist() == [-1, 0, 5]
    page.text_input(key="act-vector").set_value("0, 0").run()
    page.button_group(key="act-name").set_value("softmax").run()
    assert page.dataframe[0].value["share"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("name", NAMES)
def test_where_a_function_is_flat_is_said(page: AppTest, name: str) -> None:
    choose(page, "Activation")
    page.button_group(key="act-name").set_value(name).run()
    assert not page.exception
    sentence = next(one.value for one in page.caption if "flat" in one.value)
    x = np.linspace(-5, 5, 401)
    assert ("Nowhere" in sentence) == bool((np.abs(slope(name, x)) >= 0.01).all())


def test_pooling_tells_how_much_of_a_shift_it_forgives(page: AppTest) -> None:
    choose(page, "Pooling")
    moved = np.zeros_like(PIXELS)
    moved[:, 1:] = PIXELS[:, :-1]
    windows = [image.reshape(14, 2, 14, 2).max(axis=(1, 3)) for image in (PIXELS, moved)]
    image = np.linalg.norm(moved - PIXELS) / np.linalg.norm(PIXELS)
    pooled = np.linalg.norm(windows[1] - windows[0]) / np.linalg.norm(windows[0])
    assert f"**{image:.0%}** of its size, what is pooled by **{pooled:.0%}**" in texts(page)
    for kind in ("average", "L2", "global average"):
        page.selectbox(key="pool-kind").set_value(kind).run()
        assert not page.exception
        assert not page.error


def test_a_position_names_its_cell_and_back(page: AppTest) -> None:
    choose(page, "Flatten and dense")
    # 3 × 3 cells of 64 maps: position 333 = (1 · 3 + 2) · 64 + 13.
    page.slider(key="flat-position-3-3-64").set_value(333).run()
    assert "row 1, column 2, map 13" in texts(page)
    assert "(1 · 3 + 2) · 64 + 13 = 333" in texts(page)


def test_a_pixel_is_followed_into_the_network(page: AppTest) -> None:
    choose(page, "Input")
    page.number_input(key="in-row").set_value(7)
    page.number_input(key="in-column").set_value(13).run()
    byte = int(mnist_digit(FIRST_DIGIT).bytes[7, 13])
    table = page.dataframe[0].value
    assert table["this pixel"][0] == str(byte)
    assert table["this pixel"][1] == f"{byte} / 255 = {byte / 255:.4f}"


def test_a_cell_is_followed_into_the_row(page: AppTest) -> None:
    choose(page, "Flatten and dense")
    view, tensors = shown_network(page)
    assert [layer["name"] for layer in view["layers"]] == ["conv_3", "flatten"]
    np.testing.assert_array_equal(tensors["flatten"], tensors["conv_3"].reshape(-1))
    page.session_state["flat-position-3-3-64"] = (1 * 3 + 2) * 64 + 7
    page.run()
    assert "row 1, column 2, map 7" in texts(page)
