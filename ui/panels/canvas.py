"""The drawing canvas: a new stroke, and nothing else, changes the digit."""

import base64
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from cnn_core.data.ink import canvas_to_digit
from cnn_core.errors import InkError, NoInk
from ui import state

SIDE = 280  # 10 screen pixels a pixel of the digit; fits the narrowest phones
PEN = (8, 22, 40)  # least, usual and greatest width


def drawing_canvas() -> None:
    """White ink on black, with a pen to choose, undo and clear."""
    now = state.canvas()
    key = f"drawing-{now.mount}"
    pen = st.session_state.get("pen", PEN[1])
    with st.container(key="canvas"):
        st_canvas(
            stroke_width=pen if isinstance(pen, int) and PEN[0] <= pen <= PEN[2] else PEN[1],
            stroke_color="#ffffff",
            background_image=_paper(empty=not now.strokes),
            width=SIDE,
            height=SIDE,
            initial_drawing={"objects": list(now.start), "revision": now.revision},
            return_image_data=True,
            key=key,
            on_change=lambda: _take(key),
        )
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.button(
            "Undo",
            key="undo",
            icon=":material/undo:",
            on_click=lambda: state.redraw(state.canvas().strokes[:-1]),
            disabled=not now.strokes,
        )
        st.button(
            "Clear",
            key="clear",
            icon=":material/delete:",
            on_click=lambda: state.redraw(()),
            disabled=not now.strokes,
        )
        st.slider("Pen width", PEN[0], PEN[2], PEN[1], key="pen", persist_state="session", width=96)


def _paper(empty: bool) -> str:
    """What lies behind the ink, as an SVG: black, and a word of invitation while it is empty."""
    words = (
        '<text x="140" y="146" fill="#8a8a8a" font-size="18" text-anchor="middle" '
        'font-family="system-ui, sans-serif">Draw a digit here</text>'
    )
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIDE}" height="{SIDE}">'
        f'<rect width="100%" height="100%" fill="#000"/>{words if empty else ""}</svg>'
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"


def _take(key: str) -> None:
    """Read what the browser sent. It may be anything: what is no drawing changes nothing."""
    sent = st.session_state.get(key)
    drawing: Any = sent.get("drawing") if isinstance(sent, Mapping) else None
    strokes = drawing["raw"].get("objects") if _is_drawing(drawing) else None
    if not isinstance(strokes, list) or not all(isinstance(stroke, dict) for stroke in strokes):
        state.notify("What arrived from the canvas was no drawing. It starts afresh.")
        state.replace_canvas()
        return
    try:
        state.draw_digit(canvas_to_digit(drawing["data"], SIDE), strokes)
    except NoInk:
        state.keep_strokes(strokes)  # a cleared canvas: the last digit stays under the lens
    except InkError as error:
        state.notify(str(error))


def _is_drawing(drawing: Any) -> bool:
    return isinstance(drawing, dict) and isinstance(drawing.get("raw"), dict) and "data" in drawing
