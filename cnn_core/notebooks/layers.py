"""The notebook of Layers: one layer, its maps, and one unit of it worked out by hand."""

import numpy as np

from cnn_core.data.digit import Digit
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.source import expression, layer_code
from cnn_core.notebooks.by_hand import by_hand
from cnn_core.notebooks.cells import Cell, Text
from cnn_core.notebooks.opening import code, number, opening, plain, the_digit
from cnn_core.probe.arithmetic import explain_unit
from cnn_core.probe.geometry import Index
from cnn_core.probe.trace import LayerTrace, Trace


def layers_cells(
    ref: NetworkRef, digit: Digit, trace: Trace, layer: str, unit: Index
) -> list[Cell]:
    """What Layers shows of a layer and a unit.

    Parameters
    ----------
    trace : of the network `ref` on the digit, with its weights.

    Raises
    ------
    UnknownLayer, NoSuchUnit, UnsupportedLayer : the unit cannot be worked out.
    """
    traced = trace[layer]
    why = explain_unit(trace, layer, unit)
    words, calculation = by_hand(trace, why)
    name, place = expression(layer), ", ".join(map(str, unit))
    return [
        *opening(
            "A layer, down to one number",
            "What a layer makes of a digit, and how one of its numbers comes about.",
            ref,
        ),
        *the_digit(digit),
        Text(
            f"## The layer {plain(layer)}\n\n"
            + (f"It reads {plain(', '.join(traced.inputs))}. " if traced.inputs else "")
            + "In Keras it is written so:\n\n"
            f"```python\n{layer_code(trace.graph, layer)}\n```"
        ),
        code(
            f"""
            from cnn_core import ActivationProbe

            trace = ActivationProbe(model).trace(image)  # every layer's output, by Keras
            output = trace[{name}].output
            print(output.shape, f"{{np.mean(output == 0):.0%}} zeros", "greatest", output.max())
            """
        ),
        *_pictures(traced),
        code(
            f"""
            compare("zeros", np.sum(output == 0), {int(np.sum(traced.output == 0))})
            compare("greatest number", output.max(), {number(float(traced.output.max()))})
            compare("least number", output.min(), {number(float(traced.output.min()))})
            """
        ),
        Text(
            f"## One unit of it, by hand\n\nThe unit [{place}]"
            f"{' (row, column, map)' if len(unit) == 3 else ''}. {words}"
        ),
        code(calculation + '\nprint(f"total {total:.6g}, value {value:.6g}")'),
        code(
            f"""
            compare("the unit by hand", value, {number(why.network_value)})
            compare("the unit by Keras", output[{place}], {number(why.network_value)})
            """
        ),
        Text(
            "ConvScope does the same for any unit of any layer: `explain_unit` gives the terms in "
            "order, the bias, the sum and the value, beside the network’s own."
        ),
        code(
            f"""
            from cnn_core import explain_unit

            why = explain_unit(trace, {name}, {tuple(unit)})
            print(why.rule, "of", len(why.terms), "terms; bias", why.bias)
            compare("the unit's total", [why.total, total], [{number(why.total)}] * 2)
            """
        ),
    ]


def _pictures(traced: LayerTrace) -> list[Cell]:
    """All maps on one scale; for a layer without maps, its numbers as bars."""
    if traced.output.ndim != 3:
        return [
            code(
                """
                plt.figure(figsize=(8, 2))
                plt.bar(range(output.size), output.ravel())
                plt.show()
                """
            )
        ]
    signed = bool(traced.output.min() < 0)
    limit = "np.abs(output).max()"
    scale = (
        f'cmap="PuOr_r", vmin=-{limit}, vmax={limit}'
        if signed
        else f'cmap="viridis", vmin=0, vmax={limit}'
    )
    some = "; the first 64" if traced.output.shape[-1] > 64 else ""
    columns = int(min(8, traced.output.shape[-1]))
    rows = int(np.ceil(min(64, traced.output.shape[-1]) / columns))
    return [
        code(
            f"""
            figure, axes = plt.subplots({rows}, {columns}, figsize=(8, {rows}), squeeze=False)
            for channel, ax in enumerate(axes.flat):
                ax.axis("off")
                if channel < output.shape[-1]:
                    ax.imshow(output[..., channel], {scale})
            plt.show()  # all maps on one scale{some}
            """
        )
    ]
