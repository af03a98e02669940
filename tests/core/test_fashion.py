"""Fashion-MNIST is found where it is, read from any of its forms, and never fetched."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from cnn_core.data import fashion
from cnn_core.data.datasets import DATASETS, FASHION
from cnn_core.data.digit import digit_from_token, image_of
from cnn_core.data.fashion import FashionMnist, fashion_place, load_fashion_mnist, point_to_fashion
from cnn_core.errors import DataError, InkError
from tests.core.fashion_files import idx, write_fashion


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("somewhere") / "fashion-mnist"


@pytest.fixture(scope="module")
def arrays(folder: Path) -> dict[str, np.ndarray]:
    return write_fashion(folder)


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is installed, cached or remembered."""
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("CONVSCOPE_FASHION_MNIST", raising=False)
    monkeypatch.setattr(fashion, "_DEBIAN", tmp_path / "debian")


def test_a_machine_without_it_says_how_to_get_it() -> None:
    assert fashion_place() is None
    assert not FASHION.here()
    with pytest.raises(DataError, match=r"not on this machine.*dataset-fashion-mnist"):
        load_fashion_mnist()
    with pytest.raises(DataError, match="not on this machine"):
        digit_from_token("fashion-3")


@pytest.mark.parametrize("where", ["keras/datasets/fashion-mnist", "debian"])
def test_it_is_found_in_the_cache_of_keras_and_in_debians_package(
    tmp_path: Path, folder: Path, arrays: dict[str, np.ndarray], where: str
) -> None:
    (tmp_path / where).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / where).symlink_to(folder)
    assert fashion_place() == tmp_path / where
    np.testing.assert_array_equal(load_fashion_mnist().x_test, arrays["x_test"])


def test_every_form_gives_the_same_arrays(
    tmp_path: Path, folder: Path, arrays: dict[str, np.ndarray]
) -> None:
    np.savez(tmp_path / "fashion.npz", **arrays)
    plain = tmp_path / "plain"
    plain.mkdir()
    for file in folder.glob("*.gz"):
        (plain / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
    one_of_them = folder / "t10k-labels-idx1-ubyte.gz"
    for place in (tmp_path / "fashion.npz", folder, plain, one_of_them):
        point_to_fashion(str(place))
        found = load_fashion_mnist()
        for name, array in arrays.items():
            np.testing.assert_array_equal(getattr(found, name), array)


def test_what_somebody_points_to_is_remembered(folder: Path, arrays: object) -> None:
    point_to_fashion(f"  {folder} ")
    assert fashion_place() == folder
    assert FASHION.here()


def test_the_setting_comes_first(
    tmp_path: Path, folder: Path, arrays: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "debian").symlink_to(folder)
    monkeypatch.setenv("CONVSCOPE_FASHION_MNIST", str(folder))
    assert fashion_place() == folder


def test_a_test_image_is_named_in_links_and_has_its_class(
    folder: Path, arrays: dict[str, np.ndarray]
) -> None:
    point_to_fashion(str(folder))
    digit = image_of(FASHION, 1234)
    assert digit.token == "fashion-1234"
    assert digit_from_token("fashion-1234") == digit
    assert digit.label == arrays["y_test"][1234]
    assert digit.dataset is FASHION
    np.testing.assert_array_equal(digit.bytes, arrays["x_test"][1234])
    with pytest.raises(InkError, match="test images 0 to 9,999"):
        image_of(FASHION, 10_000)


@pytest.mark.parametrize("text", ["", "   ", "/nowhere/fashion.npz", "no such file"])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="no file or folder"):
        point_to_fashion(text)
    assert fashion_place() is None


def other_sizes(folder: Path) -> None:
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(idx(np.zeros((10_000, 32, 32), np.uint8)))
    )


def cut_off(folder: Path) -> None:
    file = folder / "train-images-idx3-ubyte.gz"
    content = file.read_bytes()
    file.unlink()  # a link to the whole one
    file.write_bytes(content[: len(content) // 2])


def far_too_much(folder: Path) -> None:
    file = folder / "t10k-images-idx3-ubyte.gz"
    content = gzip.decompress(file.read_bytes())
    file.unlink()
    file.write_bytes(gzip.compress(content + bytes(100_000_000), 1))


def eleven_classes(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(idx(np.full(10_000, 10, np.uint8)))
    )


def one_is_missing(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()


@pytest.mark.parametrize(
    "damage", [other_sizes, cut_off, far_too_much, eleven_classes, one_is_missing]
)
def test_damaged_files_are_refused_in_a_sentence(
    tmp_path: Path, folder: Path, arrays: object, damage: object
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.glob("*.gz"):
        (copy / file.name).write_bytes(file.read_bytes())
    damage(copy)  # type: ignore[operator]
    with pytest.raises(DataError, match="Fashion-MNIST"):
        point_to_fashion(str(copy))
    assert fashion_place() is None


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"not a zip"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "fashion.npz"
    file.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        point_to_fashion(str(file))


def test_an_archive_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", x_train=np.array([print], dtype=object))
    with pytest.raises(DataError, match="cannot be read"):
        FashionMnist(tmp_path / "evil.npz").read("x_train")


def test_every_data_set_has_its_own_token_and_ten_classes() -> None:
    assert len({dataset.token for dataset in DATASETS.values()}) == len(DATASETS)
    assert {len(dataset.class_names) for dataset in DATASETS.values()} == {10}
