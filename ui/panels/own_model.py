"""A network of one's own: a ``.keras`` file is asked for, opened safely, and listed."""

import streamlit as st

from cnn_core.data.datasets import DATASETS
from cnn_core.errors import ConvScopeError
from cnn_core.lab.uploads import receive
from cnn_core.networks.upload import MOST_BYTES
from cnn_core.networks.upload.kept import (
    MOST_OF_AN_OWNER,
    VALUE_RANGES,
    Told,
    delete_upload,
    names_from_text,
    remarks_on,
)
from cnn_core.networks.zoo import Network, uploaded_networks
from cnn_core.probe.accounting import accounts
from ui import state
from ui.panels import html
from ui.panels.architecture import layer_table

_SOMETHING_ELSE = ""
_LONGEST_NAMES = 4_000  # letters, of all classes together


def own_model() -> None:
    """Upload a network, look at what it is, and go back to an earlier one."""
    with st.container(key="own-model"):
        if not state.uploads_allowed():
            st.caption(
                "This server is open to everybody, so models are not uploaded here. Run ConvScope "
                "on your own machine to look through your own."
            )
            return
        st.caption(
            "An image classifier saved by Keras 3 with model.save('name.keras'): up to 64×64 "
            "pixels, 1 or 3 channels, 2 to 100 classes, Sequential or Functional. Nothing in the "
            "file is run: it is checked, and rebuilt from what it describes."
        )
        with st.container(horizontal=True, gap="medium", key="own-model-ask"):
            with st.container():
                _ask_and_open()
            with st.container():
                _earlier()
        present = uploaded_networks().get(state.network().id)
        if present is not None:
            _summary(present)


def _ask_and_open() -> None:
    """The file, what it does not say, and the button; then the answer, or why there is none."""
    revision = st.session_state.setdefault("own-model-revision", 0)
    file = st.file_uploader(
        "Your model",
        type=["keras"],
        key=f"own-model-file-{revision}",
        max_upload_size=MOST_BYTES // 1024**2,
        on_change=_forget,
        label_visibility="collapsed",
    )
    with st.container(horizontal=True, gap="small"):
        here = [dataset.id for dataset in DATASETS.values() if dataset.here()]
        dataset = st.selectbox(
            "Trained on",
            [_SOMETHING_ELSE, *here],
            key="own-model-dataset",
            persist_state="session",
            width=200,
            format_func=lambda id: DATASETS[id].title if id else "something else",
            help="Only with the test images of its data set can it be evaluated.",
        )
        chosen = st.selectbox(
            "Values of its input",
            range(len(VALUE_RANGES)),
            key="own-model-range",
            persist_state="session",
            width=200,
            format_func=_range_name,
            help="What a pixel was when it was trained: divided by 255, as the file has it, or "
            "centred on 0. A Rescaling layer in the model is counted in by itself.",
        )
    names = st.text_input(
        "Class names, separated by commas",
        key="own-model-names",
        persist_state="session",
        max_chars=_LONGEST_NAMES,
        placeholder="cat, dog, …: optional, in the order of the outputs",
    )
    if st.button("Open it", key="own-model-open", type="primary", disabled=file is None) and file:
        told = Told(
            title=file.name.removesuffix(".keras"),
            value_range=VALUE_RANGES[chosen] if chosen in range(len(VALUE_RANGES)) else (0.0, 1.0),
            dataset=str(dataset or ""),
            class_names=names_from_text(names or ""),
        )
        _open(file.getvalue(), told)
    with st.container(key="own-model-refusal"):
        if st.session_state.get("own-model-said"):
            st.error(st.session_state["own-model-said"])


def _range_name(k: int) -> str:
    low, high = VALUE_RANGES[k]
    return f"{low:g} to {high:g}".replace("-", "\N{MINUS SIGN}")


def _open(content: bytes, told: Told) -> None:
    """Wait in this visitor's own thread: nobody else is held up."""
    _forget()
    try:
        with st.spinner(
            "A process of its own opens it. This takes some ten seconds.", width="content"
        ):
            network = receive(content, told, state.owner())
    except ConvScopeError as error:
        st.session_state["own-model-said"] = str(error)
        return
    state.choose_network(network.id)
    state.notify("")
    st.session_state["own-model-revision"] += 1  # an empty uploader: the file is here now
    st.rerun()


def _forget() -> None:
    st.session_state["own-model-said"] = ""


def _earlier() -> None:
    """One's uploads, to be opened again or deleted."""
    own = uploaded_networks(state.owner())
    if not own:
        return
    st.html(f'<p class="cs-label">Your models, the newest first; {MOST_OF_AN_OWNER} are kept</p>')
    for network in own.values():
        with st.container(
            horizontal=True, gap="small", vertical_alignment="center", key=f"own-row-{network.id}"
        ):
            card = network.card
            st.html(
                f'<p class="cs-own"><strong>{html.safe(card.title)}</strong><br>'
                f"{html.shape(card.input_shape)}, {len(card.class_names)} classes, "
                f"{network.graph.parameter_count:,} parameters"
                f"{', under the lens now' if network.id == state.network().id else ''}</p>"
            )
            st.button(
                "Look through it",
                key=f"own-open-{network.id}",
                disabled=network.id == state.network().id,
                on_click=lambda id=network.id: _choose(id),
            )
            with st.popover("Delete", icon=":material/delete:", key=f"own-away-{network.id}"):
                st.markdown("Delete it here? Your file is not touched.")
                st.button(
                    "Delete it",
                    key=f"own-delete-{network.id}",
                    on_click=lambda id=network.id: _delete(id),
                )


def _choose(id: str) -> None:
    try:
        state.choose_network(id)
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def _delete(id: str) -> None:
    try:
        delete_upload(id, state.owner())
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))
        return
    if state.network().id == id:
        state.leave_network()


def _summary(network: Network) -> None:
    """What it is, in numbers, and what was changed when it was taken in."""
    card, counted = network.card, accounts(network.graph)
    low, high = card.value_range
    trained_on = network.dataset.title if network.dataset else "something else: no test images here"
    facts = {
        "Reads": f"{html.shape(card.input_shape)}, values from {html.number(low)} to "
        f"{html.number(high)}",
        "Tells apart": f"{len(card.class_names)} classes: {_some(card.class_names)}",
        "Trained on": trained_on,
        "Layers": f"{len(network.graph.layers) - 1}",
        "Parameters": f"{network.graph.parameter_count:,}",
        "Multiply-adds": f"{sum(one.multiply_adds for one in counted):,} for one image",
    }
    rows = "".join(
        f"<strong>{name}</strong><span>{html.safe(text)}</span>" for name, text in facts.items()
    )
    with st.container(key="own-model-summary"):
        st.header(html.safe(card.title), anchor=False)
        st.html(f'<div class="cs-facts">{rows}</div>')
        for remark in remarks_on(network):
            st.caption(remark)
        layer_table(network.graph)


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:10])
    return shown if len(names) <= 10 else f"{shown}, …"
