"""What runs here: the networks, the lab, and whose work it stands on."""

import importlib.metadata
from html import escape

import streamlit as st

from cnn_core.lab.supervisor import LaneName
from cnn_core.networks.zoo import shipped_networks
from ui import ask
from ui.panels.datasets import datasets

st.title("About ConvScope", anchor=False)
st.caption(
    "A microscope for convolutional networks. Everything you see is computed on this machine."
)

st.header("Networks", anchor=False)
st.dataframe(
    [
        {
            "Network": network.card.title,
            "What it is": network.card.about,
            "Layers": len(network.graph.layers) - 1,
            "Parameters": network.graph.parameter_count,
            "Test digits right": network.card.accuracy[network.last.step],
            "Recorded moments": len(network.film.steps),
        }
        for network in shipped_networks().values()
    ],
    column_config={
        "Parameters": st.column_config.NumberColumn(format="localized"),
        "Test digits right": st.column_config.NumberColumn(format="percent"),
    },
    hide_index=True,
    alt="The shipped networks with their size and accuracy",
)

st.header("Data", anchor=False)
datasets()

st.header("Lab", anchor=False)
_LANES: dict[LaneName, str] = {
    "look": "Looks through networks with TensorFlow, in a process of its own.",
    "study": "Works out what takes longer. If it is off, it starts when it is first needed.",
}
with st.container(key="lab"):
    rows = "".join(
        f"<strong>{lane}</strong><span>{status.state}. {text} {escape(status.message)}</span>"
        for lane, text in _LANES.items()
        for status in [ask.lab_status(lane)]
    )
    cluster = ask.cluster()
    where = "Trainings run on this machine, a process each." if cluster is None else (
        cluster.sentence
    )  # fmt: skip
    rows += f"<strong>train</strong><span>{escape(where)}</span>"
    st.html(f'<div class="cs-facts">{rows}</div>')

st.header("Credits", anchor=False)
st.markdown(
    """
MNIST: Yann LeCun, Corinna Cortes and Christopher J. C. Burges,
[CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/).
Described in LeCun, Bottou, Bengio and Haffner, “Gradient-based learning applied to document
recognition”, *Proceedings of the IEEE* 86 (1998).

Fashion-MNIST, where this machine has it: Han Xiao, Kashif Rasul and Roland Vollgraf,
[arXiv 1708.07747](https://arxiv.org/abs/1708.07747), MIT licence.

ConvScope is free software under the MIT licence.
"""
)
versions = {name: importlib.metadata.version(name) for name in ("streamlit", "keras", "tensorflow")}
st.caption(" · ".join(f"{name} {version}" for name, version in versions.items()))
