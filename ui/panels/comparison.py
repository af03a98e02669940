"""Two or three networks, or moments of one, on the same digit and the same tests."""

from itertools import combinations

import numpy as np
import streamlit as st

from cnn_core.errors import ConvScopeError
from cnn_core.insight.scores import Evaluation, mcnemar, wilson
from cnn_core.lab.requests import EvaluationRequest
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from ui import ask, state
from ui.panels import html
from ui.panels.digit import with_article
from ui.panels.evaluation import evaluated, take_digit
from ui.panels.prediction import prediction, probabilities
from ui.sprites import Sprite, sprites

_SHOWN = 40
_NONE = "none"


def title_of(ref: NetworkRef) -> str:
    """Which network, at which moment, without how many units."""
    network = open_network(ref.id)
    moment = "" if ref.step == network.last.step else f" at step {ref.step:,}"
    return network.card.title + moment + (f", {len(ref.lesion)} off" if ref.lesion else "")


def comparison() -> None:
    """The network in the sidebar beside one or two others."""
    refs = [state.network()]
    columns = st.columns(2)
    for k, column in enumerate(columns):
        with column:
            other = _other(k)
        if other is not None and other not in refs:
            refs.append(other)
    if len(refs) == 1:
        st.caption("Choose another network, or another moment of this one.")
        return
    _same_digit(refs)
    tests = [open_network(ref.id).dataset for ref in refs]
    if None in tests:
        st.caption("There are no test images for all of them; here they meet on this image only.")
        return
    if len({one.id for one in tests if one is not None}) > 1:
        st.caption("They are tested with different data sets; here they meet on this image only.")
        return
    requests = tuple(EvaluationRequest(ref) for ref in refs)
    found: list[Evaluation] = []
    for k, ref in enumerate(refs):
        one = evaluated(ref, f"compare-{k}", also=requests[k + 1 :])
        if one is not None:
            found.append(one)
    if len(found) == len(refs):
        _same_tests(refs, found)
        _disagreements(refs, found)


def _other(k: int) -> NetworkRef | None:
    """A network and a moment to compare with."""
    ids = [_NONE, *state.networks()]
    held = st.session_state.get(f"compare-network-{k}")
    if held not in ids:
        st.session_state[f"compare-network-{k}"] = state.network().id if k == 0 else _NONE
    id = st.selectbox(
        f"Beside it, {('first', 'second')[k]}",
        ids,
        key=f"compare-network-{k}",
        persist_state="session",
        format_func=lambda id: "nothing" if id == _NONE else open_network(id).card.title,
    )
    if id is None or id == _NONE:
        return None
    try:
        steps = open_network(id).film.steps
        step = st.select_slider(
            "At step", steps, steps[0] if k == 0 else steps[-1], key=f"compare-step-{k}-{id}",
            persist_state="session",
        )  # fmt: skip
        return NetworkRef(id, step if step in steps else steps[-1])
    except ConvScopeError as error:
        st.error(str(error))
        return None


def _same_digit(refs: list[NetworkRef]) -> None:
    """What each answers on the digit in the sidebar."""
    for k, (column, ref) in enumerate(zip(st.columns(len(refs), gap="large"), refs, strict=True)):
        with column:
            names = open_network(ref.id).card.class_names
            trace = ask.trace(ref, state.digit()).trace
            st.html(f'<p class="cs-label">{html.safe(title_of(ref))}</p>')
            prediction(trace, names, key=f"compared-prediction-{k}")
            probabilities(trace, names, key=f"compared-probabilities-{k}")


def _same_tests(refs: list[NetworkRef], found: list[Evaluation]) -> None:
    """Their scores, and whether the difference may be chance."""
    rows = []
    for ref, one in zip(refs, found, strict=True):
        low, high = wilson(int(one.right.sum()), len(one.labels))
        rows.append(
            {
                "Network": title_of(ref),
                "right": one.accuracy,
                "from": low,
                "to": high,
                "Loss": one.loss,
                "Parameters": open_network(ref.id).graph.parameter_count,
            }
        )
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="percent")
            for name in ("right", "from", "to")
        }
        | {
            "Loss": st.column_config.NumberColumn(format="%.4f"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
        },
        alt="The networks' scores on the test set",
    )
    with st.container(key="mcnemar"):
        for (a, one), (b, other) in combinations(zip(refs, found, strict=True), 2):
            st.markdown(in_words(title_of(a), one, title_of(b), other))


def in_words(name: str, one: Evaluation, other_name: str, other: Evaluation) -> str:
    """McNemar's test, said so that it can be read aloud."""
    only_one, only_other, chance = mcnemar(one.right, other.right)
    if only_one + only_other == 0:
        return f"**{name}** and **{other_name}** are right on exactly the same ones."
    better, more, less = (
        (name, only_one, only_other)
        if only_one >= only_other
        else (other_name, only_other, only_one)
    )
    odds = "less than 1 in 10,000" if chance < 1e-4 else f"{chance:.2g}"
    verdict = (
        f"so uneven a split has a chance of {odds} if both were equally good: {better} is better"
        if chance < 0.05
        else f"so even a split is no sign that one is better (chance {odds})"
    )
    return (
        f"Just one of **{name}** and **{other_name}** is right on {only_one + only_other:,}: "
        f"{better} alone on {more:,}, the other alone on {less:,}. By McNemar’s exact test, "
        f"{verdict}."
    )


def _disagreements(refs: list[NetworkRef], found: list[Evaluation]) -> None:
    """Digits on which the answers differ, those with the most at stake first."""
    answers = np.stack([one.answers for one in found])
    apart = np.flatnonzero((answers != answers[0]).any(axis=0))
    sure = np.stack([one.confidence for one in found]).min(axis=0)
    order = apart[np.argsort(-sure[apart], kind="stable")]
    some = order[:_SHOWN]
    dataset = open_network(refs[0].id).tested_on
    images, names = dataset.load(), dataset.class_names
    with st.container(key="disagreements"):
        st.html(
            f'<p class="cs-label">They answer differently on {len(order):,} {dataset.tests}, where '
            "all are surest first</p>"
        )
        if len(some):
            sprites(
                images.x_test[some],
                [
                    Sprite(
                        int(digit),
                        " / ".join(names[answer] for answer in answers[:, digit]),
                        f"Test {dataset.noun} {digit}, "
                        f"{with_article(names[images.y_test[digit]])}, called",
                    )
                    for digit in some
                ],
                key="disagreement",
                on_pick=lambda: take_digit("disagreement", stay=True),
            )
            said = " / ".join(title_of(ref) for ref in refs)
            st.caption(f"Below each, what is said by {said}. Click one to put it under the lens.")
