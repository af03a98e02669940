"""Requests that no browser makes."""

import asyncio
from typing import Any

from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware

from cnn_core.errors import LinkError
from tests.hostile.door import Door, words
from ui.headers import SecurityHeaders
from ui.held_uploads import HeldUploads
from ui.network_view import routes
from ui.network_view.routes import VERSION


class Routes:
    """The server's own routes behind the middlewares, asked without a server in between."""

    def __init__(self) -> None:
        self.app = Starlette(
            routes=routes.routes(),
            middleware=[Middleware(SecurityHeaders), Middleware(HeldUploads)],
        )

    def enter(self, asked: tuple[str, bytes, bytes, list[tuple[bytes, bytes]]]) -> None:
        method, path, query, headers = asked
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path.decode("utf-8", "replace"), "raw_path": path,
            "query_string": query, "root_path": "", "headers": headers,
            "client": ("203.0.113.1", 1), "server": ("localhost", 8501),
        }  # fmt: skip
        answers: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            answers.append(message)

        asyncio.run(self.app(scope, receive, send))  # type: ignore[arg-type]
        start = answers[0]
        names = {name for name, _ in start["headers"]}
        assert b"content-security-policy" in names
        assert all(b"\n" not in value and b"\r" not in value for _, value in start["headers"])
        if start["status"] >= 400:
            raise LinkError(f"Refused with {start['status']}.")


_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "\x00", "get")
_parts = st.one_of(
    st.sampled_from([
        "network-view", "weights", "classic", "8442", "whole", "offered", VERSION, "..", "%2e%2e",
        "network_view.js", "conv_1:0-99999", "-1", "1e5", "_stcore", "upload_file", "0", "",
    ]),
    words,
)  # fmt: skip
_paths = st.lists(_parts, max_size=7).map(
    lambda parts: ("/" + "/".join(parts)).encode("utf-8", "surrogatepass")
)
_fields = st.sampled_from([
    (b"host", b"localhost:8501"), (b"host", b"evil\r\nSet-Cookie: a=b"), (b"host", b"\xff"),
    (b"host", b"x; script-src *"), (b"content-length", b"-1"), (b"content-length", b"9" * 40),
    (b"content-length", b"5"), (b"range", b"bytes=0-99999999999,5-1"), (b"origin", b"null"),
    (b"cookie", b"a" * 9_000), (b"accept-encoding", b"gzip;q=NaN"), (b"if-none-match", b"*"),
])  # fmt: skip
_asked = st.tuples(
    st.sampled_from(_METHODS),
    st.one_of(_paths, st.binary(max_size=80).map(b"/".__add__)),
    st.binary(max_size=60),
    st.lists(_fields, max_size=4),
)
_HOST = [(b"host", b"localhost:8501")]
_script = f"/network-view/{VERSION}/network_view.js".encode()
_REQUESTS = (
    *((method, _script, b"", _HOST) for method in _METHODS[2:]),
    ("GET", b"/network-view/" + VERSION.encode() + b"/../payload.py", b"", _HOST),
    ("GET", b"/network-view/\xff\xfe/x.js", b"", _HOST),
    ("GET", b"/network-view/weights/classic/" + b"9" * 6_000 + b"/whole/0", b"", _HOST),
    ("GET", b"/network-view/weights/classic/-1/whole/0", b"", _HOST),
    ("GET", b"/network-view/weights/../../runs/0/whole/0", b"", _HOST),
    ("GET", b"/network-view/weights/classic/8442/" + b"conv_1:0-99999;" * 130 + b"/0", b"", _HOST),
    ("GET", b"/network-view/weights/classic/8442/" + b"x" * 10**6 + b"/0", b"", _HOST),
    ("GET", b"/network-view/weights/offered/" + b"0" * 10**6, b"", _HOST),
    ("GET", b"/" + b"a/" * 10**5, b"q" * 10**6, _HOST * 500),
    ("PUT", b"/_stcore/upload_file/x/y", b"", _HOST),
    ("PUT", b"/_stcore/upload_file/x/y", b"", [(b"content-length", b"9" * 14)]),
    ("PUT", b"/_stcore/upload_file/../y", b"", [(b"content-length", b"\xb2")]),
)

DOOR = Door("requests", _asked, _REQUESTS, (("GET", _script, b"", _HOST),), Routes().enter)
