"""What layers cost and how far they see, against brute force and the papers' formulas."""

import keras
import numpy as np
import pytest

from cnn_core.networks.architectures import ARCHITECTURES, build
from cnn_core.networks.graph import Graph
from cnn_core.networks.keras_model import graph_of
from cnn_core.probe.accounting import accounts, stacked
from cnn_core.probe.geometry import receptive_field
from tests.core.endurance import dearest_in_soak


def on_a_large_image(name: str) -> Graph:
    """The architecture up to its last maps, on 97×97, so that no window meets an edge."""
    model = build(name)
    last = [layer for layer in model.layers if len(layer.output.shape) == 4][-1]
    head = keras.Model(model.inputs[0], last.output)
    return graph_of(
        keras.models.clone_model(head, input_tensors=keras.Input((97, 97, 1), name="input"))
    )


@pytest.mark.parametrize("name", dearest_in_soak(ARCHITECTURES))
def test_a_receptive_field_is_as_large_as_what_a_unit_sees(name: str) -> None:
    graph = on_a_large_image(name)
    for account in accounts(graph)[1:]:
        rows, columns, channels = account.spec.output_shape
        # Of maps that were put side by side some see less far; these are of the widest branches.
        seen = np.any(
            [
                receptive_field(graph, account.spec.name, (rows // 2, columns // 2, channel))
                for channel in {int(0.78 * channels), channels - 1}
            ],
            axis=0,
        )
        reach = [np.ptp(np.nonzero(seen)[axis]) + 1 for axis in range(2)]
        assert account.field == tuple(reach), account.spec.name


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_field_is_never_larger_than_the_image(name: str) -> None:
    fields = [account.field for account in accounts(graph_of(build(name)))]
    assert fields[0] == (1, 1)
    assert fields[-1] == (28, 28)
    assert all(max(field) <= 28 for field in fields)


def test_multiply_adds_by_hand() -> None:
    counted = {
        account.spec.name: account.multiply_adds for account in accounts(graph_of(build("classic")))
    }
    assert counted == {
        "input": 0,
        "conv_1": 26 * 26 * 32 * 3 * 3 * 1,
        "pool_1": 0,
        "conv_2": 11 * 11 * 64 * 3 * 3 * 32,
        "pool_2": 0,
        "conv_3": 3 * 3 * 64 * 3 * 3 * 64,
        "flatten": 0,
        "dense_1": 576 * 64,
        "output": 64 * 10,
    }


def test_depthwise_convolutions_multiply_each_channel_by_its_own_kernel() -> None:
    image = keras.Input((8, 8, 3), name="input")
    maps = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="depth")(image)
    grouped = keras.layers.Conv2D(4, 3, groups=2, name="grouped")(maps)
    found = accounts(graph_of(keras.Model(image, grouped)))
    assert found[1].multiply_adds == 8 * 8 * 6 * 9
    assert found[2].multiply_adds == 6 * 6 * 4 * 9 * 3


def test_three_small_filters_see_as_far_as_one_of_seven_for_less() -> None:
    """Simonyan and Zisserman, section 2.3: 3 · 3² C² = 27 C² weights against 7² C² = 49 C²."""
    channels = 64
    assert stacked(3, 3, channels)[0] == stacked(7, 1, channels)[0] == 7
    assert stacked(3, 2, channels)[0] == stacked(5, 1, channels)[0] == 5
    assert stacked(3, 3, channels)[2] == 27 * channels**2
    assert stacked(7, 1, channels)[2] == 49 * channels**2
    assert stacked(3, 3, channels)[1] == 27 * channels**2 + 3 * channels
