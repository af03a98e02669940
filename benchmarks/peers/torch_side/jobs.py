"""What PyTorch is asked to do, and how long it takes: runs in a process of its own."""

import pickle
import sys
import time
import warnings

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.peers.in_turn import seconds_of
from benchmarks.peers.torch_side.client import KerasWeights
from benchmarks.peers.torch_side.twin import OUTPUTS, as_keras_has_it, as_torch, twin_of


class Jobs:
    """The network and the digits that the jobs are about, and the jobs."""

    def threads(self, count: int) -> None:
        """From now on it computes with so many threads."""
        torch.set_num_threads(count)

    def look_at(self, weights: KerasWeights, image: NDArray) -> None:
        """From now on it is about this network and this image, `(H, W, C)`."""
        self._twin, self._pixels = twin_of(weights).eval(), as_torch(image[None])

    def hook(self) -> None:
        """From now on every layer's output is kept: the usual way to get at them."""
        self._seen: dict[str, torch.Tensor] = {}
        for name, module in OUTPUTS.items():
            self._twin.get_submodule(module).register_forward_hook(
                lambda _module, _inputs, output, name=name: self._seen.__setitem__(name, output)
            )

    def _activations(self) -> dict[str, NDArray]:
        self._seen.clear()
        with torch.inference_mode():
            self._seen["output"] = torch.softmax(self._twin(self._pixels), dim=1)
        return {name: output.numpy()[0] for name, output in self._seen.items()}

    def activations(self) -> dict[str, NDArray]:
        """By layer, as Keras has them."""
        return {name: as_keras_has_it(name, out) for name, out in self._activations().items()}

    def time_activations(self, times: int) -> list[float]:
        return seconds_of(self._activations, times)

    def attribution(self, method: str, target: int, layer: str, options: dict) -> NDArray:
        """`(h, w)`, by Captum.

        Parameters
        ----------
        options : `samples`, `noise` and, of occlusion, `patch`, `stride` and `patches`.
        """
        import captum.attr as captum

        twin, pixels = self._twin, self._pixels
        samples, noise = options["samples"], options["noise"]
        if method == "gradient":
            found = captum.Saliency(twin).attribute(pixels, target=target, abs=False)
        elif method == "SmoothGrad":
            found = captum.NoiseTunnel(captum.Saliency(twin)).attribute(
                pixels, target=target, nt_samples=samples, stdevs=noise, abs=False
            )
        elif method == "Grad-CAM":
            module = twin.get_submodule(OUTPUTS[layer])
            found = captum.LayerGradCam(twin, module).attribute(
                pixels, target=target, relu_attributions=True
            )
        elif method == "integrated gradients":
            found = captum.IntegratedGradients(twin).attribute(
                pixels, target=target, n_steps=samples, method="riemann_middle"
            )
        elif method == "occlusion":
            patch, stride = options["patch"], options["stride"]
            found = captum.Occlusion(twin).attribute(
                pixels, target=target, sliding_window_shapes=(1, patch, patch),
                strides=(1, stride, stride), perturbations_per_eval=options["patches"],
            )  # fmt: skip
        else:
            raise ValueError(f"Expected a method of Captum's that is compared, received {method}.")
        return found.detach().numpy()[0, 0]

    def time_attribution(self, times: int, *arguments: object) -> list[float]:
        return seconds_of(lambda: self.attribution(*arguments), times)  # type: ignore[arg-type]

    def train_on(self, images: NDArray, labels: NDArray, batch_size: int) -> None:
        """From now on epochs are about these, `(n, H, W, C)` and `(n,)`, in this order."""
        self._images, self._labels = as_torch(images), torch.from_numpy(labels.astype(np.int64))
        self._batch_size = batch_size

    def epoch(
        self, weights: KerasWeights, rate: float, epsilon: float, skipped: int, steps: int
    ) -> tuple[float, list[float]]:
        """The plain loop; batches are cut from one tensor, which is quicker than any loader.

        Returns
        -------
        Seconds from the end of the step after `skipped` others to the end of all `steps`, and each
        step's loss.
        """
        model, size = twin_of(weights).train(), self._batch_size
        optimizer = torch.optim.Adam(model.parameters(), lr=rate, eps=epsilon)
        loss_of = torch.nn.CrossEntropyLoss()
        losses, right, began = [], 0, 0.0
        for step in range(steps):
            rows = slice(step * size, (step + 1) * size)
            images, labels = self._images[rows], self._labels[rows]
            optimizer.zero_grad()
            logits = model(images)
            loss = loss_of(logits, labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            right += int((logits.argmax(1) == labels).sum())
            if step == skipped:
                began = time.perf_counter()
        return time.perf_counter() - began, losses


def main() -> None:
    answers, sys.stdout = sys.stdout.buffer, sys.stderr  # whatever else is printed is no answer
    warnings.filterwarnings("ignore", "Input Tensor 0 did not already require gradients")
    jobs = Jobs()
    while True:
        try:
            job, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(getattr(jobs, job)(*arguments), answers)
        answers.flush()


if __name__ == "__main__":
    main()
