"""A kernel to be edited: its numbers typed, or painted with a brush of one value."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnn_core.errors import BadOperation
from cnn_core.views.colour import colour_table

_HERE = Path(__file__).parent
MOST = 99.0
"""The greatest size of a number in a kernel."""

_editor = st.components.v2.component(
    "convscope_kernel_editor",
    html='<div class="kernel"></div>',
    css=(_HERE / "kernel_editor.css").read_text("utf-8"),
    js=(_HERE / "kernel_editor.js").read_text("utf-8"),
)


def kernel_editor(kernel: NDArray[np.float32], *, key: str, on_edit: Callable[[], None]) -> None:
    """Show the kernel. What it became stands in ``st.session_state[key]["kernel"]``.

    Parameters
    ----------
    kernel : `(k, k)`.
    on_edit : called after each change. What arrives is to be read with `edited_kernel`.
    """
    _editor(
        key=key,
        data={
            "kernel": np.round(kernel.astype(float), 4).tolist(),
            "colours": colour_table("signed").reshape(-1).tolist(),
        },
        on_kernel_change=on_edit,
    )


def edited_kernel(sent: object, size: int) -> NDArray[np.float32]:
    """The kernel that the browser sent, `(size, size)`.

    Raises
    ------
    BadOperation : it is none.
    """
    rows = sent if isinstance(sent, list) and len(sent) == size else []
    good = len(rows) == size and all(
        isinstance(row, list)
        and len(row) == size
        and all(type(value) in (int, float) and abs(value) <= MOST for value in row)
        for row in rows
    )
    if not good:
        raise BadOperation(
            f"A kernel of {size} × {size} has that many numbers from −{MOST:g} to {MOST:g}. "
            "What arrived from the editor is none; nothing was changed."
        )
    return np.array(rows, np.float32)
