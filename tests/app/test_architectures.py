"""The Architectures page: their figures, their blocks, their ideas at work, their way to Train."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.lab.supervisor import Lab
from cnn_core.networks.families import FAMILIES
from cnn_core.networks.zoo import open_network, weights_at
from tests.app.conftest import SHELL
from tests.app.read import texts, until
from ui import ask
from ui.panels.ideas import reused


@pytest.fixture
def opened(lab: Lab) -> Iterator[Callable[..., AppTest]]:
    ask.use(lab)

    def open_page(**link: str) -> AppTest:
        app = AppTest.from_file(SHELL, default_timeout=90)
        for name, value in link.items():
            app.query_params[name] = value
        app.switch_page("../pages/architectures.py")
        app.run()
        assert not app.exception
        return app

    yield open_page
    ask.use(None)


def test_all_stand_side_by_side_until_one_is_chosen(opened: Callable[..., AppTest]) -> None:
    page = opened()
    table = page.dataframe[0].value
    assert len(table) == len(FAMILIES)
    for row, id in zip(table.itertuples(), FAMILIES, strict=True):
        assert row.Parameters == open_network(id).graph.parameter_count <= 100_000
    page.button_group(key="architecture").set_value("resnet_mini").run()
    assert not page.exception
    assert page.session_state["network"] == open_network("resnet_mini").last
    assert "1512.03385" in texts(page)


@pytest.mark.parametrize("id", FAMILIES)
def test_each_is_looked_through_with_its_layers_counted(
    opened: Callable[..., AppTest], id: str
) -> None:
    page = opened(network=id)
    assert not page.error
    layers = next(frame.value for frame in page.dataframe if "Sees" in frame.value)
    graph = open_network(id).graph
    assert layers["Parameters"].sum() == graph.parameter_count
    assert layers["Layer"].tolist() == [spec.name for spec in graph]
    (drawn,) = page.get("graphviz_chart")
    block = FAMILIES[id].block
    inside = [spec.name for spec in graph if spec.name.startswith(block)]
    for name in inside[:40]:
        assert f'"{name}" [label=' in drawn.proto.spec


def test_train_it_hands_the_architecture_over(opened: Callable[..., AppTest]) -> None:
    page = opened(network="inception_mini")
    page.button(key="architecture-train").click().run()
    assert not page.exception
    assert [title.value for title in page.title] == ["Train"]
    assert page.selectbox(key="set-architecture").value == "inception_mini"
    assert "module_1_5x5" in page.code[0].value


def test_skips_are_measured_side_by_side(opened: Callable[..., AppTest]) -> None:
    page = opened(network="resnet_mini")
    page.slider(key="skips-blocks").set_value(1)
    page.button_group(key="skips-steps").set_value(50).run()
    page.button(key="skips-0-begin").click().run()
    until(page, lambda page: "After 50 steps" in texts(page))
    assert len(page.get("plotly_chart")) == 3


def test_feature_reuse_by_hand() -> None:
    graph = open_network("densenet_mini").graph
    weights = weights_at(open_network("densenet_mini").last)
    names, table = reused(graph, weights, "block_1")
    assert names == ["what came in", "layer 1", "layer 2", "layer 3"]
    kernel = np.abs(weights["block_1_conv_3"]["kernel"])  # reads 16 + 12 + 12 maps
    assert kernel.shape[2] == 40
    sizes = [kernel[:, :, :16].mean(), kernel[:, :, 16:28].mean(), kernel[:, :, 28:].mean()]
    np.testing.assert_allclose(table[2, :3], np.array(sizes) / max(sizes), rtol=1e-5)
    assert table[2, 3] == 0


def test_small_filters_are_weighed_against_large_ones(opened: Callable[..., AppTest]) -> None:
    page = opened(network="vgg_mini")
    page.slider(key="depth-channels").set_value(64).run()
    table = next(frame.value for frame in page.dataframe if "ReLUs" in frame.value)
    assert table["Parameters"].tolist()[2:] == [27 * 64**2 + 3 * 64, 49 * 64**2 + 64]
    assert table["See"].tolist() == ["5 × 5", "5 × 5", "7 × 7", "7 × 7"]
