"""Every question of every lesson, answered again: by Keras, by loops, by counting.

Nothing here uses what the askers use, but for what a question states: which unit, which cell.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import keras
import numpy as np
import pytest

from cnn_core.course.lesson import Ask, View, load_course
from cnn_core.course.question import Question, question
from cnn_core.course.questions import choice_text, posed, reason
from cnn_core.course.seen import Seen, facts, look
from cnn_core.course.text import filled, load_words
from cnn_core.data.digit import Digit, mnist_digit
from cnn_core.data.mnist import load_mnist
from cnn_core.errors import ConvScopeError, DataError
from cnn_core.networks.architectures import build
from cnn_core.networks.keras_model import load_model
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network

MNIST = load_mnist()
DIGITS = {
    "an easy 3": mnist_digit(30),
    "a bent 4": mnist_digit(247),
    "a mistake": mnist_digit(340),
    "a drawing": Digit.of_bytes(MNIST.x_test[7].T.copy(), "drawn"),
}
ASKED = [
    pytest.param(card.view, card.question, card.text, id=f"{lesson.number}: {card.title}")
    for lesson in load_course()
    for card in lesson.cards
    if card.question is not None
]


def ref_of(view: View) -> NetworkRef:
    last = open_network(view.network).last
    return NetworkRef(last.id, last.step if view.step is None else view.step)


def seen_by(view: View, digit: Digit) -> Seen:
    return look(ref_of(view), digit)


@lru_cache(maxsize=16)
def model_at(ref: NetworkRef) -> keras.Model:
    return load_model(ref)


@dataclass(frozen=True)
class Known:
    """The same picture, as Keras has it."""

    ref: NetworkRef
    digit: Digit

    @property
    def model(self) -> keras.Model:
        return model_at(self.ref)

    @property
    def image(self) -> np.ndarray:
        return self.digit.pixels[None, :, :, None]

    def output(self, layer: str) -> np.ndarray:
        """Of a layer, without its batch axis."""
        inside = keras.Model(self.model.inputs[0], self.model.get_layer(layer).output)
        return keras.ops.convert_to_numpy(inside(self.image))[0]

    def sums(self, model: keras.Model | None = None) -> np.ndarray:
        """Before the softmax, `(10,)`."""
        model = model or self.model
        before = keras.Model(model.inputs[0], model.layers[-1].input)
        kernel, bias = model.layers[-1].get_weights()
        row = keras.ops.convert_to_numpy(before(self.image))[0]
        return row.astype(np.float64) @ kernel + bias

    @property
    def answer(self) -> int:
        return int(self.sums().argmax())

    @property
    def label(self) -> int:
        return self.answer if self.digit.label is None else self.digit.label


def three_digits(value: float) -> str:
    rounded = float(f"{value:.3g}")
    text = f"{rounded:,.0f}" if rounded >= 1000 else f"{rounded:.3g}"
    return text.replace("-", "\N{MINUS SIGN}")


def decimals(value: float, count: int = 2) -> str:
    return f"{round(value, count) + 0.0:.{count}f}".replace("-", "\N{MINUS SIGN}")


def cell_of(asked: Question) -> tuple[int, int, int]:
    return int(asked.values["row"]), int(asked.values["column"]), int(asked.values["map"])


def network_answer(known: Known, asked: Question) -> str:
    return str(known.answer)


def runner_up(known: Known, asked: Question) -> str:
    return str(np.argsort(known.sums())[-2])


def most_parameters(known: Known, asked: Question) -> str:
    counts = {layer.name: layer.count_params() for layer in known.model.layers}
    return max(counts, key=lambda name: counts[name])


def pixel_share(known: Known, asked: Question) -> str:
    row, column = int(asked.values["row"]), int(asked.values["column"])
    byte = round(float(known.digit.pixels[row, column]) * 255)
    assert asked.values["byte"] == str(byte)
    return f"{byte / 255:.3f}"


def batch_shape(known: Known, asked: Question, count: int) -> str:
    return str(np.concatenate([known.image] * count).shape)


def output_shape(known: Known, asked: Question, layer: str) -> str:
    return " × ".join(map(str, known.output(layer).shape))


def sum_of_sizes(image: np.ndarray, kernel: np.ndarray) -> float:
    """Every window's sum of products, by loops, added up without signs."""
    total = 0.0
    for row in range(image.shape[0] - 2):
        for column in range(image.shape[1] - 2):
            here = 0.0
            for i in range(3):
                for k in range(3):
                    here += float(image[row + i, column + k] * kernel[i, k])
            total += abs(here)
    return total


def stroke_answer(
    known: Known, asked: Question, kernel: str = "", layer: str = "", filter: int = 0
) -> str:
    stroke = np.zeros((28, 28))
    stroke[4:24, 13:16] = 1
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    known_kernels = {"Sobel, upright edges": lambda: sobel}
    learned = lambda: known.model.get_layer(layer).get_weights()[0][:, :, 0, filter]  # noqa: E731
    weights = known_kernels.get(kernel, learned)()
    upright, level = sum_of_sizes(stroke, weights), sum_of_sizes(stroke.T, weights)
    ratio = upright / level
    # Less than a twentieth apart counts as alike.
    return {(True, False): "upright", (False, True): "level"}.get(
        (ratio > 1 / 0.95, ratio < 0.95), "both_alike"
    )


def after_activation(known: Known, asked: Question, layer: str) -> str:
    kernel, bias = known.model.get_layer(layer).get_weights()
    sums = keras.ops.convert_to_numpy(keras.ops.conv(known.image, kernel)) + bias
    assert asked.values["before"] == decimals(float(sums.min()))
    return decimals(float(keras.ops.relu(float(sums.min()))))


def zero_share(known: Known, asked: Question, layer: str) -> str:
    numbers = known.output(layer).reshape(-1).tolist()
    quarter = 4 * numbers.count(0.0) // len(numbers)
    return ("first_quarter", "second_quarter", "third_quarter", "last_quarter")[min(quarter, 3)]


def pool_winner(known: Known, asked: Question, layer: str) -> str:
    row, column, map_ = cell_of(asked)
    before = known.output(asked.values["source"])[..., map_]
    corners = {
        "top_left": before[2 * row, 2 * column],
        "top_right": before[2 * row, 2 * column + 1],
        "bottom_left": before[2 * row + 1, 2 * column],
        "bottom_right": before[2 * row + 1, 2 * column + 1],
    }
    for name, value in corners.items():
        assert asked.values[name] == decimals(float(value))
    assert np.isclose(known.output(layer)[row, column, map_], max(corners.values()), atol=1e-5)
    return max(corners, key=lambda name: corners[name])


def shift_changes(known: Known, asked: Question, before: str, after: str) -> str:
    moved = np.zeros((28, 28), np.float32)
    moved[:, 1:] = known.digit.pixels[:, :-1]
    other = Known(known.ref, Digit(moved, "made"))
    changes = {}
    for name, layer in (("before_pooling", before), ("after_pooling", after)):
        here, there = known.output(layer), other.output(layer)
        changes[name] = np.sqrt(((there - here) ** 2).sum() / (here**2).sum())
    assert asked.values["first"] == f"{changes['before_pooling']:.0%}"
    assert asked.values["last"] == f"{changes['after_pooling']:.0%}"
    return max(changes, key=lambda name: changes[name])


def counted(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The cells of maps of a shape in the order in which Keras lays them out."""
    numbers = np.arange(np.prod(shape), dtype="float32").reshape(1, *shape)
    row = keras.ops.convert_to_numpy(keras.layers.Flatten()(numbers))[0].astype(int).tolist()
    cells = list(np.ndindex(shape))
    return [cells[k] for k in row]


def flat_position(known: Known, asked: Question, layer: str) -> str:
    shape = known.output(asked.values["source"]).shape
    return f"{counted(shape).index(cell_of(asked)):,}"


def flat_cell(known: Known, asked: Question, layer: str) -> str:
    shape = known.output(asked.values["source"]).shape
    position = int(known.output(layer).argmax())
    assert asked.values["position"] == f"{position:,}"
    return str(counted(shape)[position])


def parameters_of(known: Known, asked: Question, layer: str) -> str:
    return f"{known.model.get_layer(layer).count_params():,}"


def hardest_push(known: Known, asked: Question, layer: str) -> str:
    kernel, _ = known.model.get_layer(layer).get_weights()
    unit = int(known.output(layer).argmax())
    assert asked.values["unit"] == str(unit)
    row = known.output(asked.values["source"])
    pushes = [abs(float(row[k]) * float(kernel[k, unit])) for k in range(len(row))]
    for letter in "abcd":
        k = int(asked.values[letter])
        assert asked.values[f"{letter}_weight"] == decimals(float(kernel[k, unit]), 3)
    return str(pushes.index(max(pushes)))


def odds(known: Known, asked: Question) -> str:
    second, first = np.sort(known.sums())[-2:]
    assert asked.values["ahead"] == decimals(float(first - second))
    share = keras.ops.convert_to_numpy(keras.ops.softmax(np.array([[first, second]])))[0]
    return three_digits(float(share[0] / share[1]))


def field_of(known: Known, asked: Question, layer: str) -> str:
    """Back from a cell in the middle to the pixels that it can reach, cell by cell."""
    names = [one.name for one in known.model.layers]
    chain = known.model.layers[: names.index(layer) + 1]
    middle = tuple(n // 2 for n in known.output(layer).shape[:2])
    cells = {middle}
    for one in reversed([one for one in chain if one.get_config().get("padding")]):
        config = one.get_config()
        size = (config.get("kernel_size") or config.get("pool_size"))[0]
        step = config["strides"][0]
        margin = {"same": (size - 1) // 2, "valid": 0}[config["padding"]]
        cells = {
            (row * step + i - margin, column * step + k - margin)
            for row, column in cells
            for i in range(size)
            for k in range(size)
        }
    rows, columns = {row for row, _ in cells}, {column for _, column in cells}
    return f"{len(rows)} × {len(columns)}"


def loss_of_answer(known: Known, asked: Question) -> str:
    probabilities = keras.ops.softmax(known.sums()[None].astype("float32"))
    loss = keras.losses.SparseCategoricalCrossentropy()(np.array([known.label]), probabilities)
    return three_digits(float(loss))


def steps_in_epoch(known: Known, asked: Question) -> str:
    kept = 60_000 - 60_000 // 5
    return str(len(range(0, kept, 64)))


@lru_cache(maxsize=8)
def said_of_tests(ref: NetworkRef) -> np.ndarray:
    tests = MNIST.x_test[..., None].astype("float32") / 255
    return model_at(ref).predict(tests, batch_size=500, verbose=0).argmax(axis=1)


def right_at_start(known: Known, asked: Question) -> str:
    start = NetworkRef(known.ref.id, 0)
    tenths = round(10 * float(np.mean(said_of_tests(start) == MNIST.y_test)))
    return {0: "none", 1: "about_a_tenth", 5: "about_half", 10: "nearly_all"}[tenths]


def wrong_count(known: Known, asked: Question) -> str:
    return str(int((said_of_tests(known.ref) != MNIST.y_test).sum()))


def better_on_tests(known: Known, asked: Question, networks: list[str]) -> str:
    right = {
        id: int((said_of_tests(open_network(id).last) == MNIST.y_test).sum()) for id in networks
    }
    return open_network(max(right, key=lambda id: right[id])).card.title


def at_moment(known: Known, asked: Question, step: int) -> str:
    return str(Known(NetworkRef(known.ref.id, step), known.digit).answer)


def strongest_map(known: Known, asked: Question, layer: str, maps: list[int]) -> str:
    output = known.output(layer)
    return str(max(maps, key=lambda k: output[:, :, k].max()))


def lesion_gain(known: Known, asked: Question, layer: str, unit: int | None = None) -> str:
    off = int(known.output(layer).max(axis=(0, 1)).argmax())
    assert asked.values["filter"] == str(off)
    lesioned = load_model(known.ref)
    kernel, bias = lesioned.get_layer(layer).get_weights()
    kernel[..., off], bias[off] = 0, 0
    lesioned.get_layer(layer).set_weights([kernel, bias])
    return str(int((known.sums(lesioned) - known.sums()).argmax()))


def added(known: Known, asked: Question, layer: str) -> str:
    row, column, map_ = cell_of(asked)
    return decimals(float(known.output(layer)[row, column, map_]))


def joined_maps(known: Known, asked: Question, layer: str) -> str:
    return str(known.output(layer).shape[-1])


def surest_network(known: Known, asked: Question, networks: list[str]) -> str:
    left = {}
    for id in networks:
        sums = Known(open_network(id).last, known.digit).sums()
        ahead = sums[known.label] - sums
        left[id] = sum(np.exp(-ahead[k]) for k in range(10) if k != known.label)
    return open_network(min(left, key=lambda id: left[id])).card.title


def fewest_parameters(known: Known, asked: Question, networks: list[str]) -> str:
    counts = {id: build(id).count_params() for id in networks}
    return open_network(min(counts, key=lambda id: counts[id])).card.title


AGAIN: dict[str, Callable[..., str]] = {
    answer.__name__: answer
    for answer in (
        added, after_activation, at_moment, batch_shape, better_on_tests, fewest_parameters,
        field_of, flat_cell, flat_position, hardest_push, joined_maps, lesion_gain,
        loss_of_answer, most_parameters, network_answer, odds, output_shape, parameters_of,
        pixel_share, pool_winner, right_at_start, runner_up, shift_changes, steps_in_epoch,
        stroke_answer, strongest_map, surest_network, wrong_count, zero_share,
    )
}  # fmt: skip


@pytest.mark.parametrize("digit", DIGITS.values(), ids=DIGITS)
@pytest.mark.parametrize(("view", "ask", "text"), ASKED)
def test_the_answer_is_right(view: View, ask: Ask, text: str, digit: Digit) -> None:
    asked = posed(ask, seen_by(view, digit))
    expected = AGAIN[ask.name](Known(ref_of(view), digit), asked, **ask.arguments)
    assert asked.choices[asked.right] == expected


@pytest.mark.parametrize("digit", DIGITS.values(), ids=DIGITS)
@pytest.mark.parametrize(("view", "ask", "text"), ASKED)
def test_every_choice_has_its_reason_with_the_live_numbers(
    view: View, ask: Ask, text: str, digit: Digit
) -> None:
    seen = seen_by(view, digit)
    asked = posed(ask, seen)
    assert 2 <= len(asked.choices) <= 4
    assert len({choice_text(choice) for choice in asked.choices}) == len(asked.choices)
    layer = view.layer or seen.trace.graph.input.name
    assert "{" not in filled(text, {**facts(seen, layer, None), **asked.values})
    reasons = [reason(ask, asked, k) for k in range(len(asked.choices))]
    assert all(len(words) > 8 and "{" not in words for words in reasons)
    right = choice_text(asked.choices[asked.right])
    mistaken = [words for k, words in enumerate(reasons) if k != asked.right]
    assert all(right in words for words in mistaken)


def test_what_an_answer_shows_is_a_unit_of_the_network() -> None:
    for param in ASKED:
        view, ask, _ = param.values
        seen = seen_by(view, DIGITS["an easy 3"])
        layer, unit = posed(ask, seen).shows or (seen.trace.layers[0].name, (0, 0, 0))
        assert seen.trace[layer].output[unit].shape == ()


def test_a_choice_that_happens_to_be_right_too_is_left_out() -> None:
    asked = question("2", {"2": "slip", "3": "", "4": "", "5": "", "6": ""}, {"x": "y"})
    assert sorted(asked.choices) == ["2", "3", "4", "5"]
    assert asked.choices[asked.right] == "2"
    assert asked.slips[asked.right] == ""
    assert asked.values == {"x": "y", "right": "2"}


def test_a_question_about_what_a_network_lacks_is_refused_in_a_sentence() -> None:
    seen = look(open_network("lenet5").last, DIGITS["an easy 3"])
    for name, arguments in (
        ("pool_winner", {"layer": "pool_1"}),
        ("added", {"layer": "c3"}),
        ("output_shape", {"layer": "output"}),
    ):
        with pytest.raises(ConvScopeError, match=r"\.$"):
            posed(Ask(name, arguments, "", "", {}, ""), seen)


def test_a_question_that_nobody_asks_is_named() -> None:
    seen = look(open_network("classic").last, DIGITS["an easy 3"])
    with pytest.raises(DataError, match="Nobody asks 'riddle'"):
        posed(Ask("riddle", {}, "", "", {}, ""), seen)
    with pytest.raises(DataError, match="cannot be asked so"):
        posed(Ask("odds", {"much": 1}, "", "", {}, ""), seen)


def test_words_that_ask_for_what_is_not_there_are_named() -> None:
    with pytest.raises(DataError, match="asks for 'colour'"):
        filled("It is {colour}.", {"size": "3"})


def test_choices_that_are_named_are_called_something() -> None:
    """``top_left`` and the like are names for askers, not for people."""
    names = {
        choice
        for view, ask, _ in (param.values for param in ASKED)
        for choice in posed(ask, seen_by(view, DIGITS["an easy 3"])).choices
    }
    layers = {layer.name for id in ("intro", "classic") for layer in open_network(id).graph}
    named = {name for name in names - layers if name.replace("_", "").isalpha()}
    assert named == set(load_words()["choices"])
