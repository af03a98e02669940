"""ConvScope: `streamlit run app.py`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from cnn_core.lab.requests import WarmUp
from cnn_core.lab.supervisor import Lab, LabSettings
from ui import ask
from ui.headers import SecurityHeaders
from ui.held_uploads import HeldUploads
from ui.network_view import routes as network_view


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """The lab lives as long as the server; it warms up while the first page is painted."""
    with Lab(LabSettings.from_environment(warm_up=WarmUp(("classic", "intro")))) as lab:
        ask.use(lab)
        yield {}


app = st.App(
    "ui/shell.py",
    lifespan=lifespan,
    routes=network_view.routes(),
    middleware=[Middleware(SecurityHeaders), Middleware(HeldUploads)],
)
