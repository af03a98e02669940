"""Work that takes a while: begun by a button, followed by a bar, stopped by another button."""

from typing import Any

import streamlit as st

from cnn_core.errors import Cancelled, ConvScopeError
from cnn_core.lab.jobs import Job
from cnn_core.lab.requests import Request
from ui import ask, state

_EVERY = 0.5  # seconds between two looks at how far it is


def study(
    request: Request,
    label: str,
    key: str,
    about: str = "",
    also: tuple[Request, ...] = (),
    at_once: bool = False,
) -> Any | None:
    """The answer, if it is there; else the button that asks for it, or how far it is.

    Parameters
    ----------
    request : hashable; the same is worked out once for everybody.
    label, about : of the button.
    also : what the same button asks for too.
    at_once : begin without waiting for the button, the first time.
    """
    job = ask.begun(request)
    if job is None and at_once and ask.lab_status("study").state != "down":
        job = _begun((request, *also))
    if job is not None and not job.ended:
        st.fragment(_follow, run_every=_EVERY)(job, request, key)
        return None
    with st.container(key=f"study-{key}"):
        if job is not None:
            try:
                return job.result()
            except Cancelled:
                pass  # as was wished: the button stands here again
            except ConvScopeError as error:
                st.error(str(error))
        st.button(
            label,
            key=f"{key}-begin",
            icon=":material/play_arrow:",
            help=about or None,
            on_click=lambda: _begin((request, *also)),
        )
    return None


def _begun(requests: tuple[Request, ...]) -> Job | None:
    """The first one's job, if it could be begun: the button stands there otherwise."""
    try:
        jobs = [ask.begun(request) or ask.begin(request, state.owner()) for request in requests]
    except ConvScopeError:
        return None
    return jobs[0]


def _begin(requests: tuple[Request, ...]) -> None:
    try:
        for request in requests:
            job = ask.begun(request)
            if job is None or job.failed:
                ask.begin(request, state.owner())
            else:
                ask.join(request, state.owner())
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def _follow(job: Job, request: Request, key: str) -> None:
    if job.ended:
        st.rerun()
    with st.container(key=f"study-{key}", horizontal=True, vertical_alignment="center"):
        words = f"{job.progress:.0%}" if job.progress else "waiting for its turn"
        st.progress(min(1.0, job.progress), text=words)
        owner = state.owner()
        if ask.asks_for(request, owner):  # it is worked out once for everybody who does
            st.button("Cancel", key=f"{key}-cancel", on_click=lambda: ask.leave(request, owner))
