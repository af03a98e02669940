"""What a layer does here, in a sentence or two with its own numbers, and its counting."""

from math import prod

from cnn_core.networks.graph import Graph, LayerSpec
from cnn_core.probe.functions import activation_of
from cnn_core.probe.geometry import CONVOLUTIONS, POOLINGS, sliding
from ui.panels import html

_ACTIVATIONS = {
    "relu": "ReLU, which turns what is below 0 into 0",
    "softmax": "softmax, which turns the numbers into shares that sum to 1",
}


def what_it_does(graph: Graph, spec: LayerSpec) -> str:
    """One or two sentences about this layer in this network."""
    shapes = graph.input_shapes(spec)
    if spec.kind == "InputLayer":
        height, width, channels = spec.output_shape
        kind = "grey" if channels == 1 else "colour"
        return (
            f"The image enters: {height} rows of {width} {kind} values from 0 (paper) to 1 (ink). "
            "Keras puts a batch axis in front, here of one image."
        )
    if spec.kind in CONVOLUTIONS:
        return _convolution(spec, shapes[0][-1])
    if spec.kind in POOLINGS:
        slide = sliding(spec, shapes[0])
        what = "largest" if spec.kind == "MaxPooling2D" else "mean"
        kept = prod(spec.output_shape) / prod(shapes[0])
        return (
            f"Keeps the {what} value of every {html.shape(slide.size)} window, in each of "
            f"{shapes[0][-1]} maps by itself. {kept:.0%} of the numbers go on."
        )
    if spec.kind == "Flatten":
        return (
            f"Lays the {shapes[0][-1]} maps out as one row of {spec.output_shape[0]:,} numbers: "
            "row by row, column by column, all maps of a cell together. Nothing is computed."
        )
    if spec.kind == "Dense":
        return (
            f"Each of {spec.output_shape[-1]} units weighs all {shapes[0][-1]:,} inputs and adds "
            f"its bias, then applies {_activation(spec)}."
        )
    return f"{spec.kind}: {html.shape(shapes[0])} numbers in, {html.shape(spec.output_shape)} out."


def _convolution(spec: LayerSpec, channels: int) -> str:
    size = html.shape(tuple(spec.config["kernel_size"]))
    count = spec.output_shape[-1]
    reads = "the image" if channels == 1 else f"all {channels} maps before it at once"
    return (
        f"{count} kernels of {size} slide over {reads}. At each place the products are summed, "
        f"the bias is added, and what comes out goes through {_activation(spec)}."
    )


def _activation(spec: LayerSpec) -> str:
    name, _ = activation_of(spec.kind, spec.config)
    return _ACTIVATIONS.get(name, name if name != "linear" else "nothing further")


def shape_sum(graph: Graph, spec: LayerSpec) -> str:
    """How the output shape follows from the input's, e.g. ``(13 − 3) / 1 + 1 = 11``."""
    shapes = graph.input_shapes(spec)
    size = html.shape(spec.output_shape)
    if spec.kind in (*CONVOLUTIONS, *POOLINGS):
        slide = sliding(spec, shapes[0])
        height, kernel, stride = shapes[0][0], slide.size[0], slide.stride[0]
        reach = (kernel - 1) * slide.dilation[0] + 1
        if spec.config["padding"] == "same":
            rule = f"⌈{height} / {stride}⌉ = {spec.output_shape[0]} rows"
        else:
            rule = f"⌊({height} − {reach}) / {stride}⌋ + 1 = {spec.output_shape[0]} rows"
        return f"{size}  ·  {rule}"
    if spec.kind == "Flatten":
        return f"{' · '.join(map(str, shapes[0]))} = {spec.output_shape[0]:,}"
    return size


def parameter_sum(graph: Graph, spec: LayerSpec) -> str:
    """How many numbers the layer learned, e.g. ``(3·3·32 + 1)·64 = 18,496``."""
    if not spec.weights:
        return "none"
    total = f"{spec.parameter_count:,}"
    kernel = spec.weights.get("kernel")
    if spec.kind in ("Conv2D", "Dense") and kernel and "bias" in spec.weights:
        *reads, units = kernel
        return f"({'·'.join(map(str, reads))} + 1)·{units} = {total}"
    parts = [f"{name} {'·'.join(map(str, shape))}" for name, shape in spec.weights.items()]
    return f"{' + '.join(parts)} = {total}"
