"""Texts and settings that nobody should send: links, designs, trainings."""

import base64
import zlib
from dataclasses import asdict, fields
from typing import Any

from hypothesis import strategies as st

from cnn_core.data.digit import digit_from_token, mnist_digit
from cnn_core.data.fashion import point_to_fashion
from cnn_core.networks.design import FIRST_DESIGN, Design
from cnn_core.networks.draft import draft
from cnn_core.networks.lesion import lesion_from_text, lesion_text
from cnn_core.networks.upload.kept import Told, check_told, names_from_text
from cnn_core.networks.zoo import open_network
from cnn_core.training.budget import check_cost
from cnn_core.training.config import COURSE, TrainingConfig, film_steps
from tests.hostile.door import DEEP, HUGE, Door, altered, as_json, damaged, numbers, plain, words


def _enter_design(content: bytes | str) -> None:
    design = Design.from_json(content)
    drafted = draft(design)
    if drafted.graph is not None:
        Design.from_json(design.to_json())


def _enter_training(values: Any) -> None:
    config = TrainingConfig(**values)
    check_cost(config)
    film_steps(config)
    TrainingConfig.from_json(config.to_json())


def _enter_training_text(text: bytes) -> None:
    check_cost(TrainingConfig.from_json(text.decode("utf-8", "replace")))


def _enter_lesion(text: str) -> None:
    lesion = lesion_from_text(open_network("classic").graph, text)
    lesion_text(lesion)


def _enter_told(values: tuple[Any, ...]) -> None:
    title, dataset, names = values
    check_told(
        Told(title, (0.0, 1.0), dataset, names_from_text(names)), open_network("intro").graph
    )


_drawn = base64.urlsafe_b64encode(zlib.compress(mnist_digit(0).bytes.tobytes(), 9)).decode()
_bomb = base64.urlsafe_b64encode(zlib.compress(b"\0" * 700_000, 9)).decode()
_design = FIRST_DESIGN.to_plain()
_names = [field.name for field in fields(TrainingConfig)]
_config = {name: value for name, value in asdict(COURSE).items() if name != "design"}
_deep = b'{"convscope": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"


def _layers(*layers: dict[str, Any]) -> bytes:
    return as_json({**_design, "layers": list(layers)})


DOORS = (
    Door(
        "digits in links",
        st.one_of(words, damaged(f"d.{_drawn}".encode()).map(lambda b: b.decode("latin-1"))),
        (
            "", ".", "d", "d.", "d.=", "x.AAAA", "d.é", "d.\ud800", "test-", "test-10000",
            "test-99999999", "test--1", "test-٣", "fashion-0", f"d.{_bomb}", "d." + "A" * 2_000_000,
        ),
        ("test-0", "test-9999", f"d.{_drawn}"),
        digit_from_token,
    ),
    Door(
        "units off in links",
        st.one_of(words, damaged(b"conv_1:3,5-7;dense_1:0").map(lambda b: b.decode("latin-1"))),
        (
            ":", "conv_1:", "conv_1:99999", "conv_1:0-99999", "conv_1:5-3", "dense_2:0", "a:" * 999,
            "conv_1:1;" * 200, "conv_1:0-99999;" * 130, "conv_1:٣", "constructor:1",
        ),
        ("", "conv_1:0", "conv_1:3,5-7;dense_1:0"),
        _enter_lesion,
    ),
    Door(
        "designs",
        st.one_of(
            altered(_design).map(as_json), damaged(as_json(_design)), plain.map(as_json)
        ),
        (
            b"", "", b"\xff\xfe", _deep, b"1" * 5_000, b"[" * 19_000, b"NaN", as_json(DEEP),
            as_json({**_design, "name": "\ud800"}), as_json({**_design, "format": HUGE}),
            _layers(*[{"kind": "conv", "filters": 256, "padding": "same"}] * 40),
            _layers({"kind": "dense", "units": HUGE}), _layers({"kind": "dropout", "rate": HUGE}),
            _layers({"kind": "conv", "kernel": 1e308}), _layers({"kind": "pool", "window": True}),
            _layers(*[{"kind": "flatten"}] * 41),
        ),
        (as_json(_design),),
        _enter_design,
    ),
    Door(
        "set-ups of trainings",
        st.one_of(
            st.dictionaries(st.sampled_from(_names), st.one_of(numbers, plain), max_size=4),
            st.fixed_dictionaries({}, optional={
                "epochs": st.integers(1, 1_000), "batch_size": st.integers(1, 60_000),
                "share": st.floats(0, 1), "validation_split": st.floats(0, 1),
                "architecture": st.sampled_from(["intro", "densenet_mini", "nobody", "../classic"]),
            }),
        ),
        (
            {"epochs": HUGE}, {"learning_rate": HUGE}, {"learning_rate": float("nan")},
            {"share": 5e-324}, {"batch_size": True}, {"seed": 2.5}, {"optimizer": []},
            {"architecture": "x" * 41}, {"architecture": None}, {"dataset": {}},
            {"epochs": 1_000, "batch_size": 1}, {"epochs": 1_000, "architecture": "densenet_mini"},
            {"validation_split": 1 - 1e-12},
        ),
        ({}, {"architecture": "intro", "epochs": 1, "share": 0.1}),
        _enter_training,
    ),
    Door(
        "trainings on disk",
        st.one_of(altered(_config).map(as_json), damaged(as_json(_config)), plain.map(as_json)),
        (
            b"", _deep, as_json({**_config, "start": {"id": [], "step": "x"}}),
            as_json({**_config, "start": {"id": "classic", "step": HUGE}}),
            as_json({**_config, "design": DEEP}), as_json({**_config, "epochs": HUGE}),
        ),
        (as_json(_config),),
        _enter_training_text,
    ),
    Door(
        "what is told of a model",
        st.tuples(words, words, words),
        (("", "", ","), ("x" * 9_999, "mnist", "a," * 5_000), ("a", "\0", ""), ("a", "", "[a](b)")),
        (("a", "mnist", "0,1,2,3,4,5,6,7,8,9"),),
        _enter_told,
    ),
    Door(
        "the place of Fashion-MNIST",
        words,
        ("", "~nobody-at-all/x", "\0", "a" * 400, "/dev/null", "/", "~", "/proc/self/mem", "x\n"),
        (),
        point_to_fashion,
    ),
)  # fmt: skip
