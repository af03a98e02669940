"""The notebook of Explain: why this answer, by every method, and two tests of one of them."""

from collections.abc import Mapping

import numpy as np

from cnn_core.data.digit import Digit
from cnn_core.insight.results import Attribution, Deletion
from cnn_core.networks.graph import Graph
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.source import expression, ref_code
from cnn_core.networks.zoo import open_network
from cnn_core.notebooks.cells import Cell, Text
from cnn_core.notebooks.opening import code, number, numbers, opening, plain, the_digit

_WORDS = {
    "gradient": "how much the logit rises if a pixel grows a very little",
    "smoothgrad": "the gradient, on average over 50 copies of the digit with noise on them",
    "integrated": "the gradient, summed up on the way from black to the digit, times each pixel",
    "gradcam": "the maps of a convolution, weighted by what the logit gains from each",
    "gradcam++": "the same maps, weighted by their positive gradients",
    "occlusion": "how much the logit falls when a patch around the pixel is blackened",
}


def explain_cells(
    ref: NetworkRef,
    digit: Digit,
    found: Mapping[str, Attribution],
    target: int,
    layer: str | None,
    method: str | None = None,
    deletion: Deletion | None = None,
) -> list[Cell]:
    """What Explain shows: each method's picture of why a class, and one of them put to the test.

    Parameters
    ----------
    found : the attributions of class `target`, by method.
    layer : the convolution of Grad-CAM; None for none.
    method, deletion : the method looked at more closely, and how it stood the deletion test.
    """
    network = open_network(ref.id)
    name = plain(network.card.class_names[target])
    first = next(iter(found.values()))
    attributed = expression(layer) if layer is not None else "None"
    greatest = "\n".join(
        f"    {expression(one)}: {number(float(np.abs(its.values).max()))},"
        for one, its in found.items()
    )
    described = "\n".join(f"- `{one}`: {_WORDS[one]}" for one in found)
    return [
        *opening(
            f"Why {name}?",
            f"How much each pixel of a digit counts for the class {name}, by published methods. "
            "All of them explain the same number, the class’s logit: what its output unit holds "
            "before the softmax.",
            ref,
        ),
        *the_digit(digit),
        Text(f"## The class {name}, explained\n\n{described}"),
        code(
            f"""
            from cnn_core import Attributor

            target, layer = {target}, {attributed}  # the class, and the convolution of Grad-CAM
            attributor = Attributor(model, card.value_range)
            found = attributor.explain(image, target, layer)
            print("logit", found["gradient"].logit, "on black", found["gradient"].baseline_logit)
            compare("logits", [found["gradient"].logit, found["gradient"].baseline_logit],
                    [{number(first.logit)}, {number(first.baseline_logit)}])
            """
        ),
        code(
            """
            figure, axes = plt.subplots(1, len(found), figsize=(12, 2.4))
            for ax, (method, attribution) in zip(axes, found.items()):
                limit = np.abs(attribution.values).max()
                ax.imshow(attribution.values, cmap="PuOr_r", vmin=-limit, vmax=limit)
                ax.set_title(f"{method}\\nup to {limit:.3g}", fontsize=8)
                ax.axis("off")
            plt.show()
            """
        ),
        code(
            f"shown = {{\n{greatest}\n}}\n"
            "for method, limit in shown.items():\n"
            "    compare(method, np.abs(found[method].values).max(), limit, tolerance=1e-3)"
        ),
        *_gradient_by_hand(network.graph),
        *(_complete(found["integrated"]) if "integrated" in found else []),
        *(_tested(ref, method, deletion) if method in found and deletion is not None else []),
    ]


def _gradient_by_hand(graph: Graph) -> list[Cell]:
    """The gradient by TensorFlow’s own tape, where the answer is a softmax over a dense layer."""
    output = graph.output
    if (output.kind, output.config.get("activation")) != ("Dense", "softmax"):
        return []
    return [
        Text(
            "## The gradient, without ConvScope\n\nThe logit is a weighted sum of what the last "
            "layer reads. TensorFlow follows it back to the pixels."
        ),
        code(
            """
            import tensorflow as tf

            last = model.get_layer(model.layers[-1].name)
            features = keras.Model(model.inputs[0], last.input)
            pixels = tf.constant(image[None])
            with tf.GradientTape() as tape:
                tape.watch(pixels)
                logits = features(pixels) @ last.kernel
                logits = logits + last.bias if last.use_bias else logits
                logit = logits[0, target]
            gradient = tape.gradient(logit, pixels)[0].numpy().sum(axis=-1)
            compare("the gradient, pixel by pixel", gradient, found["gradient"].values, 1e-4)
            """
        ),
    ]


def _complete(integrated: Attribution) -> list[Cell]:
    total, due = float(integrated.values.sum()), integrated.logit - integrated.baseline_logit
    return [
        Text(
            "## Integrated gradients add up\n\nTheir sum is what the digit’s logit has over that "
            f"of a black image: {total:.4f} against {due:.4f}. The little that "
            "is missing comes from looking at 50 points of the way."
        ),
        code(
            f"""
            one = found["integrated"]
            print("sum of the pixels", one.values.sum(), "of", one.logit - one.baseline_logit)
            compare("sum of the pixels", one.values.sum(), {number(total)}, tolerance=1e-3)
            """
        ),
    ]


def _tested(ref: NetworkRef, method: str | None, deletion: Deletion) -> list[Cell]:
    start = NetworkRef(ref.id, open_network(ref.id).film.steps[0])
    return [
        Text(
            f"## Is `{method}` right?\n\nThe inked pixels are blackened, those it marks most "
            "first. If it marks what matters, the class’s probability falls faster than in random "
            "order: the mean height of its curve is lower."
        ),
        code(
            f"""
            deletion = attributor.delete(image, found[{expression(method)}].values, target)
            plt.plot(deletion.removed, deletion.probability, label="the most marked first")
            plt.plot(deletion.removed, deletion.at_random.mean(axis=0), label="in random order")
            plt.legend()
            plt.show()
            compare("mean heights", [deletion.area, deletion.random_area],
                    {numbers([deletion.area, deletion.random_area])}, tolerance=1e-3)
            """
        ),
        Text(
            "The same method on the network before any training. The more alike the two pictures, "
            "the less they are about what was learned (Adebayo and others, arXiv 1810.03292)."
        ),
        code(
            f"""
            from scipy.stats import spearmanr

            untrained = Attributor(load_model({ref_code(start)}), card.value_range)
            other = untrained.explain(image, target, layer)[{expression(method)}].values
            ranks = spearmanr(found[{expression(method)}].values.ravel(), other.ravel())
            print("rank correlation with the untrained network", round(float(ranks.statistic), 4))
            """
        ),
    ]
