"""The arithmetic behind one unit, complete: every term can be reached."""

from collections.abc import Callable
from html import escape

import numpy as np
import streamlit as st

from cnn_core.networks.graph import Shape
from cnn_core.probe.arithmetic import Calculation
from cnn_core.probe.trace import Trace
from ui.panels import html


def unit_arithmetic(trace: Trace, calculation: Calculation, classes: tuple[str, ...]) -> None:
    """How the unit got its value: terms, bias, sum, activation, and the network's own number."""
    show: Callable[[Trace, Calculation], str] = {
        "given": _given,
        "weighted sum": _weighted_sum,
        "maximum": _maximum,
        "mean": _window_of_terms,
        "copy": _copy,
    }.get(calculation.rule, _plain_terms)
    body = show(trace, calculation)
    if calculation.exponentials is not None:
        body += _softmax(calculation, classes)
    with st.container(key="layer-arithmetic"):
        st.html(f'<div class="cs-sum">{_head(calculation)}{body}{_result(calculation)}</div>')


def softmax_table(calculation: Calculation, classes: tuple[str, ...]) -> None:
    """How the answer's sums become shares; nothing for another function than softmax."""
    if calculation.exponentials is not None:
        with st.container(key="softmax-table"):
            st.html(f'<div class="cs-sum cs-large">{_softmax(calculation, classes)}</div>')


def _value(number: float, testid: str = "") -> str:
    """A number at four decimals that carries its full precision."""
    mark = f' data-testid="{testid}"' if testid else ""
    sign = "cs-minus" if number < 0 else "cs-plus"
    return (
        f'<span class="{sign}"{mark} data-value="{float(number)!r}">{html.fixed(number, 4)}</span>'
    )


def _share(number: float) -> str:
    """A number from 0 to 1, however small."""
    text = f"{number:.4f}" if number >= 1e-3 or number == 0 else f"{number:.3e}"
    return text.replace("-", "\N{MINUS SIGN}")


def _head(calculation: Calculation) -> str:
    where = ", ".join(map(str, calculation.index))
    return (
        f'<p class="cs-unit" data-testid="unit-name">{escape(calculation.layer)}[{where}] = '
        f"{_value(calculation.network_value, 'unit-value')}</p>"
    )


def _result(calculation: Calculation) -> str:
    """The last lines: sum, bias, activation, and how near the network's own number is."""
    lines = []
    if calculation.rule in ("weighted sum", "scale and shift", "sum", "mean"):
        terms = float(calculation.terms.sum())
        lines.append(f"Sum of {len(calculation.terms):,} terms {_value(terms, 'unit-terms')}")
    if calculation.rule in ("weighted sum", "scale and shift"):
        lines.append(f"Bias {_value(calculation.bias, 'unit-bias')}")
        lines.append(f"Pre-activation {_value(calculation.total, 'unit-sum')}")
    if calculation.activation not in ("linear", "softmax"):
        lines.append(f"After {calculation.activation} {_value(calculation.value)}")
    if calculation.rule != "given":
        error = abs(calculation.error)
        apart = f"{error:.0e} apart".replace("-", "\N{MINUS SIGN}") if error else "exactly the same"
        lines.append(f"The network itself says {_value(calculation.network_value)}, {apart}")
    return '<ul class="cs-lines">' + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"


def _given(trace: Trace, calculation: Calculation) -> str:
    image = trace.layers[0].output
    row, column, *_ = calculation.index
    return (
        f"<p>The pixel in row {row}, column {column}: {round(calculation.value * 255)} / 255. "
        f"In this image the values run from {_value(float(image.min()))} to "
        f"{_value(float(image.max()))}. With its batch axis the array is "
        f"{html.shape((1, *image.shape))}.</p>"
    )


def _grid(values: np.ndarray, title: str, winner: int | None = None) -> str:
    """A small table of a window's numbers, `(rows, columns)`."""
    width = values.shape[1]
    cells = "".join(
        f'<span class="{"cs-winner" if k == winner else ""}">{html.fixed(number, 2)}</span>'
        for k, number in enumerate(values.reshape(-1).tolist())
    )
    return (
        f'<figure class="cs-grid"><figcaption>{title}</figcaption>'
        f'<div style="grid-template-columns:repeat({width},auto)">{cells}</div></figure>'
    )


def _weighted_sum(trace: Trace, calculation: Calculation) -> str:
    if calculation.window is None:
        return _pushes(trace, calculation)
    return _channels(calculation, calculation.window)


def _channels(calculation: Calculation, window: Shape) -> str:
    """Patch · kernel = products for each channel, the greatest partial sum first."""
    values = calculation.values.reshape(window)
    weights = calculation.weights.reshape(window)
    terms = calculation.terms.reshape(window)
    partial = calculation.partial_sums
    channels = calculation.cells.reshape(*window, 3)[0, 0, :, 2]
    rows = "".join(
        f'<div role="listitem" class="cs-channel" data-channel="{channels[k]}">'
        f"<p>Channel {channels[k]}: {_value(partial[k], 'unit-partial')}</p>"
        f"{_grid(values[..., k], 'patch')}<b>·</b>{_grid(weights[..., k], 'kernel')}"
        f'<span class="cs-made"><b>=</b>{_grid(terms[..., k], "products")}</span></div>'
        for k in np.argsort(-np.abs(partial), kind="stable")
    )
    return (
        f'<div class="cs-all" role="list" tabindex="0">{rows}</div>'
        "<p>Cells are shown at two decimals; sums are of the full numbers.</p>"
    )


def _pushes(trace: Trace, calculation: Calculation) -> str:
    """Inputs of a dense unit, those that pushed hardest first: one list up, one list down."""
    order = np.argsort(-np.abs(calculation.terms), kind="stable")
    sides = []
    for title, chosen in (
        ("Pushed up", order[calculation.terms[order] > 0]),
        ("Pushed down", order[calculation.terms[order] < 0]),
    ):
        rows = "".join(
            f"<tr><th>{int(calculation.cells[k][-1])}</th>"
            f"<td>{html.fixed(calculation.values[k], 3)}</td>"
            f"<td>{html.fixed(calculation.weights[k], 3)}</td>"
            f"<td>{_value(calculation.terms[k])}</td></tr>"
            for k in chosen
        )
        total = float(calculation.terms[chosen].sum())
        sides.append(
            f'<div class="cs-all" tabindex="0"><p>{title} by {len(chosen)}: {_value(total)}</p>'
            "<table><thead><tr><th>input</th><th>value</th><th>weight</th><th>product</th></tr>"
            f"</thead><tbody>{rows}</tbody></table></div>"
        )
    nothing = int((calculation.terms == 0).sum())
    return (
        f'<div class="cs-two">{"".join(sides)}</div>'
        f"<p>{nothing} inputs of {escape(calculation.sources[0])} are 0 and push nothing.</p>"
    )


def _maximum(trace: Trace, calculation: Calculation) -> str:
    assert calculation.window is not None
    assert calculation.winner is not None
    rows, columns, _ = calculation.window
    row, column, channel = calculation.cells[calculation.winner].tolist()
    grid = _grid(calculation.values.reshape(rows, columns), "window", calculation.winner)
    return (
        f'<div class="cs-channel">{grid}</div><p>The largest stands in row {row}, column {column} '
        f"of map {channel} of {escape(calculation.sources[0])}.</p>"
    )


def _window_of_terms(trace: Trace, calculation: Calculation) -> str:
    assert calculation.window is not None
    rows, columns, _ = calculation.window
    grid = _grid(calculation.values.reshape(rows, columns), "window")
    return f'<div class="cs-channel">{grid}</div>'


def _copy(trace: Trace, calculation: Calculation) -> str:
    source = calculation.sources[int(calculation.source_of[0])]
    cell = tuple(calculation.cells[0].tolist())
    shape = trace[source].output.shape
    if calculation.kind != "Flatten" or len(shape) != 3:
        return f"<p>Taken as it is from {escape(source)}[{', '.join(map(str, cell))}].</p>"
    (row, column, channel), (_, width, depth) = cell, shape
    (position,) = calculation.index
    return (
        f"<p>Row {row}, column {column}, map {channel} of {escape(source)} lands at "
        f"({row}·{width} + {column})·{depth} + {channel} = {position}.</p>"
        f"<p>And back: {position} = {position // depth}·{depth} + {channel}, so map {channel}; "
        f"{position // depth} = {row}·{width} + {column}, so row {row}, column {column}.</p>"
    )


def _plain_terms(trace: Trace, calculation: Calculation) -> str:
    rows = "".join(
        f"<tr><th>{escape(calculation.sources[int(calculation.source_of[k])])}</th>"
        f"<td>{_value(calculation.values[k])}</td><td>{_value(calculation.terms[k])}</td></tr>"
        for k in range(len(calculation.terms))
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _softmax(calculation: Calculation, classes: tuple[str, ...]) -> str:
    logits, exponentials = calculation.logits, calculation.exponentials
    assert logits is not None
    assert exponentials is not None
    total = float(exponentials.sum())
    greatest = float(logits.max())
    rows = "".join(
        f"<tr><th>{escape(classes[k]) if len(classes) == len(logits) else k}</th>"
        f"<td>{_value(logits[k])}</td><td>{_share(exponentials[k])}</td>"
        f"<td>{_share(exponentials[k] / total)}</td></tr>"
        for k in range(len(logits))
    )
    return (
        f"<p>Softmax: e to the power of each sum less the greatest ({_value(greatest)}; it "
        f"cancels), shared out among their total {_value(total)}.</p>"
        "<table><thead><tr><th>class</th><th>sum</th><th>exponential</th><th>share</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )
