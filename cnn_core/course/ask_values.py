"""Questions about single numbers: pixels, sums, windows, pushes."""

import numpy as np
from numpy.typing import NDArray

from cnn_core.course.question import Question, question
from cnn_core.course.seen import Seen, strongest, traced
from cnn_core.course.text import fixed, number, share
from cnn_core.data.digit import Digit
from cnn_core.data.variations import shifted
from cnn_core.errors import NothingToExplain
from cnn_core.networks.kernels import filters_of
from cnn_core.networks.zoo import weights_at
from cnn_core.probe.arithmetic import explain_unit
from cnn_core.probe.functions import FUNCTIONS
from cnn_core.probe.single import KERNELS, Setting, convolution


def pixel_share(seen: Seen) -> Question:
    """What does the network get for a pixel that a file holds as a byte?"""
    pixels = seen.digit.bytes.astype(int)
    # Half-way grey says most; 255 / 255 would give it away.
    row, column = np.unravel_index(int(np.abs(pixels - 128).argmin()), pixels.shape)
    byte = int(pixels[row, column])
    others = {f"{byte}.000": "undivided", f"{byte / 1000:.3f}": "by 1000"}
    others[f"{1 - byte / 255:.3f}"] = "turned over"
    values = {"byte": str(byte), "row": str(row), "column": str(column)}
    at = (int(row), int(column), 0)
    shows = (seen.trace.graph.input.name, at)
    return question(f"{byte / 255:.3f}", others, values, shows=shows)


def strokes() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """An upright stroke and a level one, each 3 pixels wide, `(28, 28)` in [0, 1]."""
    upright = np.zeros((28, 28), np.float32)
    upright[4:24, 13:16] = 1
    return upright, upright.T.copy()


def stroke_answer(seen: Seen, kernel: str = "", layer: str = "", filter: int = 0) -> Question:
    """To which stroke does a kernel answer more, an upright one or a level one? Its sums are added
    up without their signs; less than a twentieth of a difference counts as none.

    Parameters
    ----------
    kernel : a name of `probe.single.KERNELS`; empty for a filter of the network,
    layer, filter : which, of a layer that reads one channel.
    """
    if kernel:
        weights, shows = KERNELS[kernel], None
    else:
        spec = seen.trace.graph[layer]
        weights = filters_of(spec, weights_at(seen.ref))[:, :, 0, filter]
        shows = (layer, strongest(seen.trace[layer].output, filter))
    upright, level = (
        float(np.abs(convolution(stroke, weights, Setting()).output).sum()) for stroke in strokes()
    )
    alike = abs(upright - level) <= 0.05 * max(upright, level)
    right = "both_alike" if alike else "upright" if upright > level else "level"
    order = ("upright", "level", "both_alike")
    others = dict.fromkeys(order, "")
    values = {
        "upright_answer": number(upright),
        "level_answer": number(level),
        "filter": str(filter),
        **{
            f"w{row}{column}": fixed(float(weights[row, column]))
            for row in range(3)
            for column in range(3)
        },
    }
    return question(right, others, values, order, shows)


def after_activation(seen: Seen, layer: str) -> Question:
    """What does ReLU make of the least sum of a layer?"""
    before = seen.trace[layer].pre_activation
    if before is None:
        raise NothingToExplain(f"{layer} applies no activation.")
    at = tuple(int(i) for i in np.unravel_index(int(before.argmin()), before.shape))
    value = float(before[at])
    out = float(FUNCTIONS["relu"](np.array(value)))
    others = {fixed(value): "unchanged", fixed(-value): "sign dropped", fixed(1.0): "switch"}
    values = {"before": fixed(value), "unit": f"{layer}[{', '.join(map(str, at))}]"}
    return question(fixed(out), others, values, shows=(layer, at))


def zero_share(seen: Seen, layer: str) -> Question:
    """How many of a layer's numbers are 0?"""
    output = seen.trace[layer].output
    zeros = float(np.mean(output == 0))
    order = ("first_quarter", "second_quarter", "third_quarter", "last_quarter")
    right = order[min(int(zeros * 4), 3)]
    values = {
        "layer": layer,
        "zeros": f"{int((output == 0).sum()):,}",
        "numbers": f"{output.size:,}",
        "share": share(zeros),
    }
    return question(right, dict.fromkeys(order, ""), values, order)


CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")


def pool_winner(seen: Seen, layer: str) -> Question:
    """Which of the four cells of a window goes on?"""
    output = seen.trace[layer].output
    for position in np.argsort(-output, axis=None, kind="stable"):
        at = tuple(int(i) for i in np.unravel_index(int(position), output.shape))
        why = explain_unit(seen.trace, layer, at)
        values = np.sort(why.values)
        if len(values) == 4 and why.winner is not None and values[-1] - values[-2] > 0.005:
            break
    else:
        raise NothingToExplain(f"No window of {layer} has one cell above the others.")
    cells = dict(zip(CORNERS, map(fixed, why.values.tolist()), strict=True))
    row, column, channel = at
    words = {**cells, "layer": layer, "source": why.sources[0], "value": fixed(why.value)}
    words |= {"row": str(row), "column": str(column), "map": str(channel)}
    return question(
        CORNERS[why.winner], dict.fromkeys(CORNERS, ""), words, CORNERS, shows=(layer, at)
    )


def change(before: NDArray, after: NDArray) -> float:
    """How far numbers moved, as a share of their size: ‖after − before‖ / ‖before‖."""
    size = float(np.linalg.norm(before))
    return float(np.linalg.norm(after - before)) / size if size else 0.0


def shift_changes(seen: Seen, before: str, after: str) -> Question:
    """Shift the digit by a pixel: which changes more, the maps before pooling or after it?"""
    moved = Digit(shifted(seen.digit.pixels, 1), "made")
    trace = traced(seen.ref, moved)
    first, last = (change(seen.trace[name].output, trace[name].output) for name in (before, after))
    order = ("before_pooling", "after_pooling")
    right = order[0] if first > last else order[1]
    values = {"before": before, "after": after, "first": f"{first:.0%}", "last": f"{last:.0%}"}
    return question(right, dict.fromkeys(order, ""), values, order)


def hardest_push(seen: Seen, layer: str) -> Question:
    """Which of four inputs pushes the strongest unit of a dense layer hardest, up or down?"""
    unit = strongest(seen.trace[layer].output)
    why = explain_unit(seen.trace, layer, unit)
    order = np.argsort(-np.abs(why.terms), kind="stable")
    # The hardest push; the greatest input; the greatest weight; one from the middle.
    chosen: list[int] = [int(order[0])]
    for candidates in (
        np.argsort(-why.values, kind="stable"),
        np.argsort(-np.abs(why.weights), kind="stable"),
        order[len(order) // 4 :],
    ):
        chosen.append(next(int(k) for k in candidates if int(k) not in chosen))
    chosen.sort()
    best = int(order[0])
    values = {"unit": str(unit[-1]), "layer": layer, "source": why.sources[0]}
    for letter, k in zip("abcd", chosen, strict=True):
        values |= {
            letter: str(k),
            f"{letter}_value": fixed(float(why.values[k]), 3),
            f"{letter}_weight": fixed(float(why.weights[k]), 3),
        }
    values |= {
        "value": fixed(float(why.values[best]), 3),
        "weight": fixed(float(why.weights[best]), 3),
        "product": fixed(float(why.terms[best]), 3),
        "way": "up" if why.terms[best] > 0 else "down",
    }
    greatest = int(np.argmax(why.values))
    others = {
        str(k): "greatest value" if k == greatest else "zero" if why.values[k] == 0 else ""
        for k in chosen
    }
    return question(str(best), others, values, tuple(map(str, chosen)), shows=(layer, unit))


def added(seen: Seen, layer: str) -> Question:
    """What does a skip connection make of what it was given and what was found?"""
    given, found = _paths(seen, layer)
    total = given.astype(np.float64) + found
    at = strongest(np.minimum(np.abs(given), np.abs(found)))  # where neither is nearly nothing
    one, other = float(given[at]), float(found[at])
    others = {
        fixed(max(one, other)): "greatest",
        fixed(one * other): "multiplied",
        fixed((one + other) / 2): "mean",
    }
    values = {"layer": layer, "given": fixed(one), "found": fixed(other),
              "row": str(at[0]), "column": str(at[1]), "map": str(at[2])}  # fmt: skip
    return question(fixed(float(total[at])), others, values, shows=(layer, at))


def _paths(seen: Seen, layer: str) -> tuple[NDArray, NDArray]:
    """What an Add layer reads: the shorter way first."""
    graph = seen.trace.graph
    order = {spec.name: place for place, spec in enumerate(graph)}
    names = sorted(graph[layer].inputs, key=lambda name: order[name])
    if len(names) != 2:
        raise NothingToExplain(f"{layer} does not add two things.")
    return seen.trace[names[0]].output, seen.trace[names[1]].output


def strongest_map(seen: Seen, layer: str, maps: list[int]) -> Question:
    """Which of some filters answers most to the digit?"""
    output = seen.trace[layer].output
    tops = {k: float(output[..., k].max()) for k in maps}
    best = max(tops, key=lambda k: tops[k])
    values = {"layer": layer, "value": fixed(tops[best])}
    values["tops"] = ", ".join(f"{k}: {fixed(top)}" for k, top in tops.items())
    order = tuple(map(str, maps))
    return question(
        str(best), dict.fromkeys(order, ""), values, order,
        shows=(layer, strongest(output, best)),
    )  # fmt: skip
