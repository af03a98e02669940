"""The notebook of Filters: a layer's filters, one of them, and the network without some units."""

import numpy as np

from cnn_core.data.digit import Digit
from cnn_core.insight.scores import Evaluation
from cnn_core.networks.kernels import by_norm, filters_of
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.source import expression, ref_code
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.notebooks.cells import Cell, Text
from cnn_core.notebooks.draw import answer_cells
from cnn_core.notebooks.evaluate import the_test_images
from cnn_core.notebooks.opening import code, number, numbers, opening, plain, the_digit
from cnn_core.probe.trace import Trace

VIEWS = ("At this moment", "Random start", "Difference")
"""What can be seen of the weights: as they are, as they were, and what training made of them."""


def filters_cells(
    ref: NetworkRef,
    digit: Digit,
    trace: Trace,
    layer: str,
    index: int,
    view: str = VIEWS[0],
    whole: Trace | None = None,
    scores: tuple[Evaluation, Evaluation] | None = None,
) -> list[Cell]:
    """What Filters shows of a convolution, of one of its filters, and of the units that are off.

    Parameters
    ----------
    trace : of the network `ref` on the digit.
    layer, index : a convolution and one of its filters.
    view : one of `VIEWS`.
    whole : the trace with every unit on; None where none is off.
    scores : on the test images with every unit on, and without those that are off, if known;
        they go with `whole`.
    """
    return [
        *opening(
            "The learned filters",
            "What a convolution has learned to look for, how one filter answers to a digit, and "
            "what the network is without the units that are off.",
            ref,
        ),
        *the_digit(digit),
        *_kernels(ref, layer, index, view),
        *_answer(trace, layer, index),
        *(_lesion(ref, trace, whole) if whole is not None else []),
        *(_scores(ref, *scores) if whole is not None and scores is not None else []),
    ]


def _kernels(ref: NetworkRef, layer: str, index: int, view: str) -> list[Cell]:
    network = open_network(ref.id)
    spec = network.graph[layer]
    start = NetworkRef(ref.id, network.film.steps[0])
    now, first = filters_of(spec, weights_at(ref)), filters_of(spec, weights_at(start))
    shown = {VIEWS[0]: now, VIEWS[1]: first, VIEWS[2]: now - first}[view]
    name = expression(spec.owner)
    rows, columns, channels, count = shown.shape
    reshape = f".reshape({rows}, {columns}, 1, {count})" if spec.kind == "DepthwiseConv2D" else ""
    lines = [f"kernels = model.get_layer({name}).get_weights()[0]{reshape}"]
    if view != VIEWS[0]:
        lines += [
            f"start = load_model({ref_code(start)})  # before any training",
            f"at_start = start.get_layer({name}).get_weights()[0]{reshape}",
            "kernels = at_start" if view == VIEWS[1] else "kernels = kernels - at_start",
        ]
    words = {
        VIEWS[0]: "at this moment",
        VIEWS[1]: "as they were at random, before any training",
        VIEWS[2]: "less what they were at random: what training has made of them",
    }[view]
    heaviest = int(by_norm(shown[..., index])[0])
    across = min(8, count)
    return [
        Text(
            f"## The filters of {plain(layer)}, {words}\n\n{count} filters of {rows} × {columns} "
            f"weights on each of {channels} channel{'s' if channels > 1 else ''}. Violet takes "
            "away, orange adds; all on one scale."
        ),
        code("\n".join([*lines, "print(kernels.shape)  # rows, columns, channels read, filters"])),
        code(
            f"""
            limit = np.abs(kernels).max()
            channel = {heaviest}  # read by filter {index} with the greatest weights
            figure, axes = plt.subplots({-(-count // across)}, {across}, squeeze=False)
            for k, ax in enumerate(axes.flat):
                ax.axis("off")
                if k < kernels.shape[-1]:
                    ax.imshow(kernels[:, :, channel, k], cmap="PuOr_r", vmin=-limit, vmax=limit)
                    ax.set_title(k, fontsize=8)
            plt.show()
            """
        ),
        code(
            f"""
            print(np.round(kernels[:, :, channel, {index}], 4))
            shown = {numbers(shown[:, :, heaviest, index])}
            compare("filter {index} on channel {heaviest}",
                    kernels[:, :, channel, {index}].ravel(), shown)
            compare("greatest weight of the layer", limit, {number(float(np.abs(shown).max()))})
            """
        ),
    ]


def _answer(trace: Trace, layer: str, index: int) -> list[Cell]:
    values = trace[layer].output[..., index]
    row, column = (int(at) for at in np.unravel_index(int(values.argmax()), values.shape))
    said = (
        f"Its greatest number on this digit is {number(float(values.max()))}, at row {row}, "
        f"column {column}."
        if values.any()
        else "It is silent on this digit: 0 everywhere."
    )
    return [
        Text(
            f"## What filter {index} answers\n\nThe filter slides over what the layer reads and "
            f"leaves a map of its answers. {said}"
        ),
        code(
            f"""
            from cnn_core import ActivationProbe

            answer = ActivationProbe(model).trace(image)[{expression(layer)}].output[..., {index}]
            plt.figure(figsize=(3, 3))
            plt.imshow(answer)
            plt.colorbar()
            plt.show()
            compare("its greatest answer", answer.max(), {number(float(values.max()))})
            compare("the number at row {row}, column {column}",
                    answer[{row}, {column}], {number(float(values[row, column]))})
            """
        ),
    ]


def _lesion(ref: NetworkRef, trace: Trace, whole: Trace) -> list[Cell]:
    return [
        *answer_cells(trace),
        Text("The same digit in the same network with every unit on:"),
        code(
            f"""
            intact = load_model({ref_code(ref.whole)})
            before = intact.predict_on_batch(image[None])[0]
            for name, with_all, without in zip(card.class_names, before, probabilities):
                print(f"{{name:12}} {{with_all:9.4%}} -> {{without:9.4%}}")
            compare("probabilities with every unit on", before,
                    {numbers(whole.output)})
            """
        ),
    ]


def _scores(ref: NetworkRef, before: Evaluation, after: Evaluation) -> list[Cell]:
    return [
        *the_test_images(ref),
        Text(
            "How many are right with every unit on, and how many without those that are off. (On "
            "another processor an image on the edge may fall to the other side.)"
        ),
        code(
            f"""
            right_before, right_after = (
                one.predict(images, batch_size=500, verbose=0).argmax(axis=1) == labels
                for one in (intact, model)
            )
            print(f"{{right_before.mean():.2%}} -> {{right_after.mean():.2%}}")
            compare("right before and after", [right_before.mean(), right_after.mean()],
                    [{number(before.accuracy)}, {number(after.accuracy)}], tolerance=3e-4)
            """
        ),
        code(
            f"""
            for k, name in enumerate(card.class_names):
                print(f"{{name:12}} {{right_before[labels == k].mean():8.2%}}"
                      f" -> {{right_after[labels == k].mean():8.2%}}")
            compare("right by class, without", [right_after[labels == k].mean() for k in
                    range(len(card.class_names))], {numbers(after.recall)}, tolerance=3e-3)
            """
        ),
    ]
