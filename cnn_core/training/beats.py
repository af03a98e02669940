"""Whether somebody still writes a run's signs of life, by the clocks of two machines."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class _Look:
    """What was found when a run's beat was last looked at; all but `beat` by the own clock.

    Attributes
    ----------
    beat : what was read.
    since : when it was first read.
    came : whether it came while somebody watched.
    at : the moment of the look.
    """

    beat: float
    since: float
    came: bool
    at: float


_looks: dict[str, _Look] = {}


def is_silent(run: str, beat: float, seconds: float) -> bool:
    """Whether the last beat is too long ago.

    Parameters
    ----------
    run : its id.
    beat : the writer's clock when it was written, seconds since 1970.
    seconds : how long ago it may be.

    The writer's clock may be another machine's, and wrong. A beat therefore counts as fresh by
    this machine's clock, or because it came between two looks no further apart than that.
    """
    now = time.monotonic()
    last = _looks.get(run)
    if last is None or last.beat != beat:
        # A look long ago does not say when, since then, it came.
        came = last is not None and beat > last.beat and now - last.at <= seconds
        look = _Look(beat, now, came, now)
    else:
        look = _Look(beat, last.since, last.came, now)
    _looks[run] = look
    by_the_clock = abs(time.time() - beat) <= seconds
    return not by_the_clock and not (look.came and now - look.since <= seconds)
