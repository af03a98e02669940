"""A network put together by hand, as plain data: what can be asked for. Needs no Keras.

Design ── draft.py ──> Draft: the graph, or the layer where it breaks and why
   └───── designs.py ── kept on disk
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cnn_core.errors import BadDesign

Value = int | float | str

FORMAT = 1
MOST_LAYERS = 40
LONGEST_NAME = 40
_LONGEST_TEXT = 20_000  # letters of JSON: several times what the largest design needs
ACTIVATIONS = ("relu", "linear", "tanh", "sigmoid", "elu", "selu", "gelu", "silu", "softplus")


@dataclass(frozen=True)
class Field:
    """One thing that can be chosen about a layer.

    Attributes
    ----------
    name, label : in JSON, and for people.
    default : what a new layer has.
    least, most : of a number, both included; whole if the default is.
    choices : of a word; empty for a number.
    """

    name: str
    label: str
    default: Value
    least: float = 0
    most: float = 0
    choices: tuple[str, ...] = ()

    def check(self, value: object) -> Value:
        """The value as it is kept. Raises `BadDesign` unless it may be chosen."""
        if self.choices:
            if isinstance(value, str) and value in self.choices:
                return value
            raise BadDesign(f"{self.label} is one of {', '.join(self.choices)}. {_received(value)}")
        whole = isinstance(self.default, int)
        # NaN is within no bounds; and a whole number may be greater than any float.
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and self.least <= value <= self.most
            and not (whole and value != int(value))
        ):
            return int(value) if whole else float(value)
        number = "a whole number" if whole else "a number"
        raise BadDesign(
            f"{self.label} is {number} from {self.least:g} to {self.most:g}. {_received(value)}"
        )


_ACTIVATION = Field("activation", "activation", "relu", choices=ACTIVATIONS)
_PADDING = Field("padding", "padding", "valid", choices=("valid", "same"))

KINDS: Mapping[str, tuple[str, tuple[Field, ...]]] = {
    "conv": ("Conv", (
        Field("filters", "filters", 32, 1, 256), Field("kernel", "kernel", 3, 1, 11),
        Field("stride", "stride", 1, 1, 4), _PADDING, _ACTIVATION,
    )),
    "pool": ("Pool", (
        Field("what", "keeps the", "max", choices=("max", "average")),
        Field("window", "window", 2, 1, 28), Field("stride", "stride", 2, 1, 28), _PADDING,
    )),
    "batch_norm": ("BatchNorm", ()),
    "dropout": ("Dropout", (Field("rate", "rate", 0.25, 0, 0.95),)),
    "dense": ("Dense", (Field("units", "units", 64, 1, 2048), _ACTIVATION)),
    "flatten": ("Flatten", ()),
    "average": ("GlobalAveragePooling", ()),
    "residual": ("Residual block", (
        Field("filters", "filters", 32, 1, 256), Field("stride", "stride", 1, 1, 4),
    )),
}  # fmt: skip
"""What a layer can be: its name for people and what can be chosen about it."""


@dataclass(frozen=True)
class DesignLayer:
    """One row of a design.

    Attributes
    ----------
    kind : a key of `KINDS`.
    settings : name and value of each of its fields, in their order.

    Raises
    ------
    BadDesign : `kind` or a value cannot be.
    """

    kind: str
    settings: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadDesign(f"There is no layer {self.kind!r:.40}. There are {', '.join(KINDS)}.")
        given = dict(self.settings)
        fields = KINDS[self.kind][1]
        unknown = set(given) - {field.name for field in fields}
        if unknown:
            raise BadDesign(f"A {self.kind} layer has no {min(unknown)!r:.40}.")
        kept = tuple(
            (field.name, field.check(given.get(field.name, field.default))) for field in fields
        )
        object.__setattr__(self, "settings", kept)

    def __getitem__(self, name: str) -> Any:
        return dict(self.settings)[name]

    def to_plain(self) -> dict[str, Value]:
        return {"kind": self.kind, **dict(self.settings)}

    @classmethod
    def from_plain(cls, row: object) -> "DesignLayer":
        """The inverse of `to_plain`; what is not said has its default. Raises `BadDesign`."""
        if not isinstance(row, dict) or not isinstance(row.get("kind"), str):
            raise BadDesign(f"A layer is an object with a kind. {_received(row)}")
        settings = {name: value for name, value in row.items() if name != "kind"}
        return cls(row["kind"], tuple(settings.items()))


@dataclass(frozen=True)
class Design:
    """Layers in a row, between the 28×28 image and the softmax over ten classes, which are given.

    Attributes
    ----------
    name : for people, 1 to 40 letters.
    layers : at most 40; whether they fit each other is `draft`'s to say.

    Raises
    ------
    BadDesign : the name, or the number of layers, cannot be.
    """

    name: str
    layers: tuple[DesignLayer, ...]

    def __post_init__(self) -> None:
        clean = " ".join(self.name.split()) if isinstance(self.name, str) else ""
        if not 0 < len(clean) <= LONGEST_NAME or not clean.isprintable():
            raise BadDesign(
                f"A design's name has 1 to {LONGEST_NAME} letters. {_received(self.name)}"
            )
        if len(self.layers) > MOST_LAYERS:
            raise BadDesign(
                f"A design has at most {MOST_LAYERS} layers. Received: {len(self.layers)}."
            )
        object.__setattr__(self, "name", clean)

    def __iter__(self) -> Iterator[DesignLayer]:
        return iter(self.layers)

    def to_plain(self) -> dict[str, Any]:
        return {
            "convscope": "design",
            "format": FORMAT,
            "name": self.name,
            "layers": [layer.to_plain() for layer in self.layers],
        }

    @classmethod
    def from_plain(cls, plain: object) -> "Design":
        """The inverse of `to_plain`. Raises `BadDesign`, naming the layer that is wrong."""
        if not isinstance(plain, dict) or plain.get("convscope") != "design":
            raise BadDesign("This is no design made in ConvScope.")
        if plain.get("format") != FORMAT:
            raise BadDesign(
                f"This design has format {plain.get('format')!r:.20}; this ConvScope reads "
                f"format {FORMAT}."
            )
        return cls(plain.get("name", ""), layers_from_plain(plain.get("layers")))

    def to_json(self) -> str:
        return json.dumps(self.to_plain(), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, content: bytes | str) -> "Design":
        """The inverse of `to_json`. Raises `BadDesign`."""
        if len(content) > _LONGEST_TEXT:
            raise BadDesign(
                f"A design has at most {_LONGEST_TEXT:,} letters. Received: {len(content):,}."
            )
        try:
            plain = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise BadDesign(f"This is no JSON: {error}.") from error
        return cls.from_plain(plain)


def layers_from_plain(rows: object) -> tuple[DesignLayer, ...]:
    """The layers of a list of rows. Raises `BadDesign`, with the number of the one it stops at."""
    if not isinstance(rows, list) or len(rows) > MOST_LAYERS:
        raise BadDesign(f"A design is a list of at most {MOST_LAYERS} layers.")
    layers = []
    for number, row in enumerate(rows, start=1):
        try:
            layers.append(DesignLayer.from_plain(row))
        except BadDesign as error:
            raise BadDesign(f"Layer {number}: {error}") from error
    return tuple(layers)


def _received(value: object) -> str:
    return f"Received: {value!r:.40}."


FIRST_DESIGN = Design(
    "My network",
    tuple(
        DesignLayer(kind, settings)
        for kind, settings in (
            ("conv", (("filters", 16),)), ("pool", ()), ("conv", (("filters", 32),)), ("pool", ()),
            ("flatten", ()), ("dense", (("units", 32),)),
        )
    ),
)  # fmt: skip
"""What a new visitor finds to change."""
