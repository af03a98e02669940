"""A person at a running ConvScope, without a browser: the websocket that a browser would hold.

Speaks Streamlit's own protocol: sends what widgets and components would, keeps what the page shows,
and times what is asked until the page's script has run to its end. Hundreds fit into one process.
"""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from streamlit.components.v2.bidi_component.constants import EVENT_DELIM
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX
from websockets.asyncio.client import connect

LIMIT_SECONDS = 60.0
"""An answer that takes longer counts as none."""

_LARGEST_MESSAGE = 64_000_000


@dataclass
class _Part:
    """An element or a container of the page."""

    content: Any  # the element's own message, or the block's
    run: str
    fragment: str


class Person:
    """One browser tab, as the server sees it. An asynchronous context manager.

    Parameters
    ----------
    url : the server's, ``http://localhost:8501``.
    query : the link's query string that it is opened with.
    """

    def __init__(self, url: str, query: str = "") -> None:
        self._address = re.sub("^http", "ws", url) + "/_stcore/stream"
        self._query = query
        self._page = ""
        self._pages: dict[str, str] = {}
        self._parts: dict[tuple[int, ...], _Part] = {}
        self._held: dict[str, WidgetState] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._run = self._whole_run = ""  # the one that speaks, and the last of a whole page
        self._finished: asyncio.Queue[str] = asyncio.Queue()
        self.trouble: list[str] = []

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            self._address, subprotocols=["streamlit"], max_size=_LARGEST_MESSAGE, compression=None
        )
        self._listener = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forget_timers()
        await self._socket.close()
        self._listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listener

    # Doing

    async def open(self, page: str = "") -> float:
        """Come to a page by the navigation; seconds until it stands. Raises `TimeoutError`."""
        self._page = self._pages.get(page, "")
        self._held.clear()
        self._forget_timers()
        return await self._ask(page_name=page)

    async def come_back(self, before: "Person", page: str) -> float:
        """Open a page as a browser does whose session the server has forgotten: with all that it
        said before."""
        self._held = dict(before._held)
        return await self._ask(page_name=page)

    async def press(self, key: str) -> float:
        """Press a button."""
        return await self._ask(WidgetState(id=self._id(key), trigger_value=True))

    async def enter(self, key: str, number: float) -> float:
        """Type into a number field."""
        return await self._ask(WidgetState(id=self._id(key), double_value=number))

    async def choose(self, key: str, option: str) -> float:
        """Choose from a list, by what is shown."""
        return await self._ask(WidgetState(id=self._id(key), string_value=option))

    async def send(self, key: str, **values: Any) -> float:
        """Have one of the browser's components say something."""
        return await self._ask(WidgetState(id=self._id(key), json_value=json.dumps(values)))

    async def trigger(self, key: str, event: str, value: Any) -> float:
        """Have one of the browser's components say something once."""
        id = f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{self._id(key)}{EVENT_DELIM}events"
        said = json.dumps([{"event": event, "value": value}])
        return await self._ask(WidgetState(id=id, json_trigger_value=said))

    async def pick(self, key: str, option: str) -> float:
        """Choose one of several buttons in a row."""
        change = WidgetState(id=self._id(key))
        change.string_array_value.data.append(option)
        return await self._ask(change)

    async def _ask(self, change: WidgetState | None = None, page_name: str = "") -> float:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash = self._query, self._page
        state.page_name = page_name
        lasting = change is not None and not change.WhichOneof("value").endswith("trigger_value")
        if change is not None and lasting:
            self._held[change.id] = change
        state.widget_states.widgets.extend(self._held.values())
        if change is not None and not lasting:
            state.widget_states.widgets.append(change)
        while not self._finished.empty():
            self._finished.get_nowait()
        began = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        await asyncio.wait_for(self._finished.get(), LIMIT_SECONDS)
        return time.perf_counter() - began

    async def _look_again(self, fragment: str, seconds: float) -> None:
        """What a part of a page that draws itself again has the browser do."""
        while True:
            await asyncio.sleep(seconds)
            message = BackMsg()
            state = message.rerun_script
            state.query_string, state.page_script_hash = self._query, self._page
            state.fragment_id, state.is_auto_rerun = fragment, True
            state.widget_states.widgets.extend(self._held.values())
            await self._socket.send(message.SerializeToString())

    def _forget_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    # Hearing

    async def _listen(self) -> None:
        async for data in self._socket:
            assert isinstance(data, bytes)
            message = ForwardMsg()
            message.ParseFromString(data)
            self._take(message)

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        run = message.metadata.run
        if kind == "new_session":
            self._run = run.script_run_id
            if not run.fragment_ids:
                self._whole_run = self._run
                self._page = message.new_session.page_script_hash
                self._forget_timers()
        elif kind == "navigation":
            self._pages = {
                page.url_pathname: page.page_script_hash for page in message.navigation.app_pages
            } | {"": next(p.page_script_hash for p in message.navigation.app_pages if p.is_default)}
            self._page = message.navigation.page_script_hash
        elif kind == "delta":
            self._place(message)
        elif kind == "auto_rerun":
            again = message.auto_rerun
            self._timers[again.fragment_id] = asyncio.create_task(
                self._look_again(again.fragment_id, again.interval)
            )
        elif kind == "script_finished":
            self._finish(message)

    def _place(self, message: ForwardMsg) -> None:
        delta, path = message.delta, tuple(message.metadata.delta_path)
        if delta.WhichOneof("type") == "add_block":
            content = delta.add_block
        else:
            element = delta.new_element
            content = getattr(element, element.WhichOneof("type") or "", element)
            if element.WhichOneof("type") == "exception":
                self.trouble.append(f"{content.type}: {content.message}")
        self._parts[path] = _Part(content, self._run, delta.fragment_id)

    def _finish(self, message: ForwardMsg) -> None:
        if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.trouble.append("A page could not be compiled.")
        if message.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
            return
        run = message.metadata.run
        if run.script_run_id != self._whole_run:
            return
        self._parts = {
            path: part
            for path, part in self._parts.items()
            if part.run == self._whole_run or part.fragment
        }
        ids = {getattr(part.content, "id", "") for part in self._parts.values()}
        self._held = {id: state for id, state in self._held.items() if id in ids}
        self._finished.put_nowait(self._whole_run)

    # Seeing

    def _keyed(self, key: str) -> tuple[tuple[int, ...], Any]:
        for path, part in self._parts.items():
            if str(getattr(part.content, "id", "")).endswith(f"-{key}"):
                return path, part.content
        raise LookupError(f"Nothing with the key {key!r} stands on the page.")

    def _id(self, key: str) -> str:
        return str(self._keyed(key)[1].id)

    def shows(self, key: str) -> bool:
        """Whether something with that key stands on the page."""
        try:
            self._keyed(key)
        except LookupError:
            return False
        return True

    def key_like(self, pattern: re.Pattern[str]) -> str:
        """The key of the first thing on the page whose id ends as the pattern says."""
        for part in self._parts.values():
            if found := re.search(pattern.pattern + "$", str(getattr(part.content, "id", ""))):
                return found[0]
        raise LookupError(f"Nothing with a key like {pattern.pattern!r} stands on the page.")

    def options_of(self, key: str) -> list[str]:
        """What a list offers, as it is shown."""
        return list(self._keyed(key)[1].options)

    def bytes_of(self, key: str) -> bytes:
        """What a component was sent."""
        return bytes(self._keyed(key)[1].bytes)

    def data_of(self, key: str) -> Any:
        """What a component was sent, from JSON."""
        return json.loads(self._keyed(key)[1].json)

    def text(self, key: str = "") -> str:
        """All HTML and all sentences inside a container, or on the page."""
        within = self._keyed(key)[0] if key else ()
        return " ".join(body for path, body in self._bodies() if path[: len(within)] == within)

    def _bodies(self) -> Iterator[tuple[tuple[int, ...], str]]:
        for path, part in sorted(self._parts.items()):
            yield path, str(getattr(part.content, "body", ""))


@contextlib.asynccontextmanager
async def arrived(url: str, query: str = "") -> AsyncIterator[tuple[Person, float]]:
    """Somebody who has opened the first page, and the seconds that it took."""
    began = time.perf_counter()
    async with Person(url, query) as person:
        await person.open()
        yield person, time.perf_counter() - began
