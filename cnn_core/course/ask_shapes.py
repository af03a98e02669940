"""Questions about sizes: shapes, places and counts, which hold for every digit."""

from math import prod

from cnn_core.course.question import Question, question
from cnn_core.course.seen import Seen, strongest
from cnn_core.course.text import shape_text, share
from cnn_core.errors import UnsupportedLayer
from cnn_core.networks.graph import LayerSpec
from cnn_core.probe.accounting import accounts
from cnn_core.probe.geometry import CONVOLUTIONS, POOLINGS, flatten_cell, flatten_position


def output_shape(seen: Seen, layer: str) -> Question:
    """Which shape comes out of a convolution, a pooling, or a flattening?"""
    graph = seen.trace.graph
    spec = graph[layer]
    shape = spec.output_shape
    before = graph.input_shapes(spec)[0]
    if spec.kind in (*CONVOLUTIONS, *POOLINGS):
        (size, _), (step, _) = _window(spec)
        rows, columns, maps = shape
        depth = before[-1]
        others = {
            shape_text((before[0], before[1], maps)): "no edge",
            shape_text((rows, columns, depth if depth != maps else 1)): "depth",
            shape_text((before[0] - size, before[1] - size, maps)): "no one added",
            shape_text((rows + 1, columns + 1, maps)): "rounded up",
        }
        window = {"size": str(size), "stride": str(step)}
    elif spec.kind == "Flatten":
        others = {
            f"{before[0] * before[1]:,}": "one map",
            shape_text((before[0] * before[1], before[2])): "maps kept",
            f"{sum(before):,}": "added",
        }
        window = {}
    else:
        raise UnsupportedLayer(f"{layer} ({spec.kind}) has no shape to ask for.")
    values = {"layer": layer, "before": shape_text(before), "maps": str(shape[-1]), **window}
    values |= {"rows": str(before[0]), "depth": str(before[-1])}
    return question(shape_text(shape), others, values)


def _window(spec: LayerSpec) -> tuple[tuple[int, int], tuple[int, int]]:
    size = spec.config["pool_size" if spec.kind in POOLINGS else "kernel_size"]
    return tuple(size), tuple(spec.config["strides"])


def batch_shape(seen: Seen, count: int) -> Question:
    """Which shape does an array of so many images have?"""
    height, width, channels = seen.network.card.input_shape
    others = {
        f"({height}, {width}, {count})": "as channels",
        f"({count}, {height}, {width})": "no channels",
        f"({height}, {width}, {channels}, {count})": "batch last",
    }
    right = f"({count}, {height}, {width}, {channels})"
    return question(right, others, {"count": str(count)})


def parameters_of(seen: Seen, layer: str) -> Question:
    """How many numbers has a layer learned?"""
    spec = seen.trace.graph[layer]
    kernel, bias = spec.weights["kernel"], spec.weights["bias"]
    *reads, units = kernel
    weights = prod(kernel)
    others = {
        f"{weights:,}": "no bias",
        f"{weights + prod(reads):,}": "bias of inputs",
        f"{sum(reads) + units:,}": "added",
        f"{prod(reads) + units:,}": "one unit",
    }
    if len(reads) == 3:  # a convolution
        others = {f"{prod(reads[:2]) * units + units:,}": "one channel", **others}
    values = {
        "layer": layer,
        "reads": " · ".join(map(str, reads)),
        "inputs": f"{prod(reads):,}",
        "units": f"{units:,}",
        "weights": f"{weights:,}",
        "biases": f"{prod(bias):,}",
    }
    return question(f"{spec.parameter_count:,}", others, values)


def most_parameters(seen: Seen) -> Question:
    """Which layer holds most of the network's numbers?"""
    specs = [spec for spec in seen.trace.graph if spec.weights]
    specs.sort(key=lambda spec: -spec.parameter_count)
    order = tuple(spec.name for spec in seen.trace.graph)
    best, total = specs[0], seen.trace.graph.parameter_count
    values = {
        "count": f"{best.parameter_count:,}",
        "total": f"{total:,}",
        "share": share(best.parameter_count / total),
    }
    others = {spec.name: "" for spec in specs[1:4]}
    return question(best.name, others, values, order)


def flat_position(seen: Seen, layer: str) -> Question:
    """Where in the row of numbers does the strongest cell before it land?"""
    spec = seen.trace.graph[layer]
    source = spec.inputs[0]
    height, width, depth = seen.trace.graph[source].output_shape
    cell = strongest(seen.trace[source].output)
    if not all(cell):  # a 0 would hide a part of the sum
        cell = (height // 2, width // 2, depth // 2)
    row, column, channel = cell
    right = flatten_position((height, width, depth), cell)
    others = {
        f"{channel * height * width + row * width + column:,}": "map by map",
        f"{row * width + column:,}": "one map",
        f"{row + column + channel:,}": "added",
        f"{right + 1:,}": "from one",
    }
    values = {
        "row": str(row), "column": str(column), "map": str(channel), "source": source,
        "width": str(width), "depth": str(depth), "cell": f"{row * width + column:,}",
    }  # fmt: skip
    return question(f"{right:,}", others, values, shows=(layer, (right,)))


def flat_cell(seen: Seen, layer: str) -> Question:
    """Which cell stands at the place of the greatest number of the row?"""
    spec = seen.trace.graph[layer]
    shape = seen.trace.graph[spec.inputs[0]].output_shape
    _, width, depth = shape
    (position,) = strongest(seen.trace[layer].output)
    row, column, channel = flatten_cell(shape, position)

    def cell(*at: int) -> str:
        return f"({', '.join(map(str, at))})"

    others = {
        cell(channel % width, row, column): "map first",
        cell(column, row, channel): "turned",
        cell(row, column, (channel + 1) % depth): "from one",
        cell(row, (column + 1) % width, channel): "",
    }
    values = {
        "position": f"{position:,}", "source": spec.inputs[0], "width": str(width),
        "depth": str(depth), "row": str(row), "column": str(column), "map": str(channel),
        "cell": str(position // depth), "value": f"{float(seen.trace[layer].output[position]):.3f}",
    }  # fmt: skip
    return question(cell(row, column, channel), others, values, shows=(layer, (position,)))


def field_of(seen: Seen, layer: str) -> Question:
    """How much of the image can a unit see?"""
    counted = {one.spec.name: one for one in accounts(seen.trace.graph)}
    spec = counted[layer].spec
    size = counted[layer].field[0]
    kernel = int(spec.config["kernel_size"][0])
    source = counted[spec.inputs[0]]
    others = {
        shape_text((source.field[0] + kernel, source.field[0] + kernel)): "added",
        shape_text(seen.trace.graph.input.output_shape[:2]): "all",
        shape_text((kernel, kernel)): "window alone",
    }
    values = {
        "layer": layer, "source": spec.inputs[0], "kernel": str(kernel),
        "seen_before": str(source.field[0]), "apart": str(source.jump[0]), "size": str(size),
    }  # fmt: skip
    middle = tuple(n // 2 for n in spec.output_shape)
    return question(shape_text((size, size)), others, values, shows=(layer, middle))


def joined_maps(seen: Seen, layer: str) -> Question:
    """How many maps come out where branches are put side by side?"""
    graph = seen.trace.graph
    spec = graph[layer]
    counts = [shape[-1] for shape in graph.input_shapes(spec)]
    total = spec.output_shape[-1]
    others = {
        str(max(counts)): "widest",
        str(len(counts)): "branches",
        f"{prod(counts):,}": "multiplied",
    }
    values = {"layer": layer, "counts": " + ".join(map(str, counts)), "branches": str(len(counts))}
    return question(str(total), others, values)
