"""A network's layers as a table to be edited: added, removed, moved, each with its settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from cnn_core.errors import BadDesign
from cnn_core.networks.design import KINDS, MOST_LAYERS, Design, DesignLayer, layers_from_plain
from cnn_core.networks.draft import CLASSES, IMAGE, Draft

_HERE = Path(__file__).parent

_editor = st.components.v2.component(
    "convscope_layer_editor",
    html='<div class="layers"></div>',
    css=(_HERE / "layer_editor.css").read_text("utf-8"),
    js=(_HERE / "layer_editor.js").read_text("utf-8"),
)


def layer_editor(
    design: Design, drafted: Draft, revision: int, *, key: str, on_edit: Callable[[], None]
) -> None:
    """Show the layers. What they became stands in ``st.session_state[key]["layers"]``.

    Parameters
    ----------
    drafted : what the design comes to.
    revision : of the last edit that `design` holds: an answer to an older one is not shown.
    on_edit : called after each change. What arrives is to be read with `edited_layers`.
    """
    _editor(
        key=key,
        data={
            "revision": revision,
            "layers": [layer.to_plain() for layer in design],
            "parts": [
                {"shape": _shape(part.output_shape), "parameters": part.parameter_count}
                for part in drafted.parts
            ],
            "input": _shape(IMAGE),
            "output": {
                "shape": _shape((CLASSES,)),
                "parameters": drafted.graph.output.parameter_count if drafted.graph else None,
            },
            "broken": drafted.broken,
            "why": drafted.why,
            "kinds": _kinds(),
            "most": MOST_LAYERS,
        },
        on_layers_change=on_edit,
    )


def edited_layers(sent: object) -> tuple[int, tuple[DesignLayer, ...]]:
    """The revision and the layers that the browser sent. Raises `BadDesign` if it is neither."""
    revision = sent.get("revision") if isinstance(sent, dict) else None
    if not isinstance(sent, dict) or type(revision) is not int or not 0 <= revision < 2**53:
        raise BadDesign("What arrived from the table of layers is none; nothing was changed.")
    return revision, layers_from_plain(sent.get("layers"))


def _kinds() -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "title": title,
            "fields": [
                {
                    "name": field.name,
                    "label": field.label,
                    "default": field.default,
                    "least": field.least,
                    "most": field.most,
                    "step": 1 if isinstance(field.default, int) else 0.05,
                    "choices": list(field.choices),
                }
                for field in fields
            ],
        }
        for kind, (title, fields) in KINDS.items()
    ]


def _shape(sizes: tuple[int, ...]) -> str:
    return " × ".join(map(str, sizes))
