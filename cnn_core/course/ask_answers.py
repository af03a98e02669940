"""Questions about answers: classes, shares, losses, moments, scores."""

from math import exp, log

import numpy as np
from numpy.typing import NDArray

from cnn_core.course.question import Question, question
from cnn_core.course.seen import Seen, strongest
from cnn_core.course.text import fixed, number, share
from cnn_core.errors import NothingToExplain
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.training.config import TrainingConfig


def network_answer(seen: Seen) -> Question:
    """Which class does the network name?"""
    order = np.argsort(-seen.trace.output, kind="stable")[:4]
    best = int(order[0])
    names = [seen.classes[k] for k in sorted(order.tolist())]
    values = {"share": share(float(seen.trace.output[best])), "label": seen.classes[seen.label]}
    values["second"] = seen.classes[int(order[1])]
    return question(seen.classes[best], dict.fromkeys(names, ""), values, tuple(names))


def runner_up(seen: Seen) -> Question:
    """Which class comes second?"""
    order = np.argsort(-seen.trace.output, kind="stable")
    second = int(order[1])
    names = [seen.classes[k] for k in sorted(order[1:5].tolist())]
    values = {
        "first": seen.classes[int(order[0])],
        "share": share(float(seen.trace.output[second])),
    }
    return question(seen.classes[second], dict.fromkeys(names, ""), values, tuple(names))


def odds(seen: Seen) -> Question:
    """Two sums before softmax: how many times the share of the second has the first?"""
    logits = seen.trace.layers[-1].pre_activation
    if logits is None:
        raise NothingToExplain("The answer of this network has no softmax.")
    order = np.argsort(-logits, kind="stable")
    one, other = (float(logits[k]) for k in order[:2])
    ahead = one - other
    others = {
        number(ahead): "difference",
        number(2 * ahead): "doubled",
        number(exp(ahead) * 10): "",
    }
    values = {
        "first": seen.classes[int(order[0])], "second": seen.classes[int(order[1])],
        "first_sum": fixed(one), "second_sum": fixed(other), "ahead": fixed(ahead),
    }  # fmt: skip
    return question(number(exp(ahead)), others, values)


def loss_of_answer(seen: Seen) -> Question:
    """What is the loss of this answer?"""
    probability = max(float(seen.trace.output[seen.label]), 1e-7)  # as Keras clips it
    right = number(-log(probability))
    others = {
        number(1 - probability): "rest",
        number(probability): "probability",
        number(-log(max(1 - probability, 1e-7))): "of the rest",
    }
    values = {"probability": f"{probability:.4g}", "label": seen.classes[seen.label]}
    return question(right, others, values)


def right_at_start(seen: Seen) -> Question:
    """How many test digits does the network get right before it has learned anything?"""
    card = seen.network.card
    first = min(_tested(seen))
    order = ("none", "about_a_tenth", "about_half", "nearly_all")
    found = card.accuracy[first]
    middles = dict(zip(order, (0.0, 0.1, 0.5, 0.95), strict=True))
    right = min(order, key=lambda name: abs(middles[name] - found))
    return question(right, dict.fromkeys(order, ""), {"share": share(found)}, order)


def at_moment(seen: Seen, step: int) -> Question:
    """Which class did the network name after so many steps of its training?"""
    early = seen.after(NetworkRef(seen.ref.id, step))
    order = np.argsort(-early, kind="stable").tolist()
    names = [seen.classes[k] for k in sorted({*order[:3], seen.answer, order[3]}, key=order.index)]
    names = sorted(names[:4], key=seen.classes.index)
    if seen.classes[seen.answer] not in names:
        names[-1] = seen.classes[seen.answer]
    right = seen.classes[order[0]]
    values = {
        "step": f"{step:,}",
        "share": share(float(early[order[0]])),
        "now": seen.classes[seen.answer],
        "now_share": share(float(seen.trace.output[seen.answer])),
    }
    slips = {name: "now" if name == values["now"] else "" for name in names}
    return question(right, slips, values, tuple(dict.fromkeys([*names, right])))


def _tested(seen: Seen) -> dict[int, float]:
    """The share of test digits right, by step of the film."""
    card = seen.network.card
    if seen.network.last.step not in card.accuracy:
        raise NothingToExplain(f"Nobody has tested how many digits {card.title} gets right.")
    return card.accuracy


def wrong_count(seen: Seen) -> Question:
    """So much is right of 10,000: how many are wrong?"""
    right = _tested(seen)[seen.network.last.step]
    wrong = round(10_000 * (1 - right))
    others = {f"{wrong * 10:,}": "ten times", f"{round(wrong / 10):,}": "a tenth",
              f"{10_000 - wrong:,}": "those right"}  # fmt: skip
    return question(f"{wrong:,}", others, {"accuracy": f"{right:.2%}"})


def better_on_tests(seen: Seen, networks: list[str]) -> Question:
    """Which of some networks gets more test digits right?"""
    found = {id: open_network(id) for id in networks}
    scores = {id: one.card.accuracy[one.last.step] for id, one in found.items()}
    best = max(scores, key=lambda id: scores[id])
    titles = {id: one.card.title for id, one in found.items()}
    values = {"scores": _listed(titles, {id: f"{score:.2%}" for id, score in scores.items()})}
    order = tuple(titles.values())
    return question(titles[best], dict.fromkeys(order, ""), values, order)


def surest_network(seen: Seen, networks: list[str]) -> Question:
    """Which of some networks leaves least for all classes but the digit's own?"""
    found = {id: open_network(id) for id in networks}
    left = {id: _left_over(seen.sums(one.last), seen.label) for id, one in found.items()}
    best = min(left, key=lambda id: left[id])
    titles = {id: one.card.title for id, one in found.items()}
    values = {
        "label": seen.classes[seen.label],
        "left": _listed(titles, {id: f"{100 * one:.2g}%" for id, one in left.items()}),
    }
    order = tuple(titles.values())
    return question(titles[best], dict.fromkeys(order, ""), values, order)


def _left_over(sums: NDArray[np.float64], label: int) -> float:
    """What softmax gives to all other classes together; exact also where it is next to nothing."""
    powers = np.exp(sums - sums.max())
    return float(np.delete(powers, label).sum() / powers.sum())


def fewest_parameters(seen: Seen, networks: list[str]) -> Question:
    """Which of some networks has the fewest numbers to learn?"""
    found = {id: open_network(id) for id in networks}
    counts = {id: one.graph.parameter_count for id, one in found.items()}
    best = min(counts, key=lambda id: counts[id])
    titles = {id: one.card.title for id, one in found.items()}
    values = {"counts": _listed(titles, {id: f"{count:,}" for id, count in counts.items()})}
    order = tuple(titles.values())
    return question(titles[best], dict.fromkeys(order, ""), values, order)


def _listed(titles: dict[str, str], texts: dict[str, str]) -> str:
    return "; ".join(f"{titles[id]} {text}" for id, text in texts.items())


def steps_in_epoch(seen: Seen) -> Question:
    """How many steps does an epoch of the course's recipe have?"""
    recipe = TrainingConfig()
    digits, batch = recipe.training_digits, recipe.batch_size
    others = {f"{digits:,}": "a step a digit", f"{-(-recipe.digits // batch):,}": "held out too",
              f"{batch:,}": "a batch", f"{recipe.epochs:,}": "epochs"}  # fmt: skip
    values = {"digits": f"{digits:,}", "batch": f"{batch:,}", "all": f"{recipe.digits:,}",
              "held_out": f"{recipe.validation_digits:,}"}  # fmt: skip
    return question(f"{-(-digits // batch):,}", others, values)


def lesion_gain(seen: Seen, layer: str, unit: int | None = None) -> Question:
    """Whose sum before the softmax gains most if one filter is off? By default that of the unit
    that answers most."""
    at = strongest(seen.trace[layer].output, unit)
    off = at[-1]
    gains = seen.sums(seen.without(layer, off)) - seen.sums(seen.ref)
    order = np.argsort(-gains, kind="stable").tolist()
    best, last = order[0], order[-1]
    names = tuple(seen.classes[k] for k in sorted({*order[:3], last}))
    values = {
        "layer": layer, "filter": str(off), "gain": _signed(gains[best]),
        "loser": seen.classes[last], "loss": _signed(gains[last]),
    }  # fmt: skip
    slips = dict.fromkeys(names, "") | {seen.classes[last]: "loser"}
    return question(seen.classes[best], slips, values, names, shows=(layer, at))


def _signed(change: float) -> str:
    return f"{change:+.2f}".replace("-", "\N{MINUS SIGN}")
