"""The Layers page: every layer, every kind of unit, at any moment; and what a link may say."""

import base64
import io
import json
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnn_core.data.digit import mnist_digit
from cnn_core.lab.requests import TraceRequest
from cnn_core.lab.supervisor import Lab
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.probe.trace import Trace
from tests.app.conftest import SHELL
from tests.app.read import html_of, texts
from ui import ask
from ui.state import FIRST_DIGIT

LAYERS = "../pages/layers.py"


def opened(lab: Lab, **link: str) -> AppTest:
    ask.use(lab)
    app = AppTest.from_file(SHELL, default_timeout=30)
    for name, value in link.items():
        app.query_params[name] = value
    app.switch_page(LAYERS)
    return app.run()


def workers_trace(lab: Lab, ref: NetworkRef) -> Trace:
    pixels = open_network(ref.id).card.fit(mnist_digit(FIRST_DIGIT).pixels)
    return lab.ask(TraceRequest(ref, pixels), time_limit=30)


def shown_number(page: AppTest, testid: str) -> float:
    """The number at full precision behind a read-out of the arithmetic."""
    found = re.search(rf'data-testid="{testid}" data-value="([^"]+)"', html_of(page, "cs-sum"))
    assert found, testid
    return float(found[1])


def picked_from(page: AppTest) -> list[np.ndarray]:
    """The pictures whose cells can be chosen, `(H, W, 3)` uint8."""
    sent = [json.loads(each.proto.json or "{}") for each in page.get("bidi_component")]
    files = [base64.b64decode(data["src"].partition(",")[2]) for data in sent if "src" in data]
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]


@pytest.mark.parametrize("network", ["classic", "intro"])
def test_every_layer_opens_and_its_unit_is_the_networks(lab: Lab, network: str) -> None:
    rng = np.random.default_rng(0)
    film = open_network(network).film.steps
    for step in (film[0], film[len(film) // 2], film[-1]):
        ref = NetworkRef(network, step)
        trace = workers_trace(lab, ref)
        for layer in trace:
            unit = tuple(int(rng.integers(n)) for n in layer.output.shape)
            page = opened(
                lab, network=network, step=str(step), layer=layer.name,
                unit=",".join(map(str, unit)),
            )  # fmt: skip
            assert not page.exception
            assert not page.error
            assert shown_number(page, "unit-value") == float(layer.output[unit])
            assert f"{layer.name}[{', '.join(map(str, unit))}]" in html_of(page, "cs-sum")


def test_the_partial_sums_on_the_page_make_the_sum(lab: Lab) -> None:
    page = opened(lab, layer="conv_2", unit="2,6,36")
    partial = [
        float(value)
        for value in re.findall(
            r'data-testid="unit-partial" data-value="([^"]+)"', html_of(page, "cs-sum")
        )
    ]
    assert len(partial) == 32  # every input channel can be reached
    assert np.all(np.diff(np.abs(partial)) <= 0)  # the largest first
    assert sum(partial) == pytest.approx(shown_number(page, "unit-terms"))
    total = shown_number(page, "unit-terms") + shown_number(page, "unit-bias")
    assert total == pytest.approx(shown_number(page, "unit-sum"))
    assert total == pytest.approx(shown_number(page, "unit-value"), abs=1e-4)


def test_next_previous_and_the_list_choose_the_layer(page: AppTest) -> None:
    page.switch_page(LAYERS).run()
    assert "conv_1 <small>" in texts(page)
    page.button(key="layer-next").click().run()
    assert "pool_1 <small>" in texts(page)
    assert "The largest stands in row" in html_of(page, "cs-sum")
    page.button(key="layer-previous").click().run()
    page.button(key="layer-previous").click().run()
    assert "input <small>" in texts(page)
    assert page.button(key="layer-previous").disabled


def test_the_shape_and_the_parameters_are_counted_out(lab: Lab) -> None:
    facts = texts(opened(lab, layer="conv_2"))
    assert "(3·3·32 + 1)·64 = 18,496" in facts
    assert "⌊(13 − 3) / 1⌋ + 1 = 11 rows" in facts
    assert "5 · 5 · 64" not in facts
    assert "3 · 3 · 64 = 576" in texts(opened(lab, layer="flatten"))
    assert "(576 + 1)·64 = 36,928" in texts(opened(lab, layer="dense_1"))


def test_flatten_counts_there_and_back(lab: Lab) -> None:
    words = html_of(opened(lab, layer="flatten", unit="123"), "cs-sum")
    assert "Row 0, column 1, map 59 of conv_3 lands at (0·3 + 1)·64 + 59 = 123" in words
    assert "123 = 1·64 + 59, so map 59" in words


def test_dead_maps_are_named(lab: Lab) -> None:
    trace = workers_trace(lab, open_network("classic").last)
    dead = np.flatnonzero(~trace["conv_2"].output.any(axis=(0, 1)))
    assert f"<span>{', '.join(map(str, dead))} on this digit</span>" in texts(
        opened(lab, layer="conv_2")
    )


def test_the_digit_is_white_ink_on_black_on_its_own_layer(lab: Lab) -> None:
    page = opened(lab, layer="input", unit="8,8,0")
    expected = np.repeat(mnist_digit(FIRST_DIGIT).bytes[..., None], 3, axis=2)
    pictures = picked_from(page)
    assert len(pictures) == 2
    for picture in pictures:
        np.testing.assert_allclose(picture, expected, atol=1)  # a scale has 255 levels, a byte 256
    assert "paper" in html_of(page, "cs-scale")


def test_what_rounds_to_nothing_has_no_sign(lab: Lab) -> None:
    words = html_of(opened(lab, layer="conv_2", unit="2,6,36"), "cs-sum")
    assert ">0.00<" in words
    assert "\N{MINUS SIGN}0.00<" not in words


def test_a_copied_number_is_exactly_the_networks(lab: Lab) -> None:
    words = html_of(opened(lab, layer="pool_2", unit="1,3,36"), "cs-sum")
    assert "exactly the same" in words


def test_a_unit_is_chosen_by_its_numbers(page: AppTest, lab: Lab) -> None:
    page.switch_page(LAYERS).run()
    for label, value in (("Row", 3), ("Map", 7)):
        next(f for f in page.number_input if f.label == label).set_value(value).run()
    _, column, _ = page.session_state["unit"]
    assert page.session_state["unit"] == (3, column, 7)
    trace = workers_trace(lab, open_network("classic").last)
    assert shown_number(page, "unit-value") == float(trace["conv_1"].output[3, column, 7])


def test_moving_the_moment_compiles_and_rebuilds_nothing(lab: Lab) -> None:
    """All along the film, twice: the second round asks the lab nothing."""
    film = open_network("classic").film.steps[::4]
    for step in film:
        opened(lab, step=str(step))
    asked: list[Any] = []
    submit = lab.submit
    lab.submit = lambda *args: asked.append(args) or submit(*args)  # type: ignore[method-assign, func-returns-value]
    try:
        for step in film:
            assert not opened(lab, step=str(step)).exception
    finally:
        lab.submit = submit  # type: ignore[method-assign]
    assert asked == []


@pytest.mark.parametrize(
    ("link", "ignored"),
    [
        ({"step": "130"}, "the nearest, 133"),
        ({"step": "-5"}, "whole number"),
        ({"step": "9" * 30}, "whole number"),
        ({"step": "99999"}, "the nearest, 8442"),
        ({"layer": "conv_9"}, "no layer"),
        ({"layer": "conv_1", "unit": "99,0,0"}, "from (0, 0, 0) to (25, 25, 31)"),
        ({"layer": "conv_1", "unit": "1,2"}, "no unit (1, 2)"),
        ({"unit": "a,b,c"}, "whole numbers"),
        ({"unit": "1," * 400}, "whole numbers"),
        ({"v": "2"}, "version '2'"),
        ({"v": "1", "network": "vgg"}, "no network"),
        ({"digit": "test-1e9"}, "cannot be read"),
        ({"digit": "d.AAAA"}, "The digit in this link is damaged."),
    ],
)
def test_what_a_link_says_wrongly_is_ignored_and_named(
    lab: Lab, link: dict[str, str], ignored: str
) -> None:
    page = opened(lab, **link)
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith("Part of this link was ignored.")
    assert ignored in error.value
    assert "\n" not in error.value
    assert shown_number(page, "unit-value") is not None


def pick_script() -> None:
    import streamlit as st

    from ui import address, ask, state
    from ui.panels import layer, sidebar

    address.begin_run("layers")
    traced = ask.trace(state.network(), state.digit()).trace[state.layer()]
    for key in ("maps-picker", "map-picker"):
        if key in st.session_state:
            layer._take(key, traced, None if key == "maps-picker" else 5)
    if "moment-slider" in st.session_state:
        sidebar._take_step()


def sent(key: str, value: Any) -> AppTest:
    app = AppTest.from_function(pick_script, default_timeout=30)
    app.session_state[key] = value
    return app.run()


def test_the_fields_say_the_unit_however_many_were_chosen_before(page: AppTest) -> None:
    page.switch_page(LAYERS).run()
    for k in range(36):  # more than twice as many as fields take turns
        page.session_state["unit"] = (k % 26, 25 - k % 26, k % 32)
        page.run()
        fields = {field.label: field.value for field in page.number_input}
        assert (fields["Row"], fields["Column"], fields["Map"]) == page.session_state["unit"]


def test_clicks_choose_cells() -> None:
    # conv_1's atlas has 6 maps in a row, 27 pixels apart: x 30 is map 1, column 3.
    assert sent("maps-picker", {"pick": [30, 28]}).session_state["unit"] == (1, 3, 7)
    assert sent("map-picker", {"pick": [4, 9]}).session_state["unit"] == (9, 4, 5)
    assert sent("maps-picker", {"pick": [26, 0]}).session_state["unit"] is None  # a gap


@pytest.mark.parametrize(
    "pick", [None, "a", [1], [1, 2, 3], [1.5, 2], {"x": 1}, [10**9, 0], [-1, -1]]
)
@pytest.mark.parametrize("key", ["maps-picker", "map-picker"])
def test_strange_clicks_choose_nothing(key: str, pick: Any) -> None:
    app = sent(key, {"pick": pick})
    assert not app.exception
    assert app.session_state["unit"] is None


def test_the_slider_chooses_a_moment() -> None:
    app = sent("moment-slider", {"step": 133})
    assert app.session_state["network"] == NetworkRef("classic", 133)


@pytest.mark.parametrize("step", [None, "133", 5, -1, 1.5, [1], 10**12])
def test_strange_moments_change_nothing_and_are_said(step: Any) -> None:
    app = sent("moment-slider", {"step": step})
    assert not app.exception
    assert app.session_state["network"] == open_network("classic").last
    assert app.session_state["notice"]
