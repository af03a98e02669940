"""Units switched off: what it does to this answer, and to ten thousand others."""

import streamlit as st

from cnn_core.data.digit import Digit
from cnn_core.errors import ConvScopeError
from cnn_core.insight.results import Ranking
from cnn_core.insight.scores import wilson
from cnn_core.lab.requests import EvaluationRequest, RankingRequest
from cnn_core.networks.lesion import switchable
from cnn_core.networks.zoo import open_network
from cnn_core.probe.trace import Trace
from ui import ask, state
from ui.panels.evaluation import evaluated, untested
from ui.panels.prediction import prediction, probabilities
from ui.panels.selection import chosen_rows
from ui.panels.study import study

_SMALL, _ALL = 1_000, 10_000


def lesion_choice(layer: str) -> str | None:
    """Which units are off, layer by layer; answers the layer whose units are chosen from."""
    layers = switchable(open_network(state.network().id).graph)
    if not layers:
        st.caption("This network has no units that can be switched off.")
        return None
    held = st.session_state.get("lesion-layer")
    st.session_state["lesion-layer"] = (
        held if held in layers else layer if layer in layers else next(iter(layers))
    )
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        chosen = st.selectbox("Layer", list(layers), key="lesion-layer", width=160)
        # A list of its own for every state: a late message from an older one changes nothing.
        off = state.network().off(chosen)
        key = f"lesion-units-{chosen}-{hash(off)}"
        st.multiselect(
            "Switched off",
            range(layers[chosen]),
            default=off,
            key=key,
            width=480,
            placeholder="All are on",
            on_change=lambda: _take(chosen, key, layers[chosen]),
        )
    return chosen


def _take(layer: str, key: str, count: int) -> None:
    units = st.session_state[key]
    others = [(name, unit) for name, unit in state.network().lesion if name != layer]
    _switch([*others, *((layer, unit) for unit in units if unit in range(count))])


def switch_button(layer: str, unit: int) -> None:
    """Switch one unit off, or on again."""
    off = unit in state.network().off(layer)
    rest = [at for at in state.network().lesion if at != (layer, unit)]
    st.button(
        "Switch it on" if off else "Switch it off",
        key="lesion-switch",
        icon=":material/power_settings_new:",
        on_click=lambda: _switch(rest if off else [*rest, (layer, unit)]),
    )


def _switch(lesion: list[tuple[str, int]]) -> None:
    try:
        state.switch_off(lesion)
        state.notify("")
    except ConvScopeError as error:
        state.notify(str(error))


def before_and_after(trace: Trace, digit: Digit) -> None:
    """The answer on the digit with everything on, beside the answer as it is now."""
    ref = state.network()
    classes = open_network(ref.id).card.class_names
    whole = ask.trace(ref.whole, digit).trace
    before, after = st.columns(2, gap="large")
    with before, st.container(key="lesion-before"):
        st.html('<p class="cs-label">With every unit on</p>')
        prediction(whole, classes, key="prediction-before")
        probabilities(whole, classes, key="probabilities-before")
    with after, st.container(key="lesion-after"):
        count = len(ref.lesion)
        units = "unit" if count == 1 else "units"
        st.html(f'<p class="cs-label">With {count} {units} off</p>')
        prediction(trace, classes)
        probabilities(trace, classes)


def scores_by_class() -> None:
    """Test digits right, class by class, before and after."""
    ref = state.network()
    if not ref.lesion or open_network(ref.id).dataset is None:
        return
    with st.container(key="lesion-scores"):
        whole = EvaluationRequest(ref.whole)
        after = evaluated(ref, "evaluate-after", also=(whole,))
        before = None if after is None else evaluated(ref.whole, "evaluate-before")
        if after is None or before is None:
            return
        low, high = wilson(int(after.right.sum()), len(after.labels))
        tests = open_network(ref.id).tested_on.tests
        st.markdown(
            f"{tests.capitalize()} right: {before.accuracy:.2%} → **{after.accuracy:.2%}** "
            f"(95% interval {low:.2%} to {high:.2%})"
        )
        st.dataframe(
            [
                {
                    "class": name,
                    "before": float(before.recall[k]),
                    "after": float(after.recall[k]),
                    "change": float(after.recall[k] - before.recall[k]),
                }
                for k, name in enumerate(open_network(ref.id).card.class_names)
            ],
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="percent")
                for name in ("before", "after", "change")
            },
            alt=f"Share of {tests} right by class, before and after",
        )


def important_units(layer: str) -> None:
    """The units whose loss costs most, measured one by one."""
    ref = state.network()
    if layer not in switchable(open_network(ref.id).graph):
        return
    count = open_network(ref.id).graph[layer].output_shape[-1]
    with st.container(key="lesion-ranking"):
        st.header(f"What each of the {count} units of {layer} is worth", anchor=False)
        if untested(ref):
            return
        tests = open_network(ref.id).tested_on.tests
        small: Ranking | None = study(
            RankingRequest(ref, layer, _SMALL),
            f"Switch each off in turn, on {_SMALL:,} {tests}",
            "ranking",
        )
        if small is None:
            return
        fine: Ranking | None = study(
            RankingRequest(ref, layer, _ALL), f"Refine on all {_ALL:,}", "ranking-all"
        )
        ranking = fine or small
        order = (-ranking.loss).argsort(kind="stable").tolist()
        rows = [
            {
                "unit": unit,
                "accuracy lost": float(ranking.loss[unit]),
                "from": float(ranking.loss[unit] - ranking.margin[unit]),
                "to": float(ranking.loss[unit] + ranking.margin[unit]),
                "right only with it": int(ranking.lost[unit]),
                "right only without": int(ranking.gained[unit]),
            }
            for unit in order
        ]
        chosen = st.dataframe(
            rows,
            key=f"ranking-table-{layer}",
            hide_index=True,
            height=300,
            on_select="rerun",
            selection_mode="multi-row",
            column_config={
                name: st.column_config.NumberColumn(format="percent")
                for name in ("accuracy lost", "from", "to")
            },
            alt="Each unit's worth, the greatest first",
        )
        st.caption(
            f"On {ranking.digits:,} {tests}, {ranking.accuracy:.2%} of them right with it all. "
            "From – to: 95% interval of the paired difference."
        )
        picked = [order[k] for k in chosen_rows(chosen, len(order))]
        if picked:
            st.button(
                f"Switch {len(picked)} off",
                key="ranking-off",
                on_click=lambda: _switch([*ref.lesion, *((layer, unit) for unit in picked)]),
            )
