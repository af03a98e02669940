"""The notebook of Draw: the network's answer to a digit."""

from cnn_core.data.digit import Digit
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.source import expression
from cnn_core.networks.zoo import open_network
from cnn_core.notebooks.cells import Cell, Text
from cnn_core.notebooks.opening import code, number, numbers, opening, plain, the_digit
from cnn_core.probe.trace import Trace


def draw_cells(ref: NetworkRef, digit: Digit, trace: Trace) -> list[Cell]:
    """What Draw shows: the answer, all probabilities, and every layer's greatest number.

    Parameters
    ----------
    trace : of the network `ref` on the digit.
    """
    names = open_network(ref.id).card.class_names
    best = int(trace.output.argmax())
    greatest = {layer.name: float(layer.output.max()) for layer in trace}
    rows = "\n".join(f"    {expression(name)}: {number(top)}," for name, top in greatest.items())
    return [
        *opening(
            "What the network answers",
            "One digit goes through one network. Every number that ConvScope showed on the page "
            "Draw is worked out again, by Keras.",
            ref,
        ),
        *the_digit(digit),
        *answer_cells(trace),
        Text(
            "## What each layer made of it\n\n"
            f"The answer {plain(names[best])} is the end of a chain: each layer reads what the "
            "one before it made. A probe reads all of them in one go. Here is the shape of every "
            "layer’s output, and the greatest number in it."
        ),
        code(
            """
            from cnn_core import ActivationProbe

            trace = ActivationProbe(model).trace(image)
            for layer in trace:
                print(f"{layer.name:24} {str(layer.output.shape):16} {layer.output.max():.6g}")
            """
        ),
        code(
            f"shown = {{\n{rows}\n}}\n"
            'compare("greatest number of each layer",\n'
            "        [trace[name].output.max() for name in shown], list(shown.values()))"
        ),
    ]


def answer_cells(trace: Trace) -> list[Cell]:
    """The probabilities, computed and compared. Defines `probabilities`."""
    return [
        Text(
            "## The answer\n\nThe last layer gives a probability for each class; they add up to 1. "
            "The answer is the class with the greatest one."
        ),
        code(
            """
            probabilities = model.predict_on_batch(image[None])[0]  # a batch of one image
            for name, probability in zip(card.class_names, probabilities):
                print(f"{name:12} {probability:9.4%}")
            print("The answer:", card.class_names[probabilities.argmax()])
            """
        ),
        code(
            f"""
            shown = {numbers(trace.output)}
            compare("probabilities", probabilities, shown)
            """
        ),
    ]
