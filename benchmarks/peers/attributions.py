"""Why this answer: ConvScope's attributions beside tf-keras-vis, and Captum on the same weights.

    python -m benchmarks.peers.attributions

All explain the logit of the same class on the same digit; Grad-CAM at the size of its layer.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.command import check_same, is_here, left_out, run, versions_of, within
from benchmarks.peers.figures import Comparison, Disagreement, Findings, compared
from benchmarks.peers.in_turn import Timed, in_turn, timed
from benchmarks.peers.keras_side import kernels_and_biases
from benchmarks.peers.torch_side.client import TorchSide, by_threads, quicker
from cnn_core.data.digit import mnist_digit
from cnn_core.insight.attribution import (
    NOISE,
    SAMPLES,
    Attributor,
    grad_cam,
    grad_cam_plus_plus,
    points_between,
)
from cnn_core.networks.keras_model import load_model
from cnn_core.networks.zoo import open_network

ROUNDS, CALLS = 5, 5
QUICK = ("gradient", "Grad-CAM", "Grad-CAM++")  # the only ones to be called several times a round
TARGET, LAYER = 3, "conv_3"
CAPTUM = "Captum on PyTorch"
ONLY_ALIKE = ("SmoothGrad", "Grad-CAM++")  # of other noise; of another scale
ALIKE = 0.9  # least cosine of two such maps

Method = Callable[[], NDArray]
"""Gives a map `(h, w)`."""


class Peer(NamedTuple):
    """A method of somebody else's: its map, and the seconds of so many calls."""

    map: Method
    time: Timed


def our_methods(attributor: Attributor, image: NDArray) -> dict[str, Method]:
    """The steps of `Attributor.explain`, one method at a time."""
    rng = np.random.default_rng(20)

    def smoothgrad() -> NDArray:
        noise = rng.normal(0, NOISE, (SAMPLES, *image.shape)).astype(np.float32)
        return attributor.gradients(image + noise, TARGET)[1].mean(axis=0)[..., 0]

    def integrated() -> NDArray:
        path = points_between(np.zeros_like(image), image, SAMPLES)
        return (image * attributor.gradients(path, TARGET)[1].mean(axis=0))[..., 0]

    return {
        "gradient": lambda: attributor.gradients(image[None], TARGET)[1][0, ..., 0],
        "SmoothGrad": smoothgrad,
        "Grad-CAM": lambda: grad_cam(*attributor.map_gradients(image, TARGET, LAYER)),
        "Grad-CAM++": lambda: grad_cam_plus_plus(*attributor.map_gradients(image, TARGET, LAYER)),
        "integrated gradients": integrated,
        "occlusion": lambda: attributor.explain(image, TARGET, None)["occlusion"].values,
    }


def tf_keras_vis_methods(model: keras.Model, image: NDArray) -> dict[str, Method]:
    """Those that it has of ours, set to give what ours give; without normalising."""
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
    from tf_keras_vis.utils.scores import CategoricalScore

    functional, score = keras.Model(model.inputs, model.outputs), CategoricalScore(TARGET)
    saliency = Saliency(functional, ReplaceToLinear(), clone=True)
    plain = Gradcam(functional, ReplaceToLinear(), clone=True)
    plus = GradcamPlusPlus(functional, ReplaceToLinear(), clone=True)

    def gradient(**options: object) -> NDArray:
        return np.asarray(saliency(score, image[None], normalize_map=False, **options))[0]

    def class_map(cam: Gradcam) -> NDArray:
        return np.asarray(
            cam(score, image[None], penultimate_layer=LAYER, expand_cam=False, normalize_cam=False)
        )[0]

    return {
        "gradient": lambda: gradient(keepdims=True, gradient_modifier=None)[..., 0],
        "SmoothGrad": lambda: gradient(
            keepdims=True, gradient_modifier=None, smooth_samples=SAMPLES, smooth_noise=NOISE
        )[..., 0],
        "Grad-CAM": lambda: class_map(plain),
        "Grad-CAM++": lambda: class_map(plus),
    }


def captum_methods(torch: TorchSide, threads: int) -> dict[str, Peer]:
    """Captum's, which does many images in one call where it offers that."""
    options = {"samples": SAMPLES, "noise": NOISE, "patch": 4, "stride": 2, "patches": 169}

    def method(name: str) -> Peer:
        arguments = (name, TARGET, LAYER, options)
        return Peer(
            lambda: torch.ask_with(threads, "attribution", *arguments),
            lambda times: torch.ask_with(threads, "time_attribution", times, *arguments),
        )

    names = ("gradient", "SmoothGrad", "Grad-CAM", "integrated gradients", "occlusion")
    return {name: method(name) for name in names}


def check_alike(name: str, one: NDArray, other: NDArray) -> float:
    """The cosine of two maps that need not be equal, at least `ALIKE`."""
    cosine = float((one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other))
    if not cosine >= ALIKE:
        raise Disagreement(f"{name}: expected a cosine of {ALIKE} or more, received {cosine:.3f}.")
    return cosine


def measured(
    attributor: Attributor, image: NDArray, peers: dict[str, dict[str, Peer]]
) -> tuple[Comparison, ...]:
    """Method by method, then all that each has, one after the other."""
    comparisons = []
    for name, method in our_methods(attributor, image).items():
        if name == "occlusion":
            continue  # ours comes with others only: it stands in the last comparison
        theirs = {peer: methods[name].time for peer, methods in peers.items() if name in methods}
        if not theirs:
            continue  # nobody who is here has it
        calls = CALLS if name in QUICK else 1
        medians = quicker(CAPTUM, in_turn({"`Attributor`": timed(method), **theirs}, ROUNDS, calls))
        comparisons.append(compared(f"{name} of one digit", medians, ROUNDS * calls))

    def all_of(methods: dict[str, Peer]) -> Timed:
        def time_all(times: int) -> list[float]:
            return [sum(method.time(1)[0] for method in methods.values()) for _ in range(times)]

        return time_all

    together = {
        "`Attributor.explain`, all six": timed(lambda: attributor.explain(image, TARGET, LAYER)),
        **{f"{peer}, {len(has)} of them": all_of(has) for peer, has in peers.items()},
    }
    medians = quicker(CAPTUM, in_turn(together, ROUNDS))
    return *comparisons, compared("attributions together", medians, ROUNDS)


def compare() -> Findings:
    network = open_network("classic")
    model = load_model(network.last)
    image = network.card.fit(mnist_digit(30).pixels)
    attributor = Attributor(model)
    ours = our_methods(attributor, image)
    peers: dict[str, dict[str, Peer]] = {}
    with ExitStack() as stack:
        if is_here("tf-keras-vis"):
            peers["tf-keras-vis"] = {
                name: Peer(method, timed(method))
                for name, method in tf_keras_vis_methods(model, image).items()
            }
        if is_here("PyTorch") and is_here("Captum"):
            torch = stack.enter_context(TorchSide())
            torch.ask("look_at", kernels_and_biases(model), image)
            for peer, threads in by_threads(CAPTUM).items():
                peers[peer] = captum_methods(torch, threads)
        same, alike = [0.0], [1.0]
        for peer, methods in peers.items():
            for name, method in methods.items():
                if name in ONLY_ALIKE:
                    alike.append(check_alike(f"{name}, {peer}", method.map(), ours[name]()))
                else:
                    same.append(check_same(f"{name}, {peer}", method.map(), ours[name]()))
        comparisons = measured(attributor, image, peers)
    return Findings(
        comparisons,
        f"Attributions: the same maps, {within(max(same))}; but SmoothGrad, whose noise is drawn "
        "anew, and Grad-CAM++, which tf-keras-vis scales in another way, by a cosine of "
        f"{min(alike):.2f} or more. Captum has no Grad-CAM++; tf-keras-vis has no integrated "
        "gradients and no occlusion.",
        left_out("tf-keras-vis", "PyTorch", "Captum"),
        versions_of("TensorFlow", "Keras", "tf-keras-vis", "PyTorch", "Captum"),
    )


if __name__ == "__main__":
    run(compare)
