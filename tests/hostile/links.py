"""Links that nobody should follow."""

from functools import lru_cache

from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from cnn_core.errors import LinkError
from tests.hostile.door import Door, words
from tests.hostile.page_run import checked


def _link_script() -> None:
    import streamlit

    from ui import address

    for name in ("digit", "page"):  # a new visitor each time
        streamlit.session_state.pop(name, None)
    address.begin_run("")
    address.link("lessons")


@lru_cache(maxsize=1)
def _app() -> AppTest:
    return AppTest.from_function(_link_script, default_timeout=60)


def _enter_link(named: dict[str, str]) -> None:
    app = _app()
    app.query_params.clear()
    for name, value in named.items():
        app.query_params[name] = value
    said = checked(app.run()).session_state["notice"]
    if said:
        raise LinkError(said)


LINK_NAMES = (
    "v", "digit", "network", "step", "off", "layer", "unit", "lesson", "card", "present", "hide",
)  # fmt: skip
_ODD = ("", "9" * 6_000, "\0", "٣", "-1", "NaN")
_in_a_link = st.one_of(
    words.map(lambda text: text.encode("utf-8", "replace").decode()),  # as text crosses the net
    st.integers().map(str),
    st.sampled_from(["classic", "conv_1", "test-3", "1,2,3", "0"]),
)

DOOR = Door(
        "links",
        st.dictionaries(st.sampled_from(LINK_NAMES), _in_a_link, max_size=5),
        (
            *({name: value} for name in LINK_NAMES for value in _ODD),
            {"unit": "1" * 40}, {"unit": "1,,2"}, {"step": "٣"}, {"hide": "x," * 3_000},
            {"network": "../classic"}, {"network": "constructor"}, {"off": "conv_1:0-99999;" * 130},
            {"lesson": "999", "card": "0"}, {"layer": "<script>"}, {"digit": "d." + "A" * 10**6},
            dict.fromkeys(LINK_NAMES, "x"),
        ),
        ({},
         {"digit": "test-3", "network": "intro", "step": "0", "layer": "conv_1", "unit": "1,2,3"},
         {"lesson": "3", "card": "2", "present": "1", "hide": "digit,link"}),
        _enter_link,
    )  # fmt: skip
