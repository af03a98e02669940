"""What a filter answers to, and what the network is without it."""

from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cnn_core.insight.results import LayerExciters, Ranking, Synthesis
from cnn_core.networks.keras_model import LayerCall, calls_of, graph_of
from cnn_core.networks.lesion import silenced_with
from cnn_core.probe.activations import run_call

Images = NDArray[np.float32]
Progress = Callable[[float], None]

TOP = 9  # digits that are kept for each filter
_BATCH = 500
_STARTS = 8  # images from which a synthesis climbs at once
_STEPS = 240
_SEED = 11


def exciters(
    model: keras.Model, layer: str, batches: Iterable[Images], labels: NDArray, progress: Progress
) -> LayerExciters:
    """The digits on which each of a layer's maps has its greatest pre-activations.

    Parameters
    ----------
    layer : with maps, `(h, w, c)`.
    batches : `(n, H, W, C)` each, in the order of `labels`.
    labels : `(digits,)`.
    """
    calls = tuple(calls_of(model))
    shape = graph_of(model)[layer].output_shape

    def reduced(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        output, before = _up_to(calls, layer, images)
        count = tf.shape(images)[0]
        cells = tf.reshape(before, (count, shape[0] * shape[1], shape[2]))
        return (
            tf.reduce_max(cells, axis=1),
            tf.argmax(cells, axis=1),
            tf.reduce_max(output, axis=(1, 2)),
        )

    compiled = tf.function(reduced, input_signature=[_images_of(model)], autograph=False)
    greatest, places, outputs = [], [], []
    done = 0
    for images in batches:
        values, cells, output = compiled(tf.constant(images))
        greatest.append(values.numpy())
        places.append(cells.numpy())
        outputs.append(output.numpy())
        done += len(images)
        progress(done / len(labels))
    values = np.concatenate(greatest).T  # (filters, digits)
    order = np.argsort(-values, axis=1, kind="stable")[:, :TOP]
    cells = np.take_along_axis(np.concatenate(places).T, order, axis=1)
    output = np.concatenate(outputs)
    classes = graph_of(model).output.output_shape[-1]
    by_class = np.array([output[labels == k].mean(axis=0) for k in range(classes)]).T
    return LayerExciters(
        np.take_along_axis(values, order, axis=1),
        order,
        np.stack(np.divmod(cells, shape[1]), axis=-1),
        by_class.astype(np.float32),
        (output > 0).mean(axis=0).astype(np.float32),
    )


def synthesise(
    model: keras.Model,
    layer: str,
    channel: int,
    value_range: tuple[float, float],
    progress: Progress,
) -> Synthesis:
    """An image that excites a filter's middle cell as much as can be found.

    Activation maximisation: Erhan, Bengio, Courville and Vincent, "Visualizing higher-layer
    features of a deep network", 2009. Eight images climb the pre-activation's gradient, normalised
    to one step size; after each step they are clipped to the value range. Two regularisers, total
    variation (Mahendran and Vedaldi, arXiv 1412.0035) and decay towards no ink, shape the image for
    three quarters of the way and are then let go.
    """
    calls = tuple(calls_of(model))
    shape = graph_of(model)[layer].output_shape
    low, high = value_range

    def climbed(
        images: tf.Tensor, size: tf.Tensor, regular: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            _, before = _up_to(calls, layer, images)
            values = before[:, shape[0] // 2, shape[1] // 2, channel]
        with tf.GradientTape(watch_accessed_variables=False) as other:
            other.watch(images)
            roughness = tf.reduce_sum(tf.image.total_variation(images))
        up = tape.gradient(values, images)
        mean_square = tf.reduce_mean(tf.square(up), axis=(1, 2, 3), keepdims=True)
        up = up / (tf.sqrt(mean_square) + 1e-12)
        up -= regular * (0.05 * other.gradient(roughness, images) + 0.1 * (images - low))
        return values, tf.clip_by_value(images + size * up, low, high)

    images = _images_of(model)
    scalar = tf.TensorSpec((), tf.float32)
    step = tf.function(climbed, input_signature=[images, scalar, scalar], autograph=False)
    rng = np.random.default_rng(_SEED)
    at = tf.constant(
        rng.uniform(low, low + 0.5 * (high - low), (_STARTS, *images.shape[1:])), tf.float32
    )
    best, best_image, path = -np.inf, at[0].numpy(), []
    for k in range(_STEPS + 1):
        share = k / _STEPS
        regular = tf.constant(1.0 if share < 0.75 else 0.0)
        size = tf.constant((high - low) * (0.1 * (1 - share) + 0.005), tf.float32)
        values, following = step(at, size, regular)
        of_all = values.numpy()
        if of_all.max() > best:
            best, best_image = float(of_all.max()), at[int(of_all.argmax())].numpy()
        path.append(best)
        at = following
        if k % 10 == 0:
            progress(share)
    return Synthesis(best_image, best, np.array(path, np.float32))


def rank_units(
    model: keras.Model, layer: str, batches: Iterable[Images], labels: NDArray, progress: Progress
) -> Ranking:
    """What each unit of a layer is worth, by switching it off and counting.

    What comes before the layer is computed once, what follows it once for each unit.
    """
    without = Without(model, layer)
    units = graph_of(model)[layer].output_shape[-1]
    lost, gained = np.zeros((2, units), int)
    right_with_all = done = 0
    for images in batches:
        true = labels[done : done + len(images)]
        kept = without.before(images)
        whole = without.answers(kept, None) == true
        for unit in range(units):
            right = without.answers(kept, unit) == true
            lost[unit] += int(np.sum(whole & ~right))
            gained[unit] += int(np.sum(right & ~whole))
            progress((done + len(images) * (unit + 1) / units) / len(labels))
        right_with_all += int(whole.sum())
        done += len(images)
    return Ranking(done, right_with_all / done, lost, gained)


class Without:
    """A network that answers without a unit of one layer, again and again on the same images."""

    def __init__(self, model: keras.Model, layer: str) -> None:
        graph = graph_of(model)
        self._calls = tuple(calls_of(model))
        self._units = graph[layer].output_shape[-1]
        self._masked = {
            call.name
            for call in self._calls
            if call.name.partition(":")[0] in silenced_with(graph, layer)
        }
        uses = {call.name for call in self._calls if call.name.partition(":")[0] == layer}
        self._after: set[str] = set()
        for spec in graph:
            if any(name in uses or name in self._after for name in spec.inputs):
                self._after.add(spec.name)
        self._handed_on = [
            call.name
            for call in self._calls
            if call.name not in self._after
            and any(call.name in graph[name].inputs for name in self._after)
        ]
        self.before_compiled = tf.function(
            self._before, input_signature=[_images_of(model)], autograph=False
        )
        self._answers_compiled = tf.function(self._answers, autograph=False)

    def before(self, images: Images) -> Any:
        """What the layer and everything beside it gives: computed once, kept for `answers`."""
        return self.before_compiled(tf.constant(images))

    def answers(self, kept: Any, unit: int | None) -> NDArray[np.intp]:
        """The classes `(n,)` without a unit; None leaves all on."""
        mask = np.ones(self._units, np.float32)
        if unit is not None:
            mask[unit] = 0
        return self._answers_compiled(kept, tf.constant(mask)).numpy()

    def _before(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        symbols: dict[int, tf.Tensor] = {}
        found: dict[str, tf.Tensor] = {}
        for call in self._calls:
            if call.name not in self._after:
                found[call.name] = images if call.node.is_input else run_call(call, symbols)[0]
                symbols[id(call.node.outputs[0])] = found[call.name]
        return {name: found[name] for name in self._handed_on}

    def _answers(self, kept: dict[str, tf.Tensor], mask: tf.Tensor) -> tf.Tensor:
        symbols: dict[int, tf.Tensor] = {}
        value: Any = None
        for call in self._calls:
            if call.name in self._after:
                value = run_call(call, symbols)[0]
            elif call.name in kept:
                value = kept[call.name]
            else:
                continue
            if call.name in self._masked:
                value = value * mask
            symbols[id(call.node.outputs[0])] = value
        return tf.argmax(value, axis=-1)


def _up_to(
    calls: tuple[LayerCall, ...], layer: str, images: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """A layer's output, and what its activation was given (the output if it applies none)."""
    symbols: dict[int, tf.Tensor] = {}
    for call in calls:
        value, before = (images, None) if call.node.is_input else run_call(call, symbols)
        symbols[id(call.node.outputs[0])] = value
        if call.name == layer:
            return value, value if before is None else before
    raise AssertionError(f"{layer} is one of the network's layers")


def _images_of(model: keras.Model) -> tf.TensorSpec:
    return tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
