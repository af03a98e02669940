"""Any picture, to be taken along for paper."""

import re
from collections.abc import Callable

import streamlit as st

from cnn_core.views.prints import Print


def print_buttons(make: Callable[[], Print], name: str, key: str) -> None:
    """PNG and SVG of a picture, made when they are asked for.

    Parameters
    ----------
    name : of the file, without its ending.
    """
    file = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")
    with st.container(horizontal=True, gap="small", key=f"print-{key}"):
        for form in ("png", "svg"):
            st.download_button(
                form.upper(),
                lambda form=form: make().file(form),  # type: ignore[misc]
                f"{file}.{form}",
                f"image/{'svg+xml' if form == 'svg' else 'png'}",
                key=f"print-{key}-{form}",
                icon=":material/download:",
                type="tertiary",
                on_click="ignore",
                help=f"{name}, at print quality",
            )
