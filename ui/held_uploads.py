"""How much of uploaded files the server holds in memory.

Streamlit keeps a visitor's files until they are taken away or the visitor leaves, and it takes as
many as are sent. This middleware counts what is held before another comes in.
"""

import re
from collections.abc import Mapping
from typing import Any

from streamlit import runtime

from ui.headers import App, Message, Receive, Scope, Send

MOST_OF_A_VISITOR = 96_000_000
"""Bytes: a model and some pictures."""

MOST_OF_ALL = 512_000_000
"""Bytes of all visitors together."""

_UPLOAD = re.compile(r".*/_stcore/upload_file/([^/]+)/[^/]+")


class HeldUploads:
    """The middleware, for `st.App`.

    Parameters
    ----------
    app : what answers.
    of_a_visitor, of_all : the most bytes that are held.
    """

    def __init__(
        self, app: App, of_a_visitor: int = MOST_OF_A_VISITOR, of_all: int = MOST_OF_ALL
    ) -> None:
        self.app, self.of_a_visitor, self.of_all = app, of_a_visitor, of_all
        self._coming: dict[int, tuple[str, int]] = {}  # whose, and how long

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _UPLOAD.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if asked is None or scope["method"] != "PUT":
            await self.app(scope, receive, send)
            return
        length = _content_length(scope)
        if length is None:
            await _refuse(send, 411, "An upload says how long it is.")
            return
        mine, all_ = held(asked[1])
        mine += sum(bytes_ for whose, bytes_ in self._coming.values() if whose == asked[1])
        all_ += sum(bytes_ for _, bytes_ in self._coming.values())
        if mine + length > self.of_a_visitor:
            await _refuse(send, 413, "You have uploaded too many files. Reload the page.")
            return
        if all_ + length > self.of_all:
            await _refuse(send, 503, "Too many files are being looked at. Try again in a while.")
            return
        self._coming[id(scope)] = asked[1], length
        try:
            await self.app(scope, receive, send)
        finally:
            del self._coming[id(scope)]


def held(session: str) -> tuple[int, int]:
    """Bytes of files that Streamlit holds for one visitor, and for all."""
    if not runtime.exists():
        return 0, 0
    files: Mapping[str, Mapping[str, Any]] = runtime.get_instance().uploaded_file_mgr.file_storage  # type: ignore[attr-defined]
    by_visitor = {
        visitor: sum(len(file.data) for file in list(theirs.values()))
        for visitor, theirs in list(files.items())
    }
    return by_visitor.get(session, 0), sum(by_visitor.values())


def _content_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 15:
            return int(value)
    return None


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = sentence.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    start: Message = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
