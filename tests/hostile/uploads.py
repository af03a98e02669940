"""Models that nobody should upload, as far as they come without a process of their own."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cnn_core.networks.upload import read_upload
from tests.core.keras_files import members_of, packed, residual, saved, small
from tests.hostile.door import DEEP, HUGE, Door, altered, as_json, damaged, plain


def _inflating(name: str, bytes_: int) -> bytes:
    """An archive whose member unpacks to so many zeros."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for other in ("metadata.json", "config.json", "model.weights.h5"):
            size = bytes_ if other == name else 10
            archive.writestr(other, b"\0" * size)
    return content.getvalue()


def door() -> Door:
    """The door, with good files that Keras saves when it is asked for."""
    with tempfile.TemporaryDirectory() as name:
        files = [saved(build(), Path(name)) for build in (small, residual)]
    members = [members_of(file) for file in files]

    def with_config(which: int, config: Any) -> bytes:
        return packed({**members[which], "config.json": as_json(config)})

    first = json.loads(members[0]["config.json"])
    layer = first["config"]["layers"][1]

    def with_setting(**settings: Any) -> bytes:
        changed = {**layer, "config": {**layer["config"], **settings}}
        layers = [first["config"]["layers"][0], changed, *first["config"]["layers"][2:]]
        return with_config(0, {**first, "config": {**first["config"], "layers": layers}})

    def altered_config(which: int) -> SearchStrategy[bytes]:
        config = json.loads(members[which]["config.json"])
        return altered(config).map(lambda changed: with_config(which, changed))

    return Door(
        "uploaded models",
        st.one_of(
            *(damaged(file) for file in files),
            altered_config(0),
            altered_config(1),
            plain.map(lambda config: with_config(0, config)),
            plain.map(lambda facts: packed({**members[0], "metadata.json": as_json(facts)})),
        ),
        (
            b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), files[0] * 2, files[0] + b"\0",
            packed({}), packed({"../evil": b"x"}), packed({**members[0], "extra": b""}),
            _inflating("config.json", 300_000_000), _inflating("model.weights.h5", 300_000_000),
            packed({**members[0], "config.json": b"[" * 900_000}),
            packed({**members[0], "config.json": b"9" * 900_000}),
            packed({**members[0], "metadata.json": b'{"keras_version": 3}'}),
            with_config(0, DEEP), with_config(0, {"class_name": "Lambda", "config": {}}),
            with_config(0, {**first, "registered_name": "os>system"}),
            with_setting(filters=HUGE), with_setting(filters=-1), with_setting(strides=[0, 0]),
            with_setting(kernel_size=[64, HUGE]), with_setting(activation={"class_name": "x"}),
            with_setting(name="\ud800"), with_setting(name="a/../b"), with_setting(groups=3),
        ),
        tuple(files),
        read_upload,
    )  # fmt: skip
