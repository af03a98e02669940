"""The picture of a layer of 64 maps: one atlas against a grid of Matplotlib subplots."""

import io

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from benchmarks.measure import interleaved, report
from cnn_core.data.digit import mnist_digit
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.reference import reference_trace
from cnn_core.views.atlas import feature_map_atlas


def subplots(maps: np.ndarray) -> bytes:
    figure = Figure(figsize=(8, 8))
    for k, axes in enumerate(figure.subplots(8, 8).flat):
        axes.imshow(maps[..., k], cmap=colormaps["magma"], vmin=0, vmax=maps.max())
        axes.axis("off")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def main() -> None:
    network = open_network("classic")
    pixels = network.card.fit(mnist_digit(30).pixels)
    maps = reference_trace(network.graph, weights_at(network.last), pixels)["conv_2"].output
    ways = {
        "feature_map_atlas": lambda: feature_map_atlas(maps),
        "Matplotlib, 8 × 8 subplots": lambda: subplots(maps),
    }
    report("PNG of conv_2's 64 maps", interleaved(ways, 9), next(iter(ways)))


if __name__ == "__main__":
    main()
