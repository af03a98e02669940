"""Why this answer: how much each pixel counts for a class, by six published methods.

Each method is a few pure steps on what one compiled call gives. All of them explain the same
number, the class's logit: what its output unit holds before the softmax.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cnn_core.errors import NothingToExplain
from cnn_core.insight.results import Attribution, Deletion, Fooling
from cnn_core.networks.graph import Graph
from cnn_core.networks.keras_model import calls_of, graph_of
from cnn_core.probe.activations import run_call

Images = NDArray[np.float32]

SAMPLES = 50  # of SmoothGrad, and points of integrated gradients
NOISE = 0.15  # standard deviation of SmoothGrad's noise, as a share of the value range
RANDOM_ORDERS = 10
_SEED = 20


class Attributor:
    """Explains the answers of one network. Built once, it follows the model's weights.

    Parameters
    ----------
    model : a built Sequential or Functional image classifier.
    value_range : of its input; the lower end is what no ink looks like.
    """

    def __init__(self, model: keras.Model, value_range: tuple[float, float] = (0, 1)) -> None:
        self.graph: Graph = graph_of(model)
        self._calls = tuple(calls_of(model))
        self._low, self._high = value_range
        images = tf.TensorSpec((None, *self.graph.input.output_shape), tf.float32)
        target = tf.TensorSpec((), tf.int32)
        self._gradients = tf.function(
            self._logits_and_gradients, input_signature=[images, target], autograph=False
        )
        self._answers = tf.function(self._forward, input_signature=[images], autograph=False)
        self._map_gradients: dict[str, Any] = {}
        self._signature = [images, target]

    # What is compiled

    def _forward(self, images: tf.Tensor, watched: tuple[Any, str] | None = None) -> Any:
        """Outputs by layer, and the logits; with `watched`, a tape and the layer it watches."""
        symbols: dict[int, tf.Tensor] = {}
        outputs: dict[str, tf.Tensor] = {}
        logits = None
        for call in self._calls:
            value, before = (images, None) if call.node.is_input else run_call(call, symbols)
            if watched is not None and call.name == watched[1]:
                watched[0].watch(value)
            symbols[id(call.node.outputs[0])] = outputs[call.name] = value
            logits = value if before is None else before
        return logits, outputs[self.graph.output.name], outputs

    def _logits_and_gradients(self, images: tf.Tensor, target: tf.Tensor) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            logits, _, _ = self._forward(images)
            of_class = logits[:, target]
        return of_class, tape.gradient(of_class, images)

    def _maps_and_gradients(self, images: tf.Tensor, target: tf.Tensor, layer: str) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            logits, _, outputs = self._forward(images, (tape, layer))
            of_class = logits[:, target]
        return outputs[layer], tape.gradient(of_class, outputs[layer])

    # What is asked

    def gradients(self, images: Images, target: int) -> tuple[Images, Images]:
        """The class's logit `(n,)` on images `(n, H, W, C)`, and its gradients `(n, H, W, C)`."""
        logits, gradients = self._gradients(tf.constant(images), tf.constant(target))
        return logits.numpy(), gradients.numpy()

    def map_gradients(self, image: Images, target: int, layer: str) -> tuple[Images, Images]:
        """A layer's maps `(h, w, c)` on one image, and the logit's gradient for them."""
        if layer not in self._map_gradients:
            self._map_gradients[layer] = tf.function(
                lambda images, target: self._maps_and_gradients(images, target, layer),
                input_signature=self._signature,
                autograph=False,
            )
        maps, gradients = self._map_gradients[layer](tf.constant(image[None]), tf.constant(target))
        return maps.numpy()[0], gradients.numpy()[0]

    def logits(self, images: Images) -> Images:
        """`(n, classes)`, before the softmax."""
        return self._answers(tf.constant(images))[0].numpy()

    def probabilities(self, images: Images) -> Images:
        """`(n, classes)`, what the network answers on images `(n, H, W, C)`."""
        return self._answers(tf.constant(images))[1].numpy()

    def explain(self, image: Images, target: int, layer: str | None) -> dict[str, Attribution]:
        """All methods on one image.

        Parameters
        ----------
        image : `(H, W, C)` in the network's value range.
        target : the class whose logit is explained.
        layer : the convolution of Grad-CAM and Grad-CAM++; None leaves them out.

        Raises
        ------
        NothingToExplain : no such class, or an image without ink.
        """
        classes = self.graph.output.output_shape[-1]
        if not 0 <= target < classes:
            raise NothingToExplain(f"There are classes 0 to {classes - 1}. Received: {target}.")
        if not (image > self._low).any():
            raise NothingToExplain("The digit is all black: there is no ink to explain.")
        baseline = np.full_like(image, self._low)
        noisy = image + self._noise(image.shape)
        path = points_between(baseline, image, SAMPLES)
        # One call for all that asks for gradients of images.
        logits, gradients = self.gradients(
            np.concatenate([image[None], baseline[None], noisy, path]), target
        )
        of_noisy, of_path = gradients[2 : 2 + SAMPLES], gradients[2 + SAMPLES :]
        found = {
            "gradient": gradients[0],
            "smoothgrad": of_noisy.mean(axis=0),
            "integrated": (image - baseline) * of_path.mean(axis=0),
            "occlusion": self._occlusion(image, target, float(logits[0])),
        }
        if layer is not None:
            maps, map_gradients = self.map_gradients(image, target, layer)
            size = image.shape[:2]
            found["gradcam"] = enlarged(grad_cam(maps, map_gradients), size)
            found["gradcam++"] = enlarged(grad_cam_plus_plus(maps, map_gradients), size)
        return {
            method: Attribution(method, values.sum(axis=-1), float(logits[0]), float(logits[1]))
            for method, values in found.items()
        }

    def _noise(self, shape: tuple[int, ...]) -> Images:
        rng = np.random.default_rng(_SEED)
        spread = NOISE * (self._high - self._low)
        return rng.normal(0, spread, (SAMPLES, *shape)).astype(np.float32)

    def _occlusion(self, image: Images, target: int, logit: float) -> Images:
        """`(H, W, 1)`: how much the logit falls when a patch around the pixel is blackened."""
        patches = patches_of(image.shape[:2])
        covered = np.repeat(image[None], len(patches), axis=0)
        for one, (rows, columns) in zip(covered, patches, strict=True):
            one[rows, columns] = self._low
        falls = logit - self.logits(covered)[:, target]
        total, count = np.zeros((2, *image.shape[:2]), np.float32)
        for fall, (rows, columns) in zip(falls, patches, strict=True):
            total[rows, columns] += fall
            count[rows, columns] += 1
        return (total / count)[..., None]

    def delete(self, image: Images, values: NDArray, target: int, points: int = 25) -> Deletion:
        """Blacken the inked pixels, those with the greatest `values` first, until none is left.

        Petsiuk, Das and Saenko, "RISE", arXiv 1806.07421 (the deletion game); here of inked pixels
        only, beside random orders of the same, since blackening a black one changes nothing.
        """
        ink = np.flatnonzero((image > self._low).any(axis=-1).reshape(-1))
        removed = np.unique(np.linspace(0, len(ink), points).round().astype(int))
        rng = np.random.default_rng(_SEED)
        orders = [ink[np.argsort(-values.reshape(-1)[ink], kind="stable")]]
        orders += [rng.permutation(ink) for _ in range(RANDOM_ORDERS)]
        images = np.repeat(image[None], len(orders) * len(removed), axis=0)
        flat = images.reshape(len(orders), len(removed), -1, image.shape[-1])
        for k, order in enumerate(orders):
            for at, gone in enumerate(removed):
                flat[k, at, order[:gone]] = self._low
        shares = self.probabilities(images)[:, target].reshape(len(orders), len(removed))
        return Deletion(removed, shares[0], shares[1:])

    def fool(self, image: Images, steps: Images) -> Fooling:
        """Walk along the sign of the gradient of the loss, away from the network's own answer.

        The fast gradient sign method: Goodfellow, Shlens and Szegedy, arXiv 1412.6572. The loss is
        the answer's cross entropy, −log p = log(1 + e^L) with L the log-sum-exp of the other
        logits less the answer's. It rises with L, so L's gradient has the same signs, and keeps
        them where p is 1 to the last bit and nothing is left of its own gradient.

        Parameters
        ----------
        steps : `(n,)` rising, as shares of the value range.
        """
        answer = int(self.probabilities(image[None])[0].argmax())
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            x = tf.constant(image[None])
            tape.watch(x)
            logits = self._answers(x)[0][0]
            others = tf.tensor_scatter_nd_update(logits, [[answer]], [-np.inf])
            loss = tf.reduce_logsumexp(others) - logits[answer]
        direction = np.sign(tape.gradient(loss, x).numpy()[0])
        spread = self._high - self._low
        images = np.clip(
            image + steps[:, None, None, None] * spread * direction, self._low, self._high
        )
        probabilities = self.probabilities(images)
        fooled = np.flatnonzero(probabilities.argmax(axis=1) != answer)
        return Fooling(direction, steps, probabilities, int(fooled[0]) if len(fooled) else None)


# The steps that the methods are made of


def points_between(start: Images, end: Images, count: int) -> Images:
    """The middles of `count` equal pieces of the way, `(count, H, W, C)`.

    Where integrated gradients looks: Sundararajan, Taly and Yan, arXiv 1703.01365, by the
    midpoint rule.
    """
    share = (np.arange(count, dtype=np.float32) + 0.5) / count
    return (start + share[:, None, None, None] * (end - start)).astype(np.float32)


def grad_cam(maps: Images, gradients: Images) -> Images:
    """ReLU of the maps' sum, each weighted by its gradient's mean, `(h, w)`.

    Selvaraju and others, arXiv 1610.02391, equations 1 and 2.
    """
    weights = gradients.mean(axis=(0, 1))
    return np.maximum(maps @ weights, 0)


def grad_cam_plus_plus(maps: Images, gradients: Images) -> Images:
    """ReLU of the maps' sum, each weighted by its positive gradients, `(h, w)`.

    Chattopadhay and others, arXiv 1710.11063, equations 19 and 5. The score is the logit's
    exponential, as there; its value, the same factor for every map, is left out.
    """
    squared = gradients**2
    below = 2 * squared + maps.sum(axis=(0, 1)) * squared * gradients
    shares = np.divide(squared, below, out=np.zeros_like(below), where=below != 0)
    weights = (shares * np.maximum(gradients, 0)).sum(axis=(0, 1))
    return np.maximum(maps @ weights, 0)


def enlarged(cam: Images, size: tuple[int, int]) -> Images:
    """A class map at the image's size, `(H, W, 1)`, bilinear, as its authors show it."""
    return tf.image.resize(cam[..., None], size, "bilinear").numpy()


def patches_of(size: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Patches of a seventh of the image's side, every half patch: 4×4, stride 2 on 28×28.

    Zeiler and Fergus, arXiv 1311.2901, section 4.2.
    """
    sides = [max(2, round(side / 7)) for side in size]
    starts = []
    for side, patch in zip(size, sides, strict=True):
        places = list(range(0, side - patch + 1, patch // 2))
        if places[-1] != side - patch:
            places.append(side - patch)
        starts.append(places)
    return [
        (slice(row, row + sides[0]), slice(column, column + sides[1]))
        for row in starts[0]
        for column in starts[1]
    ]
