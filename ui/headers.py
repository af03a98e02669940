"""Security headers on every answer: what a page may load and run, and who may frame it.

A pure ASGI middleware: it adds headers as an answer begins, reads no body, and lets the
websocket's upgrade through as it is.
"""

import base64
import hashlib
import os
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9*.-]{1,253}(:[0-9]{1,5})?")

_ALWAYS = {
    # A text file is never taken for a script.
    "X-Content-Type-Options": "nosniff",
    # Addresses hold drawn digits: other sites learn where somebody came from, not what they drew.
    "Referrer-Policy": "strict-origin-when-cross-origin",
    # Nothing here needs any of these; copying a link needs the clipboard, which is not named.
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), "
    "serial=(), midi=(), display-capture=()",
    # Windows that other sites open onto ConvScope cannot reach into it.
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """The middleware, for `st.App`.

    Parameters
    ----------
    app : what answers.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        added = [(name.lower().encode(), value.encode()) for name, value in _headers(scope)]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in added}
                kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in given]
                message = {**message, "headers": [*kept, *added]}
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _headers(scope: Scope) -> Iterable[tuple[str, str]]:
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    yield from _ALWAYS.items()
    frames = frame_ancestors()
    yield "Content-Security-Policy", content_security_policy(host.decode("latin-1"), frames)
    if frames == ("'self'",):
        yield "X-Frame-Options", "SAMEORIGIN"  # for browsers that do not know frame-ancestors


def frame_ancestors() -> tuple[str, ...]:
    """Who may show ConvScope in a frame: itself, and the origins in ``CONVSCOPE_FRAMES``,
    separated by spaces. What is no origin is left out."""
    named = os.environ.get("CONVSCOPE_FRAMES", "").split()
    return ("'self'", *(one for one in named[:20] if _ORIGIN.fullmatch(one)))


@lru_cache(maxsize=64)
def content_security_policy(host: str, frames: tuple[str, ...] = ("'self'",)) -> str:
    """What a page may load, and from where.

    Parameters
    ----------
    host : of the request: some browsers do not count a websocket of the same host as ``'self'``.
    frames : who may frame it.
    """
    sockets = f"ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    rules = {
        "default-src": "'self'",
        # Streamlit runs a component's own code from a blob: made by its scripts, never by a page's
        # text. Its pages have inline scripts, which are named by their digests. Graphviz is
        # WebAssembly.
        "script-src": " ".join(("'self' blob: 'wasm-unsafe-eval'", *inline_scripts())),
        "worker-src": "'self' blob:",
        "style-src": "'self' 'unsafe-inline'",  # Streamlit and Plotly style elements one by one
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' data: blob:",
        "connect-src": f"'self' data: blob: {sockets}".strip(),
        "frame-src": "'self'",
        "frame-ancestors": " ".join(frames),
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@lru_cache(maxsize=1)
def inline_scripts() -> tuple[str, ...]:
    """The digests of the scripts that stand in Streamlit's own page, as a policy names them."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    found = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = (hashlib.sha256(script.encode()).digest() for script in found)
    return tuple(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
