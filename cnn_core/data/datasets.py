"""The data sets that networks are trained on and tested with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cnn_core.data.fashion import CLASSES, fashion_place, load_fashion_mnist
from cnn_core.data.images import LabelledImages
from cnn_core.data.mnist import load_mnist


@dataclass(frozen=True)
class Dataset:
    """Labelled 28×28 images of ten classes.

    Attributes
    ----------
    id : in links, configurations and network cards.
    title : for people.
    noun : what one image is called.
    token : names its test images in links: ``<token>-1234``.
    class_names : in the order of the labels.
    load : its images; raises `DataError` if the machine does not have them.
    here : whether the machine has them.
    """

    id: str
    title: str
    noun: str
    token: str
    class_names: tuple[str, ...]
    load: Callable[[], LabelledImages]
    here: Callable[[], bool]

    @property
    def tests(self) -> str:
        """``test digits``, ``test images``."""
        return f"test {self.noun}s"


MNIST = Dataset("mnist", "MNIST", "digit", "test", tuple("0123456789"), load_mnist, lambda: True)
FASHION = Dataset(
    "fashion-mnist",
    "Fashion-MNIST",
    "image",
    "fashion",
    CLASSES,
    load_fashion_mnist,
    lambda: fashion_place() is not None,
)
DATASETS: Mapping[str, Dataset] = {one.id: one for one in (MNIST, FASHION)}
