"""A digit at the size that a network reads."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def fitted(images: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Images `(n, H, W)` in [0, 1] → `(n, height, width)`, at their proportions.

    Each is enlarged or shrunk with a triangle filter (Pillow's bilinear, which averages where it
    shrinks) until it just fits, then centred on empty paper, which is 0. One of the right size
    stays as it is, bit by bit.
    """
    count, rows, columns = images.shape
    if (rows, columns) == (height, width):
        return images
    scale = min(height / rows, width / columns)
    inner = max(1, round(rows * scale)), max(1, round(columns * scale))
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    found = np.zeros((count, height, width), np.float32)
    for k, image in enumerate(images):
        resized = Image.fromarray(np.asarray(image, np.float32)).resize(
            (inner[1], inner[0]), Image.Resampling.BILINEAR
        )
        found[k, top : top + inner[0], left : left + inner[1]] = np.clip(np.asarray(resized), 0, 1)
    return found
