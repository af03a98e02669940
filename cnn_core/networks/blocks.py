"""The blocks that named architectures are built from, each as its paper has it, on Keras tensors.

Every layer is named ``<block>_<what it is>``.
"""

from keras import KerasTensor, layers


def vgg_block(x: KerasTensor, name: str, filters: int, convolutions: int = 2) -> KerasTensor:
    """Stacked 3×3 convolutions, then a pooling: `(h, w, c)` → `(h // 2, w // 2, filters)`.

    K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image
    recognition", arXiv 1409.1556, section 2.1.
    """
    for k in range(1, convolutions + 1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_conv_{k}")(x)
    return layers.MaxPooling2D(2, name=f"{name}_pool")(x)


def residual_block(
    x: KerasTensor, name: str, filters: int, stride: int = 1, skip: bool = True
) -> KerasTensor:
    """Conv–BN–ReLU–Conv–BN–Add–ReLU: `(h, w, c)` → `(⌈h / stride⌉, ⌈w / stride⌉, filters)`.

    Where the shapes differ, a 1×1 convolution takes the skip to the new one (option B).

    K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition",
    arXiv 1512.03385, figure 2 and section 3.3.

    Parameters
    ----------
    skip : without it, the same layers in a row and nothing to add: the paper's plain network.
    """
    before = x
    x = _convolution(x, f"{name}_conv_1", filters, stride)
    x = layers.BatchNormalization(name=f"{name}_bn_1")(x)
    x = layers.ReLU(name=f"{name}_relu_1")(x)
    x = _convolution(x, f"{name}_conv_2", filters, 1)
    x = layers.BatchNormalization(name=f"{name}_bn_2")(x)
    if skip:
        if before.shape != x.shape:
            before = layers.Conv2D(
                filters, 1, strides=stride, use_bias=False, name=f"{name}_skip_conv"
            )(before)
            before = layers.BatchNormalization(name=f"{name}_skip_bn")(before)
        x = layers.Add(name=f"{name}_add")([x, before])
    return layers.ReLU(name=f"{name}_relu_2")(x)


def inception_module(
    x: KerasTensor, name: str, one: int, three: tuple[int, int], five: tuple[int, int], pool: int
) -> KerasTensor:
    """Four widths at once, side by side: `(h, w, c)` → `(h, w, one + three[1] + five[1] + pool)`.

    C. Szegedy et al., "Going deeper with convolutions", arXiv 1409.4842, figure 2(b).

    Parameters
    ----------
    one : filters of the 1×1 branch.
    three, five : filters of the 1×1 reduction, and of the 3×3 or 5×5 after it.
    pool : filters of the 1×1 after the pooling branch.
    """

    def convolution(x: KerasTensor, what: str, filters: int, size: int) -> KerasTensor:
        return layers.Conv2D(
            filters, size, padding="same", activation="relu", name=f"{name}_{what}"
        )(x)

    pooled = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
    branches = [
        convolution(x, "1x1", one, 1),
        convolution(convolution(x, "3x3_reduce", three[0], 1), "3x3", three[1], 3),
        convolution(convolution(x, "5x5_reduce", five[0], 1), "5x5", five[1], 5),
        convolution(pooled, "pool_1x1", pool, 1),
    ]
    return layers.Concatenate(name=f"{name}_join")(branches)


def dense_block(x: KerasTensor, name: str, count: int, growth: int) -> KerasTensor:
    """Each layer reads all before it: `(h, w, c)` → `(h, w, c + count · growth)`.

    G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger, "Densely connected convolutional
    networks", arXiv 1608.06993, section 3: BN–ReLU–Conv(3×3), without bottlenecks.
    """
    for k in range(1, count + 1):
        new = layers.BatchNormalization(name=f"{name}_bn_{k}")(x)
        new = layers.ReLU(name=f"{name}_relu_{k}")(new)
        new = _convolution(new, f"{name}_conv_{k}", growth, 1)
        x = layers.Concatenate(name=f"{name}_join_{k}")([x, new])
    return x


def transition(x: KerasTensor, name: str, filters: int) -> KerasTensor:
    """Between dense blocks: BN–ReLU–Conv(1×1)–pooling, `(h, w, c)` → `(h // 2, w // 2, filters)`.

    Huang et al., arXiv 1608.06993, section 3 (the ReLU as in its authors' code).
    """
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    x = layers.ReLU(name=f"{name}_relu")(x)
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


def _convolution(x: KerasTensor, name: str, filters: int, stride: int) -> KerasTensor:
    """3×3 without a bias: the normalisation beside it has one."""
    return layers.Conv2D(
        filters,
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)
