"""A picture of a layer's 64 maps: one atlas, Matplotlib's subplots, Plotly's facets.

    python -m benchmarks.peers.pictures

What a server does for it: a PNG, a PNG, and the JSON from which Plotly then paints in the browser.
"""

import io

import numpy as np
import plotly.express
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from benchmarks.peers.command import check_same, run, versions_of
from benchmarks.peers.figures import Disagreement, Findings, compared
from benchmarks.peers.in_turn import in_turn, timed
from benchmarks.pictures import subplots
from cnn_core.data.digit import mnist_digit
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.reference import reference_trace
from cnn_core.views.atlas import Picture, atlas_box, feature_map_atlas
from cnn_core.views.colour import LEVELS

ROUNDS = 7
_HALF = 0.501  # a colour, and what rounding adds


def one_image(maps: NDArray) -> bytes:
    """Matplotlib once, for the tiled array: the quickest that it offers."""
    from matplotlib.figure import Figure

    rows = maps.reshape(*maps.shape[:2], 8, 8).transpose(2, 0, 3, 1)
    figure = Figure(figsize=(8, 8))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(rows.reshape(8 * maps.shape[0], -1), cmap="magma", vmin=0, vmax=maps.max())
    axes.axis("off")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def facets(maps: NDArray) -> plotly.graph_objects.Figure:
    """Plotly's own way to show many images."""
    return plotly.express.imshow(
        np.moveaxis(maps, -1, 0), facet_col=0, facet_col_wrap=8,
        color_continuous_scale="magma", zmin=0, zmax=maps.max(),
    )  # fmt: skip


def check_atlas(picture: Picture, maps: NDArray) -> None:
    """Every map stands in its place, in Matplotlib's colours, each value to half a colour."""
    image = Image.open(io.BytesIO(picture.png))
    sheet, last = np.asarray(image), LEVELS - 1
    palette = np.array(image.getpalette()).reshape(-1, 3)[:LEVELS]
    check_same("colours", palette, colormaps["magma"](np.linspace(0, 1, LEVELS), bytes=True)[:, :3])
    for k in range(maps.shape[-1]):
        left, top, width, height = atlas_box(maps.shape, k)
        tile = sheet[top : top + height, left : left + width] * (picture.limit / last)
        error = float(np.abs(tile - maps[..., k]).max()) * last / picture.limit
        if not error <= _HALF:
            raise Disagreement(f"Map {k}: expected values to half a colour, received {error:.2f}.")


def check_facets(figure: plotly.graph_objects.Figure, maps: NDArray) -> None:
    for k, trace in enumerate(figure.data):
        check_same(f"facet {k}", np.asarray(trace.z), maps[..., k])


def compare() -> Findings:
    network = open_network("classic")
    pixels = network.card.fit(mnist_digit(30).pixels)
    maps = reference_trace(network.graph, weights_at(network.last), pixels)["conv_2"].output
    atlas, figure = feature_map_atlas(maps), facets(maps)
    check_atlas(atlas, maps)
    check_facets(figure, maps)
    ways = {
        "`feature_map_atlas`, a PNG": timed(lambda: feature_map_atlas(maps)),
        "Matplotlib, one tiled image, a PNG": timed(lambda: one_image(maps)),
        "Plotly, 64 facets, JSON": timed(lambda: facets(maps).to_json()),
        "Matplotlib, 8 × 8 subplots, a PNG": timed(lambda: subplots(maps)),
    }
    sizes = [len(atlas.png), len(one_image(maps)), len(figure.to_json()), len(subplots(maps))]
    small, *large = (f"{size / 1000:,.0f} KB" for size in sizes)
    return Findings(
        (compared("a picture of 64 feature maps", in_turn(ways, ROUNDS), ROUNDS),),
        "Pictures: every map on the same scale, in the same colours. To be sent: "
        f"{small} of ConvScope’s, {', '.join(large)} of the others, in that order; "
        "what the browser does with Plotly’s comes on top.",
        (),
        versions_of("NumPy", "Matplotlib", "Plotly"),
    )


if __name__ == "__main__":
    run(compare)
