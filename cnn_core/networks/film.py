"""A network's film: its weights at chosen training steps, one file a frame."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from cnn_core.errors import DataError, UnknownStep
from cnn_core.whole import is_whole

Weights = dict[str, dict[str, NDArray[np.float32]]]
"""Weights by layer, then by name: ``weights["conv_1"]["kernel"]``."""


UNREADABLE = (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError)
"""What reading a damaged safetensors file may raise: NumPy does not know all its types."""

_HEADER = 2_000_000  # bytes of a safetensors file that are no numbers


def step_from_text(text: str) -> int:
    """A training step from outside. Raises `UnknownStep`."""
    if not is_whole(text):
        raise UnknownStep(f"A training step is a whole number. Received: {text[:20]!r}.")
    return int(text)


class Film:
    """The frames in a folder, ``<step>.safetensors`` each, with names ``layer/weight``.

    Frames may be stored in float16 to save room; they are read as float32.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The steps there are frames for, rising."""
        stems = (file.stem for file in self.folder.glob("*.safetensors"))
        return tuple(sorted({int(stem) for stem in stems if is_whole(stem)}))

    def file(self, step: int) -> Path:
        """Where the frame of `step` is, or would be."""
        return self.folder / f"{step}.safetensors"

    def check(self, step: int) -> None:
        """Raise `UnknownStep` unless there is a frame at `step`."""
        if step not in self.steps:
            raise UnknownStep(
                f"There is no frame at step {step}. Recorded steps: "
                f"{', '.join(map(str, self.steps))}."
            )

    def at(self, step: int, most: int | None = None) -> Weights:
        """The weights at `step`, read from disk.

        Parameters
        ----------
        most : bytes that its numbers may take; None for any.

        Raises
        ------
        UnknownStep : there is no such frame.
        DataError : the frame is damaged.
        """
        self.check(step)
        file = self.file(step)
        try:
            if most is not None and file.stat().st_size > most + _HEADER:
                raise DataError(f"The film frame {file.name} is larger than its network.")
            arrays = load_file(file)
        except UNREADABLE as error:
            raise DataError(f"The film frame {file.name} is damaged: {error}.") from error
        weights: Weights = {}
        for name, array in arrays.items():
            layer, _, weight = name.rpartition("/")
            as_float32 = array.astype(np.float32)
            as_float32.setflags(write=False)
            weights.setdefault(layer, {})[weight] = as_float32
        return weights

    def write(
        self, step: int, weights: Mapping[str, Mapping[str, NDArray]], dtype: str = "float32"
    ) -> None:
        """Add the frame of `step`, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays = {
            f"{layer}/{name}": np.ascontiguousarray(array, dtype)
            for layer, named in weights.items()
            for name, array in named.items()
        }
        file = self.file(step)
        unfinished = file.with_suffix(".unfinished")
        save_file(arrays, unfinished)
        os.replace(unfinished, file)
        self.__dict__.pop("steps", None)
