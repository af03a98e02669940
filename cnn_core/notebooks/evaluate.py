"""The notebook of Evaluate: scores, confusion, mistakes and calibration on the test images."""

import numpy as np

from cnn_core.insight.scores import Evaluation, best_temperature, reliability, wilson
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.notebooks.cells import Cell, Text
from cnn_core.notebooks.opening import code, number, numbers, opening, plain

_MISTAKES = 10


def evaluate_cells(ref: NetworkRef, found: Evaluation) -> list[Cell]:
    """What Evaluate shows of a network at a moment.

    Parameters
    ----------
    found : its evaluation on the test images of its data set.
    """
    return [
        *opening(
            "How good the network is",
            "The network answers every test image; its scores are counted from its answers.",
            ref,
        ),
        *the_test_images(ref),
        *_scores(ref, found),
        *_confusion(found),
        *_mistakes(ref, found),
        *_calibration(found),
    ]


def the_test_images(ref: NetworkRef) -> list[Cell]:
    """The test images of the network's data set. Defines `images` and `labels`."""
    dataset = open_network(ref.id).tested_on
    load = dataset.load.__name__
    return [
        Text(
            f"## The {dataset.tests}\n\n{plain(dataset.title)} keeps 10,000 images apart, which "
            "no training sees. They come from this machine."
        ),
        code(
            f"""
            from cnn_core import {load}

            images = card.fit_all({load}().x_test)  # as the network reads them
            labels = {load}().y_test.astype(int)
            print(images.shape, labels.shape)
            """
        ),
    ]


def _scores(ref: NetworkRef, found: Evaluation) -> list[Cell]:
    count, right = len(found.labels), int(found.right.sum())
    low, high = wilson(right, count)
    return [
        Text(
            f"## Accuracy and loss\n\n{found.accuracy:.2%} right, {count - right:,} of {count:,} "
            f"wrong. The 95% interval, {low:.2%} to {high:.2%}, is Wilson’s: where the true share "
            "lies if these images are a sample. The loss is the mean cross entropy: −ln of what "
            "the true class got."
        ),
        code(
            """
            from cnn_core.insight.scores import wilson

            probabilities = model.predict(images, batch_size=500, verbose=0)
            answers = probabilities.argmax(axis=1)
            right = answers == labels
            of_true = probabilities[np.arange(len(labels)), labels].astype(float)
            loss = -np.log(np.maximum(of_true, 1e-12)).mean()
            print(f"{right.mean():.2%} right, {np.sum(~right)} wrong, loss {loss:.4f}")
            print("95% interval", [f"{end:.2%}" for end in wilson(int(right.sum()), len(labels))])
            """
        ),
        Text(
            "On another processor an image on the edge may fall to the other side; hence a little "
            "tolerance."
        ),
        code(
            f"""
            compare("accuracy", right.mean(), {number(found.accuracy)}, tolerance=3e-4)
            compare("loss", loss, {number(found.loss)}, tolerance=1e-3)
            """
        ),
    ]


def _confusion(found: Evaluation) -> list[Cell]:
    rows = ",\n    ".join(str(row) for row in found.confusion.tolist())
    return [
        Text(
            "## Who is taken for whom\n\nA row is a true class, a column an answer. What stands "
            "off the diagonal is a mistake. Precision: of those called so, how many are. Recall: "
            "of those that are, how many are called so. F1: the harmonic mean of the two."
        ),
        code(
            """
            confusion = np.zeros((probabilities.shape[1],) * 2, int)
            np.add.at(confusion, (labels, answers), 1)
            print(confusion)
            hits, called, are = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
            precision, recall = hits / np.maximum(called, 1), hits / np.maximum(are, 1)
            f1 = 2 * hits / np.maximum(called + are, 1)
            for k, name in enumerate(card.class_names):
                print(f"{name:12} precision {precision[k]:.4f}, recall {recall[k]:.4f}, "
                      f"F1 {f1[k]:.4f}")
            """
        ),
        code(
            f"shown = np.array([\n    {rows},\n])\n"
            "moved = np.abs(confusion - shown).sum()\n"
            'assert moved <= 6, "These are not the answers that ConvScope counted."\n'
            'print("Images that fall elsewhere here:", moved // 2)'
        ),
        code(
            f"""
            compare("precision", precision, {numbers(found.precision)}, tolerance=3e-3)
            compare("recall", recall, {numbers(found.recall)}, tolerance=3e-3)
            compare("F1", f1, {numbers(found.f1)}, tolerance=3e-3)
            """
        ),
    ]


def _mistakes(ref: NetworkRef, found: Evaluation) -> list[Cell]:
    wrong = np.flatnonzero(~found.right)
    worst = wrong[np.argsort(-found.confidence[wrong], kind="stable")][:_MISTAKES]
    if not len(worst):
        return []
    return [
        Text(
            "## The most confident mistakes\n\nWhere the network was surest, and wrong. Above each "
            "image its number, what it is, and what the network says."
        ),
        code(
            f"""
            confidence = probabilities.max(axis=1)
            wrong = np.flatnonzero(~right)
            worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:{len(worst)}]
            figure, axes = plt.subplots(1, {len(worst)}, figsize=(12, 2), squeeze=False)
            for number, ax in zip(worst, axes.flat):
                true, answer = card.class_names[labels[number]], card.class_names[answers[number]]
                ax.imshow(images[number, ..., 0], cmap="gray")
                ax.set_title(f"{{number}}\\n{{true}} → {{answer}}", fontsize=8)
                ax.axis("off")
            plt.show()
            shown = {worst.tolist()}
            print("the same images:", len(set(shown) & set(worst.tolist())), "of", len(shown))
            compare("how sure it was of them", confidence[worst],
                    {numbers(found.confidence[worst])}, tolerance=1e-4)
            """
        ),
    ]


def _calibration(found: Evaluation) -> list[Cell]:
    best = best_temperature(found.probabilities[::2], found.labels[::2])
    error = reliability(found.probabilities[1::2], found.labels[1::2]).error
    return [
        Text(
            "## Is it as often right as it is sure?\n\nThe answers are put into 15 bins by their "
            "confidence; in each, mean confidence and share right are compared. All logits may be "
            "divided by a temperature: it is fitted on every second image, the error is that of "
            "the others. (Guo and others, arXiv 1706.04599)"
        ),
        code(
            f"""
            from cnn_core.insight.scores import best_temperature, reliability

            error = reliability(probabilities[1::2], labels[1::2]).error
            temperature = best_temperature(probabilities[::2], labels[::2])
            print(f"expected calibration error {{error:.2%}}, best temperature {{temperature:.2f}}")
            compare("calibration error", error, {number(error)}, tolerance=2e-2)
            compare("best temperature", temperature, {number(best)}, tolerance=2e-2)
            """
        ),
    ]
