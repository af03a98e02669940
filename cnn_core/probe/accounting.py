"""What each layer costs and how far it sees: parameters, multiply-adds, receptive field. NumPy."""

from dataclasses import dataclass
from math import prod

from cnn_core.networks.graph import Graph, LayerSpec, Shape
from cnn_core.probe.geometry import CELLWISE, CONVOLUTIONS, POOLINGS, sliding

_MERGES = ("Add", "Concatenate")


@dataclass(frozen=True)
class LayerAccount:
    """One layer's figures.

    Attributes
    ----------
    spec : the layer.
    multiply_adds : products of a weight and a value, for one image; a bias or a normalisation
        counts none.
    field : rows and columns of the image that can reach a unit far from every edge, at most the
        whole image.
    jump : image rows and columns from one cell to the next; 0 where cells have no place any more.
    """

    spec: LayerSpec
    multiply_adds: int
    field: tuple[int, int]
    jump: tuple[int, int]


def accounts(graph: Graph) -> tuple[LayerAccount, ...]:
    """The figures of every layer, in order.

    A window of `k` cells, dilated by `d`, on cells that are `j` apart and see `f` each, sees
    ``f + (k - 1) · d · j``; a stride of `s` makes the cells ``j · s`` apart (Dumoulin and Visin,
    "A guide to convolution arithmetic for deep learning", arXiv 1603.07285). Of branches that
    meet, the widest counts.
    """
    image = graph.input.output_shape[:2]
    found: dict[str, LayerAccount] = {}
    for spec in graph:
        shapes = graph.input_shapes(spec)
        before = [found[name] for name in spec.inputs]
        field, jump = _sees(spec, shapes, before, image)
        found[spec.name] = LayerAccount(spec, _products(spec, shapes), field, jump)
    return tuple(found.values())


def _sees(
    spec: LayerSpec, shapes: tuple[Shape, ...], before: list[LayerAccount], image: Shape
) -> tuple[tuple[int, int], tuple[int, int]]:
    whole = (image[0], image[1]), (0, 0)
    if not before:
        return (1, 1), (1, 1)
    fields, jump = [one.field for one in before], before[0].jump
    widest = max(field[0] for field in fields), max(field[1] for field in fields)
    if spec.kind in (*CONVOLUTIONS, *POOLINGS) and all(jump):
        slide = sliding(spec, shapes[0])
        grown = [
            widest[axis] + (slide.size[axis] - 1) * slide.dilation[axis] * jump[axis]
            for axis in range(2)
        ]
        return (
            (min(grown[0], image[0]), min(grown[1], image[1])),
            (jump[0] * slide.stride[0], jump[1] * slide.stride[1]),
        )
    if spec.kind in (*CELLWISE, *_MERGES, "ZeroPadding2D"):
        return widest, jump
    if spec.kind in ("Flatten", "Reshape"):
        return widest, (0, 0)
    return whole  # a dense layer, an average over all cells


def _products(spec: LayerSpec, shapes: tuple[Shape, ...]) -> int:
    kernel = spec.weights.get("kernel")
    if kernel is None:
        return 0
    if spec.kind in CONVOLUTIONS:
        # Each output cell of each filter multiplies its kernel once.
        height, width, filters = spec.output_shape
        per_filter = prod(kernel[:2]) if spec.kind == "DepthwiseConv2D" else prod(kernel[:3])
        return height * width * filters * per_filter
    if spec.kind == "Dense":
        return prod(kernel) * prod(spec.output_shape[:-1])
    return 0


def stacked(size: int, count: int, channels: int) -> tuple[int, int, int]:
    """`count` convolutions of `size` × `size` on top of each other, `channels` in and out.

    Returns
    -------
    field, parameters with biases, multiply-adds a cell.
    """
    field = 1 + count * (size - 1)
    weights = count * size * size * channels * channels
    return field, weights + count * channels, weights
