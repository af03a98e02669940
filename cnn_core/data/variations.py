"""A digit changed a little: noise, shift, turn, scale, blur, contrast, thickness. No Keras."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.float32]

_SEED = 5
_FINER = 4  # pixels a pixel, while strokes are made thicker or thinner


@dataclass(frozen=True)
class Variation:
    """A way to change a digit, by amounts.

    Attributes
    ----------
    title, unit : for people.
    amounts : rising, `none` among them.
    change : pixels `(28, 28)` in [0, 1] and an amount → pixels.
    none : the amount that leaves the digit as it is.
    """

    title: str
    unit: str
    amounts: tuple[float, ...]
    change: Callable[[Pixels, float], Pixels]
    none: float = 0.0

    @property
    def few(self) -> tuple[float, ...]:
        """At most 13 of the amounts, evenly taken, `none` among them."""
        every = max(1, -(-(len(self.amounts) - 1) // 12))
        return self.amounts[self.amounts.index(self.none) % every :: every]

    def all_of(self, pixels: Pixels) -> Pixels:
        """The digit by every amount, `(amounts, 28, 28)`, each pixel k/255 for a whole k."""
        return _whole(np.stack([self.change(pixels, amount) for amount in self.amounts]))

    def of_all(self, images: Pixels, amount: float) -> Pixels:
        """Many digits by one amount, `(n, 28, 28)`, as `all_of` does one."""
        return _whole(np.stack([self.change(one, amount) for one in images]))


def _whole(images: NDArray) -> Pixels:
    """Every pixel k/255 for a whole k."""
    whole = np.rint(np.clip(images, 0, 1) * 255)
    return whole.astype(np.float32) / np.float32(255)


def noisy(pixels: Pixels, amount: float) -> Pixels:
    """The same Gaussian noise at every amount, its standard deviation, cut to [0, 1]."""
    noise = np.random.default_rng(_SEED).standard_normal(pixels.shape)
    return (pixels + amount * noise).astype(np.float32)


def shifted(pixels: Pixels, amount: float) -> Pixels:
    """To the right by pixels, with no ink coming in; fractions between neighbours."""
    return _transformed(pixels, (1, 0, -amount, 0, 1, 0))


def turned(pixels: Pixels, amount: float) -> Pixels:
    """About the centre by degrees, clockwise."""
    centre = (pixels.shape[0] - 1) / 2
    cos, sin = np.cos(np.deg2rad(amount)), np.sin(np.deg2rad(amount))
    return _transformed(
        pixels,
        (cos, sin, centre - (cos + sin) * centre, -sin, cos, centre - (cos - sin) * centre),
    )


def scaled(pixels: Pixels, amount: float) -> Pixels:
    """Larger about the centre by a factor; 1 leaves it."""
    centre = (pixels.shape[0] - 1) / 2
    back = 1 / amount
    shift = centre - back * centre
    return _transformed(pixels, (back, 0, shift, 0, back, shift))


def blurred(pixels: Pixels, amount: float) -> Pixels:
    """By a Gaussian of so many pixels' standard deviation."""
    if amount == 0:
        return pixels
    image = Image.fromarray((pixels * 255).astype(np.uint8))
    soft = image.filter(ImageFilter.GaussianBlur(amount))
    return np.asarray(soft, np.float32) / np.float32(255)


def contrasted(pixels: Pixels, amount: float) -> Pixels:
    """Every pixel's distance from middle grey times a factor; 1 leaves it."""
    return np.float32(0.5) + (pixels - np.float32(0.5)) * np.float32(amount)


def thickened(pixels: Pixels, amount: float) -> Pixels:
    """Strokes thicker by pixels, thinner below 0: a greatest, or least, value over a square."""
    reach = round(abs(amount) * _FINER)
    if reach == 0:
        return pixels
    side = pixels.shape[0] * _FINER
    image = Image.fromarray((pixels * 255).astype(np.uint8))
    image = image.resize((side, side), Image.Resampling.BICUBIC)
    size = 2 * (reach // 2) + 1
    grown = image.filter(ImageFilter.MaxFilter(size) if amount > 0 else ImageFilter.MinFilter(size))
    small = grown.resize(pixels.shape[::-1], Image.Resampling.BOX)
    return np.asarray(small, np.float32) / np.float32(255)


def _transformed(pixels: Pixels, coefficients: tuple[float, ...]) -> Pixels:
    """Where each pixel comes from: (a, b, c, d, e, f) → (ax + by + c, dx + ey + f), at centres."""
    a, b, c, d, e, f = coefficients
    image = Image.fromarray(pixels.astype(np.float32))
    # Pillow asks for the corner's place, half a pixel from the centre's.
    moved = image.transform(
        image.size,
        Image.Transform.AFFINE,
        (a, b, c + 0.5 - 0.5 * (a + b), d, e, f + 0.5 - 0.5 * (d + e)),
        Image.Resampling.BILINEAR,
    )
    return np.asarray(moved, np.float32)


def _steps(low: float, high: float, count: int) -> tuple[float, ...]:
    return tuple(round(float(x), 3) for x in np.linspace(low, high, count))


VARIATIONS: Mapping[str, Variation] = {
    "noise": Variation("Noise", "standard deviation", _steps(0, 1, 41), noisy),
    "shift": Variation("Shift", "pixels to the right", _steps(-10, 10, 41), shifted),
    "turn": Variation("Rotation", "degrees clockwise", _steps(-90, 90, 61), turned),
    "scale": Variation("Scale", "times as large", _steps(0.4, 1.6, 25), scaled, 1.0),
    "blur": Variation("Blur", "pixels", _steps(0, 3, 25), blurred),
    "contrast": Variation("Contrast", "times as strong", _steps(0, 2, 21), contrasted, 1.0),
    "thickness": Variation("Thickness", "pixels thicker", _steps(-2, 4, 13), thickened),
}
"""By the names that links and widgets use."""
