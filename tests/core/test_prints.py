"""Pictures for paper open as what they say they are."""

import io
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from cnn_core.views.prints import Print, Tile

TILES = [
    Tile(np.random.default_rng(k).normal(size=(3, 3)), f"{k} < 9", (0, 0, 2, 2)) for k in range(5)
]


def test_a_png_is_large_enough_to_be_printed() -> None:
    image = Image.open(io.BytesIO(Print("Filters", TILES, 4, "signed", 2.0).file("png")))
    assert image.format == "PNG"
    assert image.width >= 1200


def test_an_svg_keeps_its_letters() -> None:
    root = ElementTree.fromstring(Print("Filters", TILES, 4, "signed", 2.0).file("svg"))
    texts = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Filters" in texts
    assert "3 < 9" in texts


def test_nothing_but_zeros_and_gaps_is_drawn() -> None:
    tile = Tile(np.array([[0.0, np.nan]]))
    assert Print("Dead", [tile], 8, "activation", 0.0).file("png")
