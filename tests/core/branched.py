"""A network that uses every way of wiring: branches, merges, skips, a layer used twice."""

import keras
from keras import layers


def branched() -> keras.Model:
    """12×12×2 in, 4 classes out; every kind of layer that ConvScope knows at least once."""
    image = keras.Input((12, 12, 2), name="input")
    padded = layers.ZeroPadding2D(((1, 0), (0, 2)), name="padded")(image)
    wide = layers.Conv2D(6, 3, strides=2, padding="same", groups=2, name="wide")(padded)
    normal = layers.BatchNormalization(name="normal")(wide)
    rectified = layers.ReLU(max_value=4.0, negative_slope=0.1, name="rectified")(normal)
    dilated = layers.Conv2D(
        6, (3, 2), dilation_rate=(2, 1), padding="same", activation="tanh", name="dilated"
    )(rectified)
    depthwise = layers.DepthwiseConv2D(
        3, depth_multiplier=2, padding="same", activation="elu", name="depthwise"
    )(rectified)
    summed = layers.Add(name="summed")([rectified, dilated])
    joined = layers.Concatenate(name="joined")([summed, depthwise])
    leaky = layers.LeakyReLU(negative_slope=0.2, name="leaky")(joined)
    best = layers.MaxPooling2D(3, strides=2, padding="same", name="best")(leaky)
    mean = layers.AveragePooling2D(2, padding="same", name="mean")(leaky)
    both = layers.Add(name="both")([best, mean])
    dropped = layers.Dropout(0.5, name="dropped")(both)
    shared = layers.Dense(5, activation="gelu", name="shared")
    once = shared(dropped)
    folded = layers.Reshape((4, 4, 18), name="folded")(dropped)
    twice = shared(folded)
    pooled = layers.GlobalAveragePooling2D(name="pooled")(once)
    flat = layers.Flatten(name="flat")(twice)
    features = layers.Concatenate(name="features")([pooled, flat])
    logits = layers.Dense(4, name="logits")(layers.Activation("softsign", name="sign")(features))
    return keras.Model(image, layers.Softmax(name="output")(logits), name="branched")
