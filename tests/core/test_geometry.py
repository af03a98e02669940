"""Windows and receptive fields against brute force: which inputs change the unit."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core.errors import NoSuchUnit, UnsupportedLayer
from cnn_core.networks.keras_model import graph_of
from cnn_core.networks.zoo import open_network
from cnn_core.probe.geometry import (
    flatten_cell,
    flatten_position,
    receptive_field,
    window,
)
from tests.core.branched import branched
from tests.core.layer_strategies import one_layer_models


def pixels_that_change(model: keras.Model, layer: str, unit: tuple[int, ...]) -> np.ndarray:
    """Bool `(H, W)`: brightening which pixels changes the unit.

    All weights are positive, so that nothing cancels, and every pixel is tried at several
    strengths with several weights, so that no maximum hides it.
    """
    rng = np.random.default_rng(0)
    height, width, channels = model.input_shape[1:]
    until = keras.Model(model.inputs, model.get_layer(layer).output)
    changed = np.zeros(height * width, bool)
    for strength in (0.5, 5.0, 50.0, 500.0):
        for weight in model.weights:
            weight.assign(rng.uniform(0.05, 0.15, weight.shape))
        ground = rng.uniform(0.1, 0.2, (height, width, channels)).astype(np.float32)
        images = np.repeat(ground[None], height * width, axis=0)
        where = np.arange(height * width)
        images[where, where // width, where % width] += strength
        units = until.predict_on_batch(images)[(slice(None), *unit)]
        before = until.predict_on_batch(ground[None])[(0, *unit)]
        changed |= np.abs(units - before) > 2e-6 * abs(before)  # more than rounding
    return changed.reshape(height, width)


@given(one_layer_models(only_sliding=True), st.data())
@settings(max_examples=40)
def test_a_window_is_what_changes_the_unit(model: keras.Model, data: st.DataObject) -> None:
    config = {**model.get_layer("layer").get_config()}
    if "activation" in config:
        config["activation"] = "softplus"  # strictly rising: hides no change
    layer = model.get_layer("layer").__class__.from_config(config)
    model = keras.Model(model.inputs, layer(model.inputs[0]))
    graph = graph_of(model)
    unit = tuple(data.draw(st.integers(0, n - 1)) for n in graph["layer"].output_shape)
    seen = window(graph, "layer", unit)
    expected = np.zeros(model.input_shape[1:3], bool)
    rows, columns = np.meshgrid(seen.rows, seen.columns, indexing="ij")
    expected[rows[seen.inside], columns[seen.inside]] = True
    np.testing.assert_array_equal(expected, pixels_that_change(model, "layer", unit))
    np.testing.assert_array_equal(expected, receptive_field(graph, "layer", unit))


@pytest.fixture(scope="module")
def smooth() -> keras.Model:
    """The branched network with functions that hide no change."""
    model = branched()
    for name in ("rectified", "leaky"):
        model.get_layer(name).max_value = None
    for name in ("dilated", "depthwise", "shared"):
        model.get_layer(name).activation = keras.activations.softplus
    return model


@pytest.mark.parametrize(
    ("layer", "unit"),
    [
        ("padded", (0, 3, 0)),
        ("padded", (4, 3, 1)),
        ("wide", (0, 0, 0)),
        ("wide", (6, 6, 5)),
        ("dilated", (3, 3, 2)),
        ("depthwise", (0, 4, 7)),
        ("summed", (3, 2, 1)),
        ("joined", (2, 5, 1)),
        ("joined", (2, 5, 12)),
        ("best", (0, 0, 3)),
        ("mean", (3, 3, 16)),
        ("both", (1, 2, 9)),
        ("folded", (1, 2, 9)),
        ("pooled", (4,)),
        ("flat", (33,)),
        ("output", (1,)),
    ],
)
def test_a_receptive_field_through_branches_is_what_changes_the_unit(
    smooth: keras.Model, layer: str, unit: tuple[int, ...]
) -> None:
    seen = receptive_field(graph_of(smooth), layer, unit)
    np.testing.assert_array_equal(seen, pixels_that_change(smooth, layer, unit))


def test_receptive_fields_of_classic_are_those_of_the_formula() -> None:
    """conv_1 3; pool_1 4; conv_2 4 + 2·2 = 8; pool_2 10; conv_3 10 + 2·4 = 18; then all."""
    graph = open_network("classic").graph
    sides = {"conv_1": 3, "pool_1": 4, "conv_2": 8, "pool_2": 10, "conv_3": 18}
    for layer, side in sides.items():
        field = receptive_field(graph, layer, (1, 1, 0))
        rows, columns = np.nonzero(field)
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (side, side)
        assert field.sum() == side * side
    # Pooling 11 rows by 2 drops the last: the network never sees the last rows and columns.
    everything = receptive_field(graph, "dense_1", (0,))
    assert everything.sum() == 26 * 26
    assert not everything[26:].any()


def test_dilated_windows_leave_holes() -> None:
    image = keras.Input((9, 9, 1))
    conv = keras.layers.Conv2D(1, 3, dilation_rate=3, name="conv")
    graph = graph_of(keras.Model(image, conv(image)))
    rows, columns = np.nonzero(receptive_field(graph, "conv", (1, 1, 0)))
    assert sorted(set(rows.tolist())) == [1, 4, 7]
    assert sorted(set(columns.tolist())) == [1, 4, 7]


@given(st.data())
def test_flattening_is_row_by_row_and_back(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 6), min_size=3, max_size=3)))
    cell = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    row, column, channel = cell
    position = (row * shape[1] + column) * shape[2] + channel
    assert flatten_position(shape, cell) == position
    assert flatten_cell(shape, position) == cell
    flat = keras.ops.reshape(np.arange(np.prod(shape)).reshape(shape), (-1,))
    assert int(flat[position]) == position


def test_units_and_windows_that_are_not_there_are_refused() -> None:
    graph = open_network("classic").graph
    with pytest.raises(NoSuchUnit):
        receptive_field(graph, "conv_1", (26, 0, 0))
    with pytest.raises(UnsupportedLayer, match="no sliding window"):
        window(graph, "dense_1", (0,))


def test_wiring_that_is_not_known_says_so() -> None:
    image = keras.Input((4, 4, 1))
    graph = graph_of(keras.Model(image, keras.layers.UpSampling2D(name="up")(image)))
    with pytest.raises(UnsupportedLayer, match="UpSampling2D"):
        receptive_field(graph, "up", (0, 0, 0))
