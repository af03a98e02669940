"""The notebook of a lesson: its words with the numbers of the digit, its code, its questions."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from cnn_core.course.lesson import Card, Lesson, View
from cnn_core.course.questions import choice_text, posed, reason
from cnn_core.course.seen import Seen, facts, look, strongest
from cnn_core.course.text import filled, load_glossary, load_words, terms_in, with_terms
from cnn_core.data.digit import Digit, digit_from_token
from cnn_core.errors import ConvScopeError
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.source import expression, ref_code
from cnn_core.networks.zoo import open_network
from cnn_core.notebooks.cells import Cell, Code, Text
from cnn_core.notebooks.opening import code, number, plain, set_up
from cnn_core.probe.geometry import CONVOLUTIONS, Index


def lesson_cells(lesson: Lesson, ref: NetworkRef, digit: Digit) -> list[Cell]:
    """A lesson as it stands on its page, with every value that its words name computed anew.

    Parameters
    ----------
    ref, digit : what is looked at where a card does not say otherwise.
    """
    goals = "\n".join(f"- {line}" for line in lesson.explain)
    words = load_words()["page"]
    cells: list[Cell] = [Text(f"# {lesson.title}\n\n{words['will_explain']}\n\n{goals}"), *set_up()]
    way = _Way(ref, digit)
    shown: tuple[NetworkRef, str] | None = None
    for card in lesson.cards:
        try:
            way.come_to(card.view)
            if shown != (way.ref, way.digit.token):
                shown = way.ref, way.digit.token
                cells += _under_the_lens(way)
            cells += _card(card, way)
        except ConvScopeError as error:  # as on the page: this network has no such thing
            cells.append(Text(f"## {card.title}\n\n{plain(str(error))}"))
        cells += [Code(one.text.rstrip("\n")) for one in card.code]
    return [*cells, _terms(lesson)]


@dataclass
class _Way:
    """What is looked at, card after card, as on the page."""

    ref: NetworkRef
    digit: Digit
    layer: str = ""
    unit: Index | None = None

    def come_to(self, view: View) -> None:
        if view.digit:
            self.digit = digit_from_token(view.digit)
        if view.network:
            last = open_network(view.network).last
            self.ref = last if view.step is None else NetworkRef(view.network, view.step)
        graph = open_network(self.ref.id).graph
        if view.layer:
            self.layer, self.unit = graph[view.layer].name, None
        elif self.layer not in {spec.name for spec in graph}:
            names = [spec.name for spec in graph if spec.kind in CONVOLUTIONS]
            self.layer, self.unit = (names or [graph.input.name])[0], None
        if isinstance(view.unit, tuple):
            self.unit = view.unit
        elif view.layer and (view.unit or view.map is not None):
            self.unit = strongest(self.seen.trace[view.layer].output, view.map)

    @property
    def seen(self) -> Seen:
        return look(self.ref, self.digit)


def _under_the_lens(way: _Way) -> Iterator[Cell]:
    """Which digit and which network the next cards speak of. Defines `lens`."""
    title = plain(open_network(way.ref.id).card.title)
    yield Text(f"Under the lens: {title} at step {way.ref.step:,}, and this digit.")
    yield code(
        f"""
        from cnn_core import ActivationProbe, NetworkRef, digit_from_token, load_model, open_network

        lens_ref = {ref_code(way.ref)}
        lens_digit = digit_from_token(
            {expression(way.digit.token)}
        )
        lens = ActivationProbe(load_model(lens_ref)).trace(
            open_network(lens_ref.id).card.fit(lens_digit.pixels)
        )
        plt.figure(figsize=(2, 2))
        plt.imshow(lens_digit.pixels, cmap="gray", vmin=0, vmax=1)
        plt.axis("off")
        plt.show()
        """
    )


def _card(card: Card, way: _Way) -> Iterator[Cell]:
    """A card's words with its numbers, and those numbers computed."""
    seen = way.seen
    values = facts(seen, way.layer, way.unit)
    question = None if card.question is None else posed(card.question, seen)
    if question is not None:
        values = {**values, **question.values}
    words = with_terms(filled(card.text, values), lambda shown, term: shown)
    if card.question is not None and question is not None:
        choices = "\n".join(f"- {choice_text(choice)}" for choice in question.choices)
        said = escape(reason(card.question, question, question.right), quote=False)
        right = escape(choice_text(question.choices[question.right]), quote=False)
        answer = load_words()["page"]["answer"]
        yield Text(
            f"## {card.title}\n\n{words}\n\n{choices}\n\n<details><summary>{answer}</summary>"
            f"<strong>{right}</strong>. {said}</details>"
        )
        return
    yield Text(f"## {card.title}\n\n{words}")
    if "{value}" in card.text or "{unit}" in card.text:
        output = seen.trace[way.layer].output
        index = way.unit or strongest(output)
        at = ", ".join(map(str, index))
        yield Code(
            f'compare("{way.layer}[{at}]", lens["{way.layer}"].output[{at}], '
            f"{number(float(output[index]))})"
        )


def _terms(lesson: Lesson) -> Text:
    """What the terms of the lesson mean."""
    glossary = load_glossary()
    used = dict.fromkeys(term for card in lesson.cards for term in terms_in(card.text))
    lines = "\n".join(f"- **{term}**: {glossary[term]}" for term in used)
    return Text(f"## {load_words()['page']['terms']}\n\n{lines}")
