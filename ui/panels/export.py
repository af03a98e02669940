"""What can be taken along: the page's numbers as a notebook, the network as Keras code."""

import re
from collections.abc import Callable, Sequence

import streamlit as st

from cnn_core.errors import UnsupportedLayer
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.source import network_script
from cnn_core.networks.zoo import Network
from cnn_core.notebooks.cells import Cell, notebook_file


def notebook_button(
    make: Callable[[], Sequence[Cell]] | None, name: str, missing: str = ""
) -> None:
    """The page as a Jupyter notebook, made when it is asked for and not before.

    It stands at the foot of a page, the same on every one.

    Parameters
    ----------
    make : gives the cells. It runs outside the page, and so must hold all it needs: nothing in it
        may ask for the session's state. None while there is nothing to take along.
    name : of the file, without its ending.
    missing : why there is nothing yet.
    """
    file = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")
    with st.container(key="export"):
        st.download_button(
            "Notebook",
            (lambda: notebook_file(make())) if make is not None else b"",
            f"convscope-{file}.ipynb",
            "application/x-ipynb+json",
            key="notebook",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            disabled=make is None,
            help=missing
            or "What this page shows, as a Jupyter notebook that works every number out again",
        )


def network_code(network: Network, ref: NetworkRef) -> None:
    """The Keras code that builds the network, to be read, copied or taken along as a file."""
    with st.expander("Keras code of the network", key="network-code"):
        try:
            script = network_script(network.graph, network.id, ref)
        except UnsupportedLayer as error:
            st.caption(str(error))
            return
        st.code(script, language="python", height=400)
        st.download_button(
            "Python file",
            lambda: script,
            f"{network.id}.py",
            "text/x-python",
            key="network-code-file",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
