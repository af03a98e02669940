"""What a stranger's file may say of a layer: each kind's settings, value by value. Needs no Keras.

An allow-list: a setting that is not named here, or is of another type or size than named, is
refused. Nothing here builds anything.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cnn_core.errors import BadUpload

Check = Callable[[Any], Any]
"""A value as the file has it → the value as it is kept. Raises `ValueError`: what was expected."""

ACTIVATIONS = (
    "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "sigmoid",
    "hard_sigmoid", "tanh", "softplus", "softsign", "exponential", "softmax",
)  # fmt: skip
"""Those of `probe.functions`, which stands above this room; a test holds the two together."""

_LONGEST_SIDE = 64
_MOST_UNITS = 65_536


def _whole(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"a whole number from {low:,} to {high:,}")
        return value

    return check


def _number(low: float = -1e6, high: float = 1e6) -> Check:
    def check(value: Any) -> float:
        if type(value) not in (int, float) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return value

    return check


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _one_of(*allowed: Any) -> Check:
    def check(value: Any) -> Any:
        for one in allowed:
            if type(value) is type(one) and value == one:
                return value
        raise ValueError(" or ".join(repr(one) for one in allowed))

    return check


def _pair(check: Check) -> Check:
    def both(value: Any) -> list[Any]:
        if type(value) is int:
            value = [value, value]
        if not isinstance(value, list) or len(value) != 2:
            raise ValueError("two values")
        return [check(one) for one in value]

    return both


def _sizes(value: Any) -> list[int]:
    check = _or_negative(_whole(1, 4_000_000))
    if not isinstance(value, list) or not 1 <= len(value) <= 3:
        raise ValueError("one to three sizes")
    return [check(one) for one in value]


def _or_negative(check: Check) -> Check:
    return lambda value: -1 if type(value) is int and value == -1 else check(value)


def _activation(value: Any) -> str:
    if isinstance(value, dict):
        name = value.get("class_name", value.get("config"))
        raise ValueError(f"the name of an activation, not an object ({str(name)[:40]!r})")
    if not isinstance(value, str) or value not in ACTIVATIONS:
        raise ValueError(f"one of the activations {', '.join(ACTIVATIONS)}")
    return value


def _axis(value: Any) -> int:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if type(value) is not int or not -3 <= value <= 3 or value == 0:
        raise ValueError("an axis from 1 to 3, or from -3 to -1")
    return value


def _object(module: str, *classes: str) -> Check:
    """Something of Keras's own that shapes a training and no answer: checked, not kept."""

    def check(value: Any) -> None:
        if value is None:
            return
        known = (
            isinstance(value, dict)
            and value.get("module") == module
            and value.get("class_name") in classes
            and value.get("registered_name") is None
        )
        if not known:
            named = value.get("class_name") if isinstance(value, dict) else value
            raise ValueError(f"one of Keras's own, of {module}, not {str(named)[:40]!r}")

    return check


def _dtype(value: Any) -> None:
    if isinstance(value, dict):
        plain = (
            value.get("module") == "keras"
            and value.get("class_name") == "DTypePolicy"
            and value.get("registered_name") is None
            and isinstance(value.get("config"), dict)
        )
        value = value["config"].get("name") if plain else None
    if value != "float32":
        raise ValueError("float32")


_initializer = _object(
    "keras.initializers",
    "Zeros", "Ones", "Constant", "RandomNormal", "RandomUniform", "TruncatedNormal",
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform",
    "VarianceScaling", "Orthogonal", "OrthogonalInitializer", "Identity", "IdentityInitializer",
)  # fmt: skip
_regularizer = _object("keras.regularizers", "L1", "L2", "L1L2", "OrthogonalRegularizer")
_constraint = _object("keras.constraints", "MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm")
_boolean = _one_of(True, False)
_last = _one_of("channels_last")
_side = _pair(_whole(1, _LONGEST_SIDE))
_share = _number(0, 1)
_seed = _or_none(_number(-1e18, 1e18))
_nothing = _one_of(None)
_padding = _one_of("valid", "same")


def _of_weights(*names: str) -> dict[str, Check]:
    """The settings that say how weights begin and what holds them."""
    return {
        f"{name}_{what}": check
        for name in names
        for what, check in {
            "initializer": _initializer, "regularizer": _regularizer, "constraint": _constraint,
        }.items()
    }  # fmt: skip


_CONVOLUTION: dict[str, Check] = {
    "kernel_size": _side,
    "strides": _side,
    "padding": _padding,
    "data_format": _last,
    "dilation_rate": _side,
    "activation": _activation,
    "use_bias": _boolean,
    "activity_regularizer": _regularizer,
    **_of_weights("bias"),
}
_POOLING: dict[str, Check] = {
    "pool_size": _side, "strides": _side, "padding": _padding, "data_format": _last,
}  # fmt: skip

SETTINGS: Mapping[str, Mapping[str, Check]] = {
    "Conv2D": {
        **_CONVOLUTION, **_of_weights("kernel"),
        "filters": _whole(1, _MOST_UNITS), "groups": _whole(1, _MOST_UNITS),
    },
    "DepthwiseConv2D": {
        **_CONVOLUTION, **_of_weights("depthwise"), "depth_multiplier": _whole(1, 64),
    },
    "MaxPooling2D": _POOLING,
    "AveragePooling2D": _POOLING,
    "GlobalAveragePooling2D": {"data_format": _last, "keepdims": _boolean},
    "Dense": {
        **_of_weights("kernel", "bias"),
        "units": _whole(1, _MOST_UNITS), "activation": _activation, "use_bias": _boolean,
        "activity_regularizer": _regularizer, "quantization_config": _nothing,
        "lora_rank": _nothing,
    },
    "BatchNormalization": {
        **_of_weights("beta", "gamma"),
        "moving_mean_initializer": _initializer, "moving_variance_initializer": _initializer,
        "axis": _axis, "momentum": _share, "epsilon": _number(0, 1), "center": _boolean,
        "scale": _boolean, "synchronized": _one_of(False), "renorm": _one_of(False),
        "renorm_clipping": _nothing, "renorm_momentum": _share,
    },
    "Flatten": {"data_format": _last},
    "Reshape": {"target_shape": _sizes},
    "Add": {},
    "Concatenate": {"axis": _axis},
    "ZeroPadding2D": {"padding": _pair(_pair(_whole(0, _LONGEST_SIDE))), "data_format": _last},
    "Dropout": {"rate": _share, "seed": _seed, "noise_shape": _nothing},
    "SpatialDropout2D": {
        "rate": _share, "seed": _seed, "data_format": _last, "noise_shape": _nothing,
    },
    "GaussianDropout": {"rate": _share, "seed": _seed},
    "GaussianNoise": {"stddev": _number(0), "seed": _seed},
    "AlphaDropout": {"rate": _share, "seed": _seed, "noise_shape": _nothing},
    "ActivityRegularization": {"l1": _number(0), "l2": _number(0)},
    "Identity": {},
    "Activation": {"activation": _activation},
    "ReLU": {
        "max_value": _or_none(_number(0)), "negative_slope": _or_none(_number(0)),
        "threshold": _or_none(_number(0)),
    },
    "LeakyReLU": {"negative_slope": _number(0)},
    "ELU": {"alpha": _number(0)},
    "Softmax": {"axis": _axis},
    "Rescaling": {"scale": _number(), "offset": _number()},
}  # fmt: skip
"""Each kind of layer that ConvScope can take apart, and what may be set of it."""

_OF_ALL: Mapping[str, Check] = {"trainable": _boolean, "dtype": _dtype}


def checked_settings(name: str, kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a layer that its answer depends on, every one of them checked.

    What only shapes a training (how weights begin, penalties, limits) is checked and left out.

    Parameters
    ----------
    name, kind : of the layer; the kind is one of `SETTINGS`.
    config : as the file has it.

    Raises
    ------
    BadUpload : a setting that is unknown, missing or not as expected; names it.
    """
    known = {**SETTINGS[kind], **_OF_ALL}
    kept: dict[str, Any] = {"name": name}
    for key, value in config.items():
        if key == "name":
            continue
        if key not in known:
            if value is None:
                continue
            raise BadUpload(
                f"The layer {name} ({kind}) has a setting {str(key)[:40]!r} that ConvScope does "
                "not know."
            )
        try:
            checked = known[key](value)
        except ValueError as error:
            raise BadUpload(
                f"The layer {name} ({kind}) is not accepted, because of its {key}: "
                f"expected {error}. Received: {str(value)[:60]}."
            ) from None
        if checked is not None or key in _KEPT_NONE:
            kept[key] = checked
    missing = [key for key in _NEEDED.get(kind, ()) if key not in kept]
    if missing:
        raise BadUpload(f"The layer {name} ({kind}) does not say its {', '.join(missing)}.")
    return kept


_KEPT_NONE = ("max_value",)
_SLIDING = ("strides", "padding")
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "Conv2D": (
        "filters", "kernel_size", *_SLIDING, "dilation_rate", "groups", "activation", "use_bias",
    ),
    "DepthwiseConv2D": (
        "depth_multiplier", "kernel_size", *_SLIDING, "dilation_rate", "activation", "use_bias",
    ),
    "MaxPooling2D": ("pool_size", *_SLIDING),
    "AveragePooling2D": ("pool_size", *_SLIDING),
    "GlobalAveragePooling2D": ("keepdims",),
    "Dense": ("units", "activation", "use_bias"),
    "BatchNormalization": ("axis", "momentum", "epsilon", "center", "scale"),
    "Reshape": ("target_shape",),
    "Concatenate": ("axis",),
    "ZeroPadding2D": ("padding",),
    "Dropout": ("rate",),
    "SpatialDropout2D": ("rate",),
    "GaussianDropout": ("rate",),
    "GaussianNoise": ("stddev",),
    "AlphaDropout": ("rate",),
    "Activation": ("activation",),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "LeakyReLU": ("negative_slope",),
    "ELU": ("alpha",),
    "Softmax": ("axis",),
    "Rescaling": ("scale", "offset"),
}  # fmt: skip
