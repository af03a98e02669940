"""What a network view fetches from this server: its own code, and a moment's weights.

Both are named by their content, so that a browser keeps them and never asks twice.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from pathlib import Path
from urllib.parse import quote

import streamlit as st
from cachetools import LRUCache, cached
from safetensors.numpy import save
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cnn_core.errors import ConvScopeError
from cnn_core.networks.film import Weights, step_from_text
from cnn_core.networks.lesion import lesion_from_text, lesion_text
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.views.colour import SCALES, colour_table

_JS = Path(__file__).with_name("js")
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_ROOT = "network-view"
_WHOLE = "whole"  # in an address: nothing is off


def _scripts() -> dict[str, bytes]:
    """The modules by file name, and the colour tables as one more."""
    tables = {scale: colour_table(scale).reshape(-1).tolist() for scale in SCALES}
    scripts = {file.name: file.read_bytes() for file in _JS.glob("*.js")}
    scripts["colours.js"] = f"export const TABLES = {json.dumps(tables)};\n".encode()
    return scripts


SCRIPTS = _scripts()
VERSION = hashlib.sha256(b"\0".join(SCRIPTS[name] for name in sorted(SCRIPTS))).hexdigest()[:16]
MODULE = f"{_ROOT}/{VERSION}/network_view.js"
"""Where the view's first module is served, below the app's own address."""


@cached(LRUCache(24_000_000, getsizeof=lambda named: len(named[1])), lock=threading.Lock())
def _weights(ref: NetworkRef) -> tuple[str, bytes]:
    """The moment's weights as a safetensors file of float32, and the digest that names them."""
    tensors = {
        f"{layer}/{name}": array
        for layer, named in weights_at(ref).items()
        for name, array in named.items()
    }
    content = save(tensors)
    return hashlib.sha256(content).hexdigest()[:16], content


_offered: OrderedDict[str, bytes] = OrderedDict()
_MOST_OFFERED = 256
_MOST_OFFERED_BYTES = 64_000_000  # single operations take hundreds, somebody's design millions


def offered_address(weights: Weights) -> str:
    """Where weights of no network are served, while they are among the last asked for."""
    content = save(
        {
            f"{layer}/{name}": array
            for layer, named in weights.items()
            for name, array in named.items()
        }
    )
    digest = hashlib.sha256(content).hexdigest()[:16]
    _offered[digest] = content
    _offered.move_to_end(digest)
    while len(_offered) > _MOST_OFFERED or (
        len(_offered) > 1 and sum(map(len, _offered.values())) > _MOST_OFFERED_BYTES
    ):
        _offered.popitem(last=False)
    return f"weights/offered/{digest}"


def weights_address(ref: NetworkRef) -> str:
    """Where the weights of a network at a moment are served, beside the modules' folder."""
    digest, _ = _weights(ref)
    off = quote(lesion_text(ref.lesion), safe="") or _WHOLE
    return f"weights/{ref.id}/{ref.step}/{off}/{digest}"


async def _send_offered(request: Request) -> Response:
    content = _offered.get(request.path_params["digest"])
    if content is None:
        return PlainTextResponse("There are no such weights any more.", 404)
    return Response(content, media_type="application/octet-stream", headers=_KEPT)


async def _send_script(request: Request) -> Response:
    content = SCRIPTS.get(request.path_params["name"])
    if content is None or request.path_params["version"] != VERSION:
        return PlainTextResponse("There is no such file.", 404)
    return Response(content, media_type="text/javascript", headers=_KEPT)


def _send_weights(request: Request) -> Response:
    """Answered in a thread: the first time a moment is asked for, its frame is read."""
    path = request.path_params
    try:
        off = "" if path["off"] == _WHOLE else path["off"]
        lesion = lesion_from_text(open_network(path["id"]).graph, off)
        digest, content = _weights(NetworkRef(path["id"], step_from_text(path["step"]), lesion))
    except ConvScopeError as error:
        return PlainTextResponse(str(error), 404)
    if path["digest"] != digest:
        return PlainTextResponse("There are no such weights.", 404)
    return Response(content, media_type="application/octet-stream", headers=_KEPT)


def routes() -> list[Route]:
    """The routes for `st.App`."""
    base = st.get_option("server.baseUrlPath").strip("/")
    root = f"/{base}/{_ROOT}" if base else f"/{_ROOT}"
    return [
        Route(f"{root}/weights/{{id}}/{{step}}/{{off}}/{{digest}}", _send_weights),
        Route(f"{root}/weights/offered/{{digest}}", _send_offered),
        Route(f"{root}/{{version}}/{{name}}", _send_script),
    ]
