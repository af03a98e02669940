"""How every notebook begins: where ConvScope is, which digit, which network, at which moment."""

import re
from collections.abc import Iterable
from textwrap import dedent

import numpy as np

from cnn_core.data.digit import Digit
from cnn_core.networks.lesion import lesion_text
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.source import expression, ref_code
from cnn_core.networks.zoo import open_network, shipped_networks
from cnn_core.notebooks.cells import Cell, Code, Text

_SET_UP = '''
import sys
from pathlib import Path

# The folder that holds ConvScope's app.py. Write its path here if this notebook lies elsewhere.
folder = Path(".").resolve()
assert (folder / "cnn_core").is_dir(), "Write the path of ConvScope's folder above."
sys.path.insert(0, str(folder))

import keras
import matplotlib.pyplot as plt
import numpy as np


def compare(what, computed, shown, tolerance=1e-5):
    """Stop if what was computed here is not what ConvScope showed, to within rounding."""
    computed, shown = np.asarray(computed, float), np.asarray(shown, float)
    difference = np.abs(computed - shown).max()
    assert difference <= tolerance * np.abs(shown).max() + 1e-6, (what, computed, shown)
    print(f"{what}: as shown, to within {difference:.1g}.")
'''


def code(source: str) -> Code:
    """A cell of the code, with what it is indented by taken off."""
    return Code(dedent(source).strip())


def text(markdown: str) -> Text:
    """A cell of the text, with what it is indented by taken off."""
    return Text(dedent(markdown).strip())


def set_up() -> list[Cell]:
    """What must be run first: where ConvScope is, and what is imported."""
    return [
        text(
            """
            Run this with the Python that runs ConvScope, where a notebook editor is installed
            beside it (`pip install notebook`), from ConvScope’s folder. Nothing is fetched.
            `compare` below stops the notebook if a number is not the one that ConvScope showed.
            """
        ),
        code(_SET_UP),
    ]


def opening(title: str, purpose: str, ref: NetworkRef) -> list[Cell]:
    """The title, the set-up and the network at its moment.

    Defines `ref`, `card` and `model`.
    """
    return [
        Text(f"# {title}\n\n{purpose}"),
        *set_up(),
        Text(_network_text(ref)),
        _network_code(ref),
    ]


def _network_text(ref: NetworkRef) -> str:
    network = open_network(ref.id)
    lines = [
        "## The network",
        "",
        f"{plain(network.card.title)}, frozen at step {ref.step:,} of its training: the film holds "
        f"its weights at {len(network.film.steps)} moments, from step {network.film.steps[0]} to "
        f"{network.film.steps[-1]:,}. It has {network.graph.parameter_count:,} parameters.",
    ]
    if ref.id not in shipped_networks():
        lines += [
            "",
            "It was trained with ConvScope and does not come with it: this notebook finds it on "
            "the machine that trained it. If runs are kept in a folder of your own there, set "
            "`CONVSCOPE_HOME` to it before you start the notebook.",
        ]
    if ref.lesion:
        units = "unit is" if len(ref.lesion) == 1 else "units are"
        lines += [
            "",
            f"{len(ref.lesion)} {units} switched off: {plain(lesion_text(ref.lesion))}. The "
            "weights that compute them are set to 0, so that they give 0 to all that read them.",
        ]
    return "\n".join(lines)


def _network_code(ref: NetworkRef) -> Code:
    return code(
        f"""
        from cnn_core import NetworkRef, load_model, open_network

        ref = {ref_code(ref)}
        card = open_network(ref.id).card  # what it was trained on, and how it reads an image
        model = load_model(ref)
        model.summary()
        """
    )


def the_digit(digit: Digit) -> list[Cell]:
    """The digit, embedded bit by bit, as the network reads it. Defines `digit` and `image`."""
    dataset = digit.dataset
    if dataset is not None:
        number = digit.source.partition("-")[2]
        name = dataset.class_names[digit.label or 0]
        words = f"{dataset.title} test {dataset.noun} {number}, of class {name}."
    else:
        made = {"drawn": "Drawn by hand", "uploaded": "From a picture", "made": "Made in ConvScope"}
        words = (
            f"{made[digit.source]}. Its 784 pixels stand in the text below, deflated and in base64."
        )
    return [
        Text(f"## The digit\n\n{words} The network reads it in its own shape and range of values."),
        code(
            f"""
            from cnn_core import digit_from_token

            digit = digit_from_token(
                {expression(digit.token)}
            )
            image = card.fit(digit.pixels)  # (28, 28) -> (height, width, channels)
            print(image.shape, image.dtype, "from", image.min(), "to", image.max())
            plt.figure(figsize=(2, 2))
            plt.imshow(digit.pixels, cmap="gray", vmin=0, vmax=1)
            plt.axis("off")
            plt.show()
            """
        ),
    ]


def numbers(values: Iterable[float]) -> str:
    """A Python list of numbers at six significant digits."""
    return f"[{', '.join(number(value) for value in np.ravel(np.asarray(values)))}]"


def number(value: float) -> str:
    """A number at six significant digits."""
    return f"{value:.6g}"


def plain(words: str) -> str:
    """A name that somebody chose, as it stands: nothing in it is Markdown or HTML."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~!&])", r"\\\1", " ".join(words.split()))
