"""What stands around every page: page settings, navigation, sidebar, the link."""

from pathlib import Path

import streamlit as st

from cnn_core.errors import ConvScopeError
from ui import address, ask, state
from ui.crowd import take_place
from ui.garbage import set_modules_aside
from ui.link import write_link
from ui.owner import ask_owner
from ui.panels.presenting import dress, present_switch
from ui.panels.sidebar import sidebar

HERE = Path(__file__).parent

# Icons from files of our own: the browser would fetch a Material one from the web.
st.set_page_config(page_title="ConvScope", page_icon=HERE / "icon.svg", layout="wide")
st.logo(HERE / "wordmark.svg", icon_image=HERE / "icon.svg", size="large")
st.html(HERE / "style.css")

PAGES = [
    st.Page("../pages/draw.py", title="Draw", icon=":material/draw:", default=True),
    st.Page("../pages/lessons.py", title="Lessons", icon=":material/school:"),
    st.Page("../pages/layers.py", title="Layers", icon=":material/layers:"),
    st.Page("../pages/train.py", title="Train", icon=":material/model_training:"),
    st.Page("../pages/filters.py", title="Filters", icon=":material/grid_view:"),
    st.Page("../pages/evaluate.py", title="Evaluate", icon=":material/fact_check:"),
    st.Page("../pages/playground.py", title="Playground", icon=":material/science:"),
    st.Page("../pages/architectures.py", title="Architectures", icon=":material/account_tree:"),
    st.Page("../pages/explain.py", title="Explain", icon=":material/psychology_alt:"),
    st.Page("../pages/about.py", title="About", icon=":material/info:"),
]
shown = st.navigation(PAGES)
try:
    take_place()
    address.begin_run(shown.url_path)
    with st.sidebar:
        if state.in_classroom():
            ask_owner("owner-token", state.take_owner)
            ask.here(state.owner())
        sidebar()
    with st.container(key="notice"):  # always there: what follows must not move when it fills
        if state.notice():
            st.error(state.notice())
    shown.run()
    with st.sidebar:
        present_switch()
        write_link(address.link(shown.url_path))
    dress()
except ConvScopeError as error:  # a sentence for people; anything else is a bug and stays loud
    st.error(str(error))
set_modules_aside()
