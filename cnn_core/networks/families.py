"""What each named architecture brought, and where to read it. Needs no Keras."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """An idea and its paper.

    Attributes
    ----------
    idea : three sentences.
    reference, address : the paper, and where it is.
    block : how the names of the layers of one block begin; empty if it has none to show alone.
    """

    idea: str
    reference: str
    address: str
    block: str = ""


FAMILIES: Mapping[str, Family] = {
    "lenet5": Family(
        "Small filters slide over the image and share their weights, so that a stroke is found "
        "wherever it is. Each convolution is followed by an average that halves the maps, so that "
        "its exact place matters less. The whole, from pixels to classes, is trained at once by "
        "gradient descent.",
        "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, “Gradient-based learning applied to document "
        "recognition”, Proceedings of the IEEE 86 (1998)",
        "https://doi.org/10.1109/5.726791",
    ),
    "vgg_mini": Family(
        "Instead of one large filter it stacks small ones: two of 3×3 see as far as one of 5×5, "
        "three as far as one of 7×7. They need fewer weights and have a ReLU after each, so that "
        "more can be told apart. Depth by repetition of one simple block became a habit.",
        "K. Simonyan, A. Zisserman, “Very deep convolutional networks for large-scale image "
        "recognition”, ICLR 2015",
        "https://arxiv.org/abs/1409.1556",
        "block_2",
    ),
    "resnet_mini": Family(
        "Each block adds what it finds to what it was given, so that doing nothing is easy to "
        "learn. The gradient passes the sum unchanged and reaches the first layers however deep "
        "the network is. Networks of more than a hundred layers could be trained for the first "
        "time.",
        "K. He, X. Zhang, S. Ren, J. Sun, “Deep residual learning for image recognition”, "
        "CVPR 2016",
        "https://arxiv.org/abs/1512.03385",
        "stage_1_block_1",
    ),
    "plain_mini": Family(
        "The same layers as the residual network, with nothing to add to. At this depth it learns "
        "as well; much deeper it learns worse than a shallow one, on the training images too. That "
        "it does is what residual networks were made against.",
        "K. He, X. Zhang, S. Ren, J. Sun, “Deep residual learning for image recognition”, "
        "CVPR 2016",
        "https://arxiv.org/abs/1512.03385",
        "stage_1_block_1",
    ),
    "inception_mini": Family(
        "Nobody knows beforehand how wide a filter should be, so that each module looks through "
        "1×1, 3×3 and 5×5 at once and puts the maps side by side. Filters of 1×1 first make the "
        "maps fewer, which keeps the wide ones cheap. An average over each map replaces the large "
        "dense layers at the end.",
        "C. Szegedy et al., “Going deeper with convolutions”, CVPR 2015",
        "https://arxiv.org/abs/1409.4842",
        "module_1",
    ),
    "densenet_mini": Family(
        "Every layer of a block reads the maps of all layers before it, not only of the last. What "
        "was found once need not be found again, so that each layer adds only a few maps. "
        "Gradients reach every layer by a short way.",
        "G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger, “Densely connected convolutional "
        "networks”, CVPR 2017",
        "https://arxiv.org/abs/1608.06993",
        "block_1",
    ),
}
"""By the name of the architecture."""
