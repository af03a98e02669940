"""A pupil at a simulated classroom's server: draws, looks around, and checks every answer.

Each draws digits that nobody else draws. What the page shows must be of that very digit: the digit
itself bit by bit, every layer's output and every probability as NumPy computes it here.
"""

import asyncio
import base64
import io
import json
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import cycle

import numpy as np
from PIL import Image, ImageDraw
from safetensors.numpy import load

from benchmarks.person import Person, arrived
from cnn_core.data.digit import Digit
from cnn_core.data.ink import canvas_to_digit
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.reference import reference_trace
from cnn_core.probe.trace import Trace

_SIDE = 280
_PEN = 22
_AGREEMENT = 1e-5  # of a layer's largest magnitude
_MOMENTS = (0, 3, 8)  # which frames of the film are looked at


@dataclass
class Findings:
    """What happened to everybody.

    Attributes
    ----------
    seconds : by what was done, how long each answer took.
    errors : tracebacks, answers that did not come, lost connections.
    wrong : answers that were not of the pupil's own digit, or not what it computes to.
    checked : how many answers were compared.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    checked: int = 0

    @property
    def all_seconds(self) -> list[float]:
        return [one for many in self.seconds.values() for one in many]


@dataclass(frozen=True)
class Drawing:
    """A drawing as the canvas sends it, and the digit that it is."""

    url: str
    strokes: tuple[dict[str, object], ...]
    digit: Digit


def drawing(chance: random.Random) -> Drawing:
    """A few bold strokes that nobody has drawn before."""
    picture = Image.new("RGBA", (_SIDE, _SIDE))
    pen = ImageDraw.Draw(picture)
    points = [
        (chance.uniform(40, 240), chance.uniform(40, 240)) for _ in range(chance.choice([3, 4, 5]))
    ]
    pen.line(points, fill="white", width=_PEN, joint="curve")
    for x, y in points:
        pen.ellipse((x - _PEN / 2, y - _PEN / 2, x + _PEN / 2, y + _PEN / 2), fill="white")
    file = io.BytesIO()
    picture.save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    path = [["M" if k == 0 else "L", round(x), round(y)] for k, (x, y) in enumerate(points)]
    return Drawing(url, ({"type": "path", "path": path},), canvas_to_digit(url, _SIDE))


@lru_cache(maxsize=2048)
def _expected(ref: NetworkRef, pixels: bytes) -> Trace:
    image = np.frombuffer(pixels, np.float32).reshape(28, 28)
    network = open_network(ref.id)
    return reference_trace(network.graph, weights_at(ref), network.card.fit(image))


class Pupil:
    """One of the class.

    Parameters
    ----------
    number : which; decides what is drawn.
    findings : where to note what happens; with others', or one's own.
    """

    def __init__(self, number: int, findings: Findings | None = None) -> None:
        chance = random.Random(number)
        self._chance, self.findings = chance, findings or Findings()
        self._name = f"pupil {number}"
        drawings = [drawing(chance) for _ in range(6)]
        self._drawings: Iterator[Drawing] = cycle(drawings)
        self._ref = open_network("classic").last
        for one in drawings:  # worked out before the lesson begins
            _expected(self._ref, one.digit.pixels.tobytes())

    async def attend(self, url: str, until: float, every: float) -> None:
        """Do something every so many seconds, until the event loop's clock says that it is over."""
        clock = asyncio.get_running_loop().time
        try:
            await asyncio.sleep(self._chance.uniform(0, every))
            async with arrived(url) as (person, seconds):
                self._note("open", seconds)
                plan = cycle(self._plan(person))
                due = clock()
                while clock() < until:
                    due = max(due + every * self._chance.uniform(0.8, 1.2), clock())
                    await asyncio.sleep(due - clock())
                    name, act = next(plan)
                    self._note(name, await act())
                    self.findings.errors += [f"{self._name}: {text}" for text in person.trouble]
                    person.trouble.clear()
        except (OSError, TimeoutError, LookupError) as error:
            self.findings.errors.append(f"{self._name}: {type(error).__name__} {error}")

    async def pass_by(self, url: str) -> None:
        """Come, draw twice, look at Layers, and leave."""
        try:
            async with arrived(url) as (person, seconds):
                self._note("open", seconds)
                for _ in range(2):
                    self._note("draw", await self.draw(person))
                self._note("to Layers", await self._go(person, "layers"))
                self.findings.errors += [f"{self._name}: {text}" for text in person.trouble]
        except (OSError, TimeoutError, LookupError) as error:
            self.findings.errors.append(f"{self._name}: {type(error).__name__} {error}")

    def _note(self, name: str, seconds: float) -> None:
        self.findings.seconds.setdefault(name, []).append(seconds)

    def _plan(self, person: Person) -> list[tuple[str, Callable[[], Awaitable[float]]]]:
        """Mostly drawing; in between a walk through the pages."""
        draw = ("draw", lambda: self.draw(person))
        layers = ("to Layers", lambda: self._go(person, "layers"))
        back = ("to Draw", lambda: self._go(person, ""))
        step = ("step a layer", lambda: self._step(person))
        moment = ("another moment", lambda: self._moment(person))
        filters = ("to Filters", lambda: self._go(person, "filters"))
        choose = ("another filter", lambda: self._filter(person))
        return [draw, draw, draw, layers, step, step, moment, back, draw, draw, filters, choose,
                back, draw, moment]  # fmt: skip

    async def draw(self, person: Person) -> float:
        """Draw the next digit; seconds until everything of it stands."""
        now = next(self._drawings)
        self._digit = now.digit
        seconds = await person.send(
            "drawing-0", drawing={"raw": {"objects": list(now.strokes)}, "data": now.url}
        )
        found = re.search(r'data-digit="([^"]+)"', person.text("digit-seen"))
        self._check("the digit", found is not None and found[1] == now.digit.token)
        self.compare(person)
        return seconds

    async def _go(self, person: Person, page: str) -> float:
        seconds = await person.open(page)
        if page != "filters":
            self.compare(person)
        return seconds

    async def _step(self, person: Person) -> float:
        seconds = await person.press("layer-next")
        self.compare(person)
        return seconds

    async def _moment(self, person: Person) -> float:
        steps = open_network("classic").film.steps
        step = steps[self._chance.choice(_MOMENTS)]
        self._ref = NetworkRef("classic", step)
        seconds = await person.send("moment-slider", step=step)
        self.compare(person)
        return seconds

    async def _filter(self, person: Person) -> float:
        """Another filter of the layer that the page shows."""
        field = person.key_like(re.compile(r"filter-number-\w+-\d+"))
        layer = field.removeprefix("filter-number-").rpartition("-")[0]
        output = self._trace()[layer].output
        number = self._chance.randrange(output.shape[-1])
        seconds = await person.enter(field, number)
        shown = person.text("filter-detail")
        self._check("the filter", f"{layer}, filter {number} " in shown)
        values = output[..., number]
        said = f"{values.max():.3g} at row" if values.any() else "It is silent on your digit"
        self._check("its answer", said in shown)
        return seconds

    def _trace(self) -> Trace:
        return _expected(self._ref, self._digit.pixels.tobytes())

    def compare(self, person: Person) -> None:
        """Every layer of the network view, and the probabilities where they stand."""
        expected = self._trace()
        payload = person.bytes_of("network-view-whole")
        length = int.from_bytes(payload[:8], "little")
        view = json.loads(json.loads(payload[8 : 8 + length])["__metadata__"]["view"])
        self._check("the picture", f"/{self._ref.step}//{self._digit.token}/" in view["picture"])
        tensors = load(payload)
        same = {layer.name for layer in expected} <= set(tensors)
        self._check("the network", same)
        for layer in expected if same else ():
            largest = float(np.abs(layer.output).max())
            off = float(np.abs(tensors[layer.name] - layer.output).max())
            self._check(layer.name, off <= _AGREEMENT * largest)
        if person.shows("probabilities"):
            bars = re.findall(r'data-value="([^"]+)"', person.text("probabilities"))
            off = np.abs(np.array(bars, np.float64) - expected.output).max()
            self._check("the probabilities", bool(off <= _AGREEMENT))

    def _check(self, what: str, right: bool) -> None:
        self.findings.checked += 1
        if not right:
            self.findings.wrong.append(f"{self._name}: {what}")
