import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cnn_core.views.atlas import (
    atlas_box,
    atlas_cell,
    digit_picture,
    feature_map_atlas,
    ink_outline,
    sheet,
    vector_picture,
)
from cnn_core.views.colour import LEVELS, colour_levels, colour_table


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 70))
def test_every_cell_of_every_map_stands_where_it_should(h: int, w: int, count: int) -> None:
    maps = np.random.default_rng(h * w).uniform(0, 3, (h, w, count))
    picture = feature_map_atlas(maps)
    pixels = decoded(picture.png)
    columns = (picture.width + 1) // (w + 1)
    table = colour_table("activation")
    assert pixels.shape[:2] == (picture.height, picture.width)
    for k in range(count):
        top, left = (k // columns) * (h + 1), (k % columns) * (w + 1)
        tile = pixels[top : top + h, left : left + w]
        expected = table[np.rint(maps[..., k] / maps.max() * 254).astype(int)]
        np.testing.assert_array_equal(tile[..., :3], expected)
        assert (tile[..., 3] == 255).all()
    assert (pixels[..., 3] == 255).sum() == maps.size  # everything else is see-through


def test_zero_has_the_same_colour_on_every_picture_of_a_kind() -> None:
    dark = decoded(feature_map_atlas(np.zeros((3, 3, 2))).png)[0, 0, :3]
    mixed = decoded(feature_map_atlas(np.eye(3)[..., None]).png)[0, 1, :3]
    np.testing.assert_array_equal(dark, mixed)
    signed = decoded(vector_picture(np.array([-2.0, 0.0, 1.0, 0.0])).png)
    np.testing.assert_array_equal(signed[0, 1, :3], colour_table("signed")[127])


def test_a_signed_scale_is_symmetric_about_zero() -> None:
    picture = vector_picture(np.array([-4.0, 1.0]))
    assert (picture.scale, picture.limit) == ("signed", 4.0)
    levels = colour_levels(np.array([-4.0, -2.0, 0.0, 2.0, 4.0]), 4.0, "signed")
    assert levels.tolist() == [0, 64, 127, 190, 254]  # 63.5 and 190.5 round to even


def test_sequential_colours_only_ever_get_brighter() -> None:
    luma = colour_table("activation") @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luma) > -0.5).all()
    assert luma[-1] - luma[0] > 200


def test_signed_colours_are_blue_below_and_orange_above() -> None:
    table = colour_table("signed").astype(int)
    assert (table[:100, 2] > table[:100, 0]).all()
    assert (table[-100:, 0] > table[-100:, 2]).all()
    assert len(table) == LEVELS


def test_one_scale_for_all_maps_unless_another_is_given() -> None:
    maps = np.stack([np.full((2, 2), 1.0), np.full((2, 2), 4.0)], axis=-1)
    assert feature_map_atlas(maps).limit == 4.0
    assert feature_map_atlas(maps, limit=8.0).limit == 8.0
    np.testing.assert_array_equal(
        decoded(feature_map_atlas(maps, limit=8.0).png)[0, 0, :3],
        colour_table("activation")[round(254 / 8)],
    )


@pytest.mark.parametrize("count", [1, 7, 10, 64, 576, 577])
def test_a_vector_is_drawn_row_by_row(count: int) -> None:
    vector = np.arange(count, dtype=np.float32)
    picture = vector_picture(vector)
    pixels = decoded(picture.png).reshape(-1, 4)
    assert (pixels[:count, 3] == 255).all()
    assert (pixels[count:, 3] == 0).all()
    expected = colour_table("activation")[colour_levels(vector, float(count - 1), "activation")]
    np.testing.assert_array_equal(pixels[:count, :3], expected)
    assert picture.width == min(count, 32)


def test_values_that_are_no_numbers_draw_as_zero() -> None:
    assert colour_levels(np.array([np.nan, 1.0]), 1.0, "activation").tolist() == [0, 254]
    assert colour_levels(np.array([np.nan, 1.0]), 1.0, "signed").tolist() == [127, 254]


def test_drawing_never_writes_to_the_callers_arrays() -> None:
    maps = np.ones((3, 3, 4))
    maps.setflags(write=False)
    feature_map_atlas(maps)
    vector_picture(maps.reshape(-1))


def test_a_digit_is_white_ink_on_black() -> None:
    pixels = np.zeros((28, 28), np.float32)
    pixels[3, 4] = 1
    pixels[5, 6] = 0.5
    image = decoded(digit_picture(pixels).png)
    assert image[3, 4].tolist() == [255, 255, 255, 255]
    assert abs(int(image[5, 6, 0]) - 127) <= 1
    assert image[..., 0].sum() == 255 + int(image[5, 6, 0])


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 70), st.data())
def test_a_pixel_of_the_atlas_names_its_cell(
    h: int, w: int, count: int, data: st.DataObject
) -> None:
    cell = tuple(data.draw(st.integers(0, n - 1)) for n in (h, w, count))
    left, top, width, height = atlas_box((h, w, count), cell[2])
    assert (width, height) == (w, h)
    assert atlas_cell((h, w, count), left + cell[1], top + cell[0]) == cell
    assert atlas_cell((h, w, count), left + w, top) is None  # the gap
    assert atlas_cell((h, w, count), left, -1) is None


def test_maps_on_scales_of_their_own_all_reach_the_brightest_colour() -> None:
    maps = np.stack([np.eye(2), 1000 * np.eye(2), np.zeros((2, 2))], axis=-1)
    picture = feature_map_atlas(maps, each_its_own=True)
    pixels = decoded(picture.png)
    np.testing.assert_array_equal(pixels[0, 0, :3], pixels[0, 3, :3])
    np.testing.assert_array_equal(pixels[0, 0, :3], colour_table("activation")[254])
    left, top, _, _ = atlas_box((2, 2, 3), 2)
    np.testing.assert_array_equal(pixels[top, left, :3], colour_table("activation")[0])
    assert picture.limit == 1


def test_a_sheet_has_every_image_at_its_row_and_column() -> None:
    images = np.random.default_rng(0).integers(256, size=(7, 5, 4), dtype=np.uint8)
    picture = sheet(images, 3)
    assert (picture.width, picture.height) == (3 * 4, 3 * 5)
    fourth = decoded(digit_picture(images[4] / 255).png)
    np.testing.assert_array_equal(decoded(picture.png)[5:10, 4:8], fourth)  # row 1, column 1


def test_an_outline_has_an_edge_wherever_ink_meets_paper() -> None:
    pixels = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 0.49]])
    edges = sorted(ink_outline(pixels).removeprefix("M").split("M"))
    assert edges == sorted(
        ["1 1h1", "2 1h1", "1 2h1", "2 2h1", "1 1v1", "3 1v1"]  # above, below, left and right
    )
    assert ink_outline(np.zeros((3, 3))) == ""
