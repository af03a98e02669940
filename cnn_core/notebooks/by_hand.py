"""One unit worked out by hand: NumPy on what the layer reads and on its own weights."""

from collections.abc import Callable

from cnn_core.networks.source import expression
from cnn_core.probe.arithmetic import Calculation
from cnn_core.probe.functions import activation_of
from cnn_core.probe.geometry import CELLWISE, channels_read, sliding
from cnn_core.probe.trace import LayerTrace, Trace


def by_hand(trace: Trace, why: Calculation) -> tuple[str, str]:
    """How the unit is computed, in words and as code.

    The code reads `trace` and `model`, and gives `total`, what goes into the activation, and
    `value`, what comes out.

    Parameters
    ----------
    why : the unit, taken apart.
    """
    layer = trace[why.layer]
    rule = _RULES.get("cellwise" if layer.kind in CELLWISE else layer.kind, _from_cells)
    words, lines = rule(trace, layer, why)
    ending, last = _activation(layer, why)
    return f"{words} {ending}".strip(), "\n".join([*lines, *last])


def _reads(layer: LayerTrace, name: str = "before") -> str:
    return f"{name} = trace[{expression(layer.inputs[0])}].output  # what the layer reads"


def _weights(layer: LayerTrace) -> list[str]:
    held = f"model.get_layer({expression(layer.spec.owner)})"
    bias = f"{held}.bias.numpy()" if "bias" in layer.weights else None
    return [
        f"kernel = {held}.kernel.numpy()",
        f"bias = {bias or f'np.zeros({layer.output.shape[-1]})  # it has none'}",
    ]


def _window(trace: Trace, layer: LayerTrace, index: tuple[int, ...], fill: str) -> list[str]:
    """Code that cuts out the window, padded where it hangs over the edge."""
    (image,) = trace.inputs_of(layer)
    slide = sliding(layer.spec, image.shape)
    lines = [_reads(layer)]
    cuts, pads = [], []
    for axis, places in enumerate((slide.rows(index[0]), slide.columns(index[1]))):
        first, last, step = int(places[0]), int(places[-1]), slide.dilation[axis]
        below, above = max(0, -first), max(0, last + 1 - image.shape[axis])
        pads.append((below, above))
        end = last + below + 1
        cuts.append(f"{first + below}:{end}" + (f":{step}" if step > 1 else ""))
    if any(any(pair) for pair in pads):
        lines.append(
            f"before = np.pad(before, ({pads[0]}, {pads[1]}, (0, 0)), constant_values={fill})"
            "  # the window hangs over the edge"
        )
    channels = channels_read(layer.spec, image.shape[-1], index[2])
    whole = len(channels) == image.shape[-1]
    deep = ":" if whole else f"{channels[0]}:{channels[-1] + 1}"
    return [*lines, f"window = before[{cuts[0]}, {cuts[1]}, {deep}]"]


def _convolution(trace: Trace, layer: LayerTrace, why: Calculation) -> tuple[str, list[str]]:
    channel = why.index[2]
    kernel = f"kernel[..., {channel}]"
    if layer.kind == "DepthwiseConv2D":
        source, copy = divmod(channel, layer.config["depth_multiplier"])
        kernel = f"kernel[:, :, [{source}], {copy}]"
    return (
        f"Its filter lies on a window of {why.window}, rows × columns × channels. Each weight "
        "times the number under it is a term; the terms and the bias are added up.",
        [
            *_window(trace, layer, why.index, "0"),
            *_weights(layer),
            f"terms = window * {kernel}",
            'print(terms.size, "terms")',
            f"total = terms.sum() + bias[{channel}]",
        ],
    )


def _max_pooling(trace: Trace, layer: LayerTrace, why: Calculation) -> tuple[str, list[str]]:
    return (
        "It is the greatest number of its window.",
        [*_window(trace, layer, why.index, "-np.inf"), "print(window[..., 0])",
         "total = window.max()"],
    )  # fmt: skip


def _average_pooling(trace: Trace, layer: LayerTrace, why: Calculation) -> tuple[str, list[str]]:
    return (
        "It is the mean of its window; padding does not count.",
        [*_window(trace, layer, why.index, "np.nan"), "print(window[..., 0])",
         "total = np.nanmean(window)"],
    )  # fmt: skip


def _global_average(trace: Trace, layer: LayerTrace, why: Calculation) -> tuple[str, list[str]]:
    return (
        "It is the mean of a whole map.",
        [_reads(layer), f"total = before[..., {why.index[-1]}].mean()"],
    )


def _dense(trace: Trace, layer: LayerTrace, why: Calculation) -> tuple[str, list[str]]:
    *row, unit = why.index
    vector = f"before[{', '.join(map(str, row))}]" if row else "before"
    return (
        f"It reads all {len(why.terms):,} numbers before it. Each times its weight is a term; the "
        "terms and the bias are added up.",
        [
            _reads(layer),
            *_weights(layer),
            f"terms = {vector} * kernel[:, {unit}]",
            'print(terms.size, "terms, the greatest", np.sort(terms)[-3:])',
            f"total = terms.sum() + bias[{unit}]",
        ],
    )


def _cellwise(trace: Trace, layer: LayerTrace, why: Calculation) -> tuple[str, list[str]]:
    read = f"before[{', '.join(map(str, why.index))}]"
    if layer.kind != "BatchNormalization":
        return "It reads the one number in the same place.", [_reads(layer), f"total = {read}"]
    channel = why.index[-1]
    held = f"model.get_layer({expression(layer.spec.owner)})"
    scale = f"{held}.gamma.numpy()[{channel}]" if "gamma" in layer.weights else "1.0"
    shift = f"{held}.beta.numpy()[{channel}]" if "beta" in layer.weights else "0.0"
    return (
        "The number in the same place, less its channel’s mean in training, over its standard "
        "deviation; then scaled and shifted by what was learned.",
        [
            _reads(layer),
            f"mean = {held}.moving_mean.numpy()[{channel}]",
            f"variance = {held}.moving_variance.numpy()[{channel}]",
            f"scale, shift = {scale}, {shift}",
            f"standard = ({read} - mean) / np.sqrt(variance + {layer.config['epsilon']})",
            "total = scale * standard + shift",
        ],
    )


def _input(trace: Trace, layer: LayerTrace, why: Calculation) -> tuple[str, list[str]]:
    place = ", ".join(map(str, why.index))
    return "It is a pixel of the image.", [f"total = image[{place}]"]


def _from_cells(trace: Trace, layer: LayerTrace, why: Calculation) -> tuple[str, list[str]]:
    """Layers that copy or add up single numbers: which ones is said outright."""
    words = {
        "copy": "It is a number of the layer before, in another place.",
        "sum": "It is the sum of the numbers in the same place of the layers it reads.",
        "zero": "It is padding.",
    }[why.rule]
    cells = [
        f"    trace[{expression(why.sources[source])}].output[{', '.join(map(str, cell))}],"
        for source, cell in zip(why.source_of.tolist(), why.cells.tolist(), strict=True)
    ]
    return words, ["terms = [", *cells, "]", "print(terms)", "total = np.sum(terms)"]


def _activation(layer: LayerTrace, why: Calculation) -> tuple[str, list[str]]:
    """From `total` to `value`."""
    name, _ = activation_of(layer.kind, layer.config)
    held = f"model.get_layer({expression(layer.spec.owner)})"
    if name == "linear":
        return "There is no activation after it.", ["value = total"]
    bent = any(layer.config.get(key) for key in ("max_value", "negative_slope", "threshold"))
    if name == "relu" and not bent:
        return "ReLU lets pass what is above 0.", ["value = max(total, 0)"]
    if name == "softmax":
        row = "".join(f"{at}, " for at in why.index[:-1])
        before = f"trace[{expression(layer.name)}].pre_activation[{row}:]"
        return (
            "The softmax compares it with its neighbours: its share of the exponentials.",
            [
                f"logits = {before}  # the totals of all units, by Keras",
                "powers = np.exp(logits - logits.max())",
                "value = np.exp(total - logits.max()) / powers.sum()",
            ],
        )
    whole = layer.kind in ("ReLU", "LeakyReLU", "ELU")
    function = f"{held}(np.array([[total]]))[0, 0]" if whole else f"{held}.activation(total)"
    return (
        f"Then comes the activation, {name}.",
        [f"value = float({function})  # {name}"],
    )


_Rule = Callable[[Trace, LayerTrace, Calculation], tuple[str, list[str]]]

_RULES: dict[str, _Rule] = {
    "InputLayer": _input,
    "Conv2D": _convolution,
    "DepthwiseConv2D": _convolution,
    "MaxPooling2D": _max_pooling,
    "AveragePooling2D": _average_pooling,
    "GlobalAveragePooling2D": _global_average,
    "Dense": _dense,
    "cellwise": _cellwise,
}
