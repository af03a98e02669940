"""What a design comes to: its graph, or the layer where it breaks. Needs no Keras."""

from dataclasses import dataclass
from math import prod
from typing import Any

from cnn_core.errors import BadDesign
from cnn_core.networks.design import KINDS, Design, DesignLayer
from cnn_core.networks.graph import Graph, LayerSpec, Shape

IMAGE: Shape = (28, 28, 1)
CLASSES = 10
MOST_PARAMETERS = 2_000_000
MOST_PRODUCTS = 60_000_000  # for one image; `classic` takes 3 million
MOST_VALUES = 1_000_000  # for one image, of all layers; `densenet_mini` computes half of that


@dataclass(frozen=True)
class Part:
    """What one row of a design comes to.

    Attributes
    ----------
    output_shape : of its last layer.
    parameter_count : of all its layers: a residual block has several.
    """

    output_shape: Shape
    parameter_count: int


@dataclass(frozen=True)
class Draft:
    """A design, worked out as far as it goes.

    Attributes
    ----------
    parts : one a row, up to the one where it breaks.
    so_far : the layers up to there, at least the image.
    graph : the whole network; None if it breaks.
    broken : the row where it does, ``len(design.layers)`` for the given output; None if it does
        not.
    why : one sentence for people; empty if it does not.
    """

    parts: tuple[Part, ...]
    so_far: Graph
    graph: Graph | None
    broken: int | None = None
    why: str = ""


def draft(design: Design) -> Draft:
    """The network of a design, layer by layer."""
    drawing = _Drawing()
    parts: list[Part] = []
    rows = [*design.layers, None]  # None: the output, which is given
    for number, row in enumerate(rows):
        before = len(drawing.layers)
        try:
            if row is None:
                drawing.output()
            else:
                drawing.row(row)
            drawing.check_size()
        except BadDesign as error:
            so_far = Graph(tuple(drawing.layers[:before]))
            return Draft(tuple(parts), so_far, None, number, str(error))
        count = sum(spec.parameter_count for spec in drawing.layers[before:])
        parts.append(Part(drawing.shape, count))
    whole = Graph(tuple(drawing.layers))
    return Draft(tuple(parts[:-1]), whole, whole)


def graph_of_design(design: Design) -> Graph:
    """The network of a design. Raises `BadDesign` if it breaks somewhere."""
    drafted = draft(design)
    if drafted.graph is None:
        number = drafted.broken if drafted.broken is not None else 0
        where = f"Layer {number + 1}" if number < len(design.layers) else "The output"
        raise BadDesign(f"{where} of {design.name}: {drafted.why}")
    return drafted.graph


class _Drawing:
    """A graph while it grows: every method adds what it is named for, or raises `BadDesign`."""

    def __init__(self) -> None:
        self.layers: list[LayerSpec] = []
        self._used: dict[str, int] = {}
        self._products = 0
        self._add("InputLayer", "input", {}, IMAGE, inputs=())

    @property
    def shape(self) -> Shape:
        return self.layers[-1].output_shape

    @property
    def last(self) -> str:
        return self.layers[-1].name

    def check_size(self) -> None:
        parameters = sum(spec.parameter_count for spec in self.layers)
        if parameters > MOST_PARAMETERS:
            raise BadDesign(
                f"With this layer the network has {parameters:,} parameters; at most "
                f"{MOST_PARAMETERS:,} are trained here. Fewer filters or units, or a pooling "
                "before them."
            )
        values = sum(prod(spec.output_shape) for spec in self.layers)
        if values > MOST_VALUES:
            raise BadDesign(
                f"With this layer one image makes {values:,} values in all; at most "
                f"{MOST_VALUES:,} can be looked at here. Pool earlier, or take fewer filters."
            )
        if self._products > MOST_PRODUCTS:
            raise BadDesign(
                f"With this layer one image takes {self._products:,} multiply-adds; at most "
                f"{MOST_PRODUCTS:,} are trained here. Pool earlier, or take fewer filters."
            )

    def row(self, row: DesignLayer) -> None:
        kind = row.kind
        if kind == "conv":
            self._check_maps(row)
            self.convolution(
                self._name("conv"), row["filters"], row["kernel"], row["stride"], row["padding"],
                activation=row["activation"],
            )  # fmt: skip
        elif kind == "pool":
            self._check_maps(row)
            self._pool(row)
        elif kind == "batch_norm":
            self.normalisation(self._name("bn"))
        elif kind == "dropout":
            rate = row["rate"]
            self._add("Dropout", self._name("dropout"), {"rate": rate}, self.shape)
        elif kind == "dense":
            self._check_flat("Each of its units weighs every number of one row")
            self.dense(self._name("dense"), row["units"], row["activation"])
        elif kind == "flatten":
            self._check_maps(row)
            self._add("Flatten", self._name("flatten"), {}, (prod(self.shape),))
        elif kind == "average":
            self._check_maps(row)
            config = {"keepdims": False, "data_format": "channels_last"}
            self._add("GlobalAveragePooling2D", self._name("average"), config, self.shape[-1:])
        else:
            self._check_maps(row)
            self._residual(self._name("residual"), row["filters"], row["stride"])

    def output(self) -> None:
        self._check_flat("It answers with ten shares of one row of numbers")
        self.dense("output", CLASSES, "softmax")

    def convolution(
        self,
        name: str,
        filters: int,
        kernel: int,
        stride: int,
        padding: str,
        *,
        activation: str = "linear",
        use_bias: bool = True,
        inputs: tuple[str, ...] | None = None,
        initializer: str = "GlorotUniform",
    ) -> None:
        height, width, channels = self._shape_of(inputs)
        shape = (
            self._slid(height, kernel, stride, padding),
            self._slid(width, kernel, stride, padding),
            filters,
        )
        weights: dict[str, Shape] = {"kernel": (kernel, kernel, channels, filters)}
        if use_bias:
            weights["bias"] = (filters,)
        config = {
            "filters": filters,
            "kernel_size": [kernel, kernel],
            "strides": [stride, stride],
            "padding": padding,
            "data_format": "channels_last",
            "dilation_rate": [1, 1],
            "groups": 1,
            "activation": activation,
            "use_bias": use_bias,
            "kernel_initializer": _initializer(initializer),
        }
        self._products += prod(shape) * kernel * kernel * channels
        self._add("Conv2D", name, config, shape, weights, inputs=inputs)

    def _pool(self, row: DesignLayer) -> None:
        window, stride, padding = row["window"], row["stride"], row["padding"]
        height, width, channels = self.shape
        shape = (
            self._slid(height, window, stride, padding),
            self._slid(width, window, stride, padding),
            channels,
        )
        config = {
            "pool_size": [window, window],
            "strides": [stride, stride],
            "padding": padding,
            "data_format": "channels_last",
        }
        kind = "MaxPooling2D" if row["what"] == "max" else "AveragePooling2D"
        self._add(kind, self._name("pool"), config, shape)

    def normalisation(self, name: str) -> None:
        channels = self.shape[-1]
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        weights: dict[str, Shape] = {name: (channels,) for name in names}  # noqa: C420
        config = {
            "axis": -1, "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True,
        }  # fmt: skip
        self._add("BatchNormalization", name, config, self.shape, weights)

    def dense(self, name: str, units: int, activation: str) -> None:
        reads = self.shape[-1]
        config = {"units": units, "activation": activation, "use_bias": True}
        self._products += reads * units
        self._add("Dense", name, config, (units,), {"kernel": (reads, units), "bias": (units,)})

    def _residual(self, name: str, filters: int, stride: int) -> None:
        """As `blocks.residual_block` builds it with Keras."""
        before, shape = self.last, self.shape

        def part(what: str, stride: int) -> None:
            self.convolution(
                f"{name}_{what}", filters, 3, stride, "same", use_bias=False, initializer="HeNormal"
            )

        part("conv_1", stride)
        self.normalisation(f"{name}_bn_1")
        self._relu(f"{name}_relu_1")
        part("conv_2", 1)
        self.normalisation(f"{name}_bn_2")
        after = self.last
        if self.shape != shape:
            self.convolution(
                f"{name}_skip_conv", filters, 1, stride, "valid", use_bias=False, inputs=(before,)
            )
            self.normalisation(f"{name}_skip_bn")
            before = self.last
        self._add("Add", f"{name}_add", {}, self.shape, inputs=(after, before))
        self._relu(f"{name}_relu_2")

    def _relu(self, name: str) -> None:
        config = {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}
        self._add("ReLU", name, config, self.shape)

    def _add(
        self,
        kind: str,
        name: str,
        config: dict[str, Any],
        shape: Shape,
        weights: dict[str, Shape] | None = None,
        *,
        inputs: tuple[str, ...] | None = None,
    ) -> None:
        reads = (self.last,) if inputs is None else inputs
        weights = weights or {}
        learned = tuple(weight for weight in weights if not weight.startswith("moving_"))
        self.layers.append(
            LayerSpec(name, kind, reads, {"name": name, **config}, shape, weights, learned)
        )

    def _name(self, what: str) -> str:
        """``conv_1``, ``conv_2``: numbered in the order of their rows."""
        self._used[what] = self._used.get(what, 0) + 1
        return f"{what}_{self._used[what]}"

    def _shape_of(self, inputs: tuple[str, ...] | None) -> Shape:
        name = self.last if inputs is None else inputs[0]
        return next(spec.output_shape for spec in self.layers if spec.name == name)

    def _slid(self, cells: int, window: int, stride: int, padding: str) -> int:
        """How many places a window has along `cells`."""
        if padding == "same":
            return -(-cells // stride)
        if window > cells:
            raise BadDesign(
                f"A window of {window} × {window} does not fit into maps of {cells} × {cells}. "
                "Take a smaller one, padding “same”, or pool less before it."
            )
        return (cells - window) // stride + 1

    def _check_maps(self, row: DesignLayer) -> None:
        if len(self.shape) != 3:
            raise BadDesign(
                f"{KINDS[row.kind][0]} reads maps of rows and columns, and a row of "
                f"{self.shape[0]:,} numbers comes in. Move it up, before what made them a row."
            )

    def _check_flat(self, why: str) -> None:
        if len(self.shape) != 1:
            size = " × ".join(map(str, self.shape))
            raise BadDesign(
                f"{why}, and maps of {size} come in. Put a Flatten or a GlobalAveragePooling "
                "before it."
            )


def _initializer(name: str) -> dict[str, Any]:
    return {
        "module": "keras.initializers",
        "class_name": name,
        "config": {"seed": None},
        "registered_name": None,
    }
