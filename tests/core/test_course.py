"""The course as files: fifteen lessons in order, with true references, their words explained."""

import re
import tomllib
from pathlib import Path

import pytest

from cnn_core.course.lesson import LESSONS, Ask, Card, Lesson, load_course, read_lesson
from cnn_core.course.questions import ASKERS
from cnn_core.course.text import load_glossary, load_words, terms_in, with_terms
from cnn_core.errors import DataError
from cnn_core.networks.zoo import open_network
from cnn_core.probe.geometry import check_index
from cnn_core.probe.single import KERNELS

COURSE = load_course()
TOPICS = (
    "What a CNN is",
    "The input layer",
    "Convolution",
    "Activation functions",
    "Pooling",
    "Flattening",
    "The dense layer",
    "The output layer",
    "Putting it together",
    "Training",
    "Evaluating",
    "Classifying one digit",
    "What the filters learned",
    "Advanced architectures",
    "Further reading",
)
CARDS = [
    pytest.param(lesson, card, id=f"{lesson.number}: {card.title}")
    for lesson in COURSE
    for card in lesson.cards
]
QUESTIONS = [
    pytest.param(card.question, id=f"{lesson.number}: {card.title}")
    for lesson in COURSE
    for card in lesson.cards
    if card.question is not None
]


def test_there_is_a_lesson_for_each_topic_in_order() -> None:
    assert tuple(lesson.title for lesson in COURSE) == TOPICS


@pytest.mark.parametrize("lesson", COURSE, ids=lambda lesson: lesson.path.stem)
def test_a_lesson_has_three_to_six_cards_two_or_three_questions_code_and_a_summary(
    lesson: Lesson,
) -> None:
    kinds = [card.kind for card in lesson.cards]
    assert 3 <= kinds.count("text") <= 6
    assert 2 <= kinds.count("question") <= 3
    assert kinds[-1] == "summary"
    assert kinds.count("summary") == 1
    assert lesson.explain
    assert lesson.code


@pytest.mark.parametrize(("lesson", "card"), CARDS)
def test_a_card_is_short_and_has_a_picture_of_a_network_that_there_is(
    lesson: Lesson, card: Card
) -> None:
    prose = re.sub(r"\([^)]*\)|^- .*(\n  .*)*", "", card.text, flags=re.MULTILINE)
    assert 8 <= len(prose.split()) <= 130
    network = open_network(card.view.network)
    assert card.view.step in (None, *network.film.steps)
    assert card.view.options.get("kernel", "identity") in KERNELS


@pytest.mark.parametrize(
    ("lesson", "card"), [one for one in CARDS if one.values[1].view.layer]
)  # fmt: skip
def test_what_a_card_looks_at_is_there(lesson: Lesson, card: Card) -> None:
    view = card.view
    spec = open_network(view.network).graph[view.layer]
    named = view.unit if isinstance(view.unit, tuple) else tuple(0 for _ in spec.output_shape)
    assert check_index(spec, named) == named
    assert isinstance(view.unit, tuple) or view.unit in ("", "strongest")
    maps = {*view.highlight, view.map or 0}
    assert maps <= set(range(spec.output_shape[-1]))


@pytest.mark.parametrize("ask", QUESTIONS)
def test_a_questions_asker_exists_and_has_reasons(ask: Ask) -> None:
    assert ask.name in ASKERS
    assert "{" in ask.right or len(ask.right) > 40
    assert "{right}" in ask.wrong
    assert ask.reveal
    assert all("{right}" in text or "{" in text for text in ask.slips.values())


def test_every_asker_is_asked_somewhere() -> None:
    asked = {card.question.name for lesson in COURSE for card in lesson.cards if card.question}
    assert asked == set(ASKERS)


# Words


def test_every_marked_term_is_in_the_glossary_and_the_other_way_round() -> None:
    marked = {term for lesson in COURSE for card in lesson.cards for term in terms_in(card.text)}
    assert marked == set(load_glossary())


def test_each_term_is_explained_where_it_first_appears() -> None:
    """There, and only there, it is printed in bold."""
    text = "\n".join(card.text for lesson in COURSE for card in lesson.cards)
    for term in load_glossary():
        marks = re.finditer(rf"(\*\*)?\[\[(?:[^\]|]+\|)?{re.escape(term)}\]\](\*\*)?", text)
        first, *later = marks
        assert first[1] == first[2] == "**", term
        assert all(mark[1] is None for mark in later), term


def test_the_words_of_the_glossary_are_whole_sentences() -> None:
    for term, words in load_glossary().items():
        assert words.endswith("."), term
        assert len(words.split()) >= 4


def test_terms_are_found_and_replaced() -> None:
    text = "A [[kernel]] makes [[feature maps|feature map]]."
    assert terms_in(text) == ["kernel", "feature map"]
    assert with_terms(text, lambda shown, term: f"<{shown}:{term}>") == (
        "A <kernel:kernel> makes <feature maps:feature map>."
    )


def test_all_words_of_choices_are_there() -> None:
    for name in ("upright", "top_left", "first_quarter", "none", "before_pooling"):
        assert load_words()["choices"][name]


# References


def links() -> dict[str, str]:
    """Every outside address of the course, with the line that it stands in."""
    return {
        address: line
        for path in LESSONS.glob("*.md")
        for entry in re.split(r"\n(?=- |\n)", path.read_text("utf-8"))
        for line in [" ".join(entry.split())]
        for address in re.findall(r"\]\((https?://[^)]+)\)", entry)
    }


@pytest.mark.parametrize(
    ("paper", "address"),
    [
        ("Gradient-based learning applied to document recognition", "10.1109/5.726791"),
        ("The MNIST database", "yann.lecun.com/exdb/mnist"),
        (
            "ImageNet classification with deep convolutional",
            "papers.nips.cc/paper_files/paper/2012",
        ),
        ("VGG: K. Simonyan", "arxiv.org/abs/1409.1556"),
        ("Going deeper with convolutions", "arxiv.org/abs/1409.4842"),
        ("Deep residual learning", "arxiv.org/abs/1512.03385"),
        ("DenseNet: G. Huang", "arxiv.org/abs/1608.06993"),
        ("Feature visualization", "distill.pub/2017/feature-visualization"),
        ("CNN Explainer", "arxiv.org/abs/2004.15004"),
    ],
)
def test_a_paper_has_its_own_address(paper: str, address: str) -> None:
    (line,) = [line for found, line in links().items() if address in found]
    assert paper in line


def test_alexnet_is_not_given_the_number_of_resnet() -> None:
    (entry,) = [line for line in links().values() if "Krizhevsky" in line]
    assert "NeurIPS 2012" in entry
    assert "Sutskever" in entry
    assert "Hinton" in entry
    assert "1512.03385" not in entry


# The parser

GOOD = """+++
title = "T"
explain = ["a"]
view = {panel = "digit"}
+++

## One

Words with `## no card` in them.

```view
layer = "conv_1"
unit = [1, 2, 3]
```

```python
## not a card
print(1)
```

## Ask

What?

```question
ask = "odds"
much = 3
right = "r"
wrong = "w"
```

## End

Done.
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "01-t.md"
    path.write_text(text, "utf-8")
    return path


def test_a_lesson_is_read_into_cards(tmp_path: Path) -> None:
    lesson = read_lesson(write(tmp_path, GOOD))
    one, ask, end = lesson.cards
    assert (one.kind, ask.kind, end.kind) == ("text", "question", "summary")
    assert one.text == "Words with `## no card` in them."
    assert one.view.panel == "digit"
    assert (one.view.layer, one.view.unit) == ("conv_1", (1, 2, 3))
    assert one.code[0].text == "## not a card\nprint(1)\n"
    lines = GOOD.splitlines()
    assert lines[one.code[0].line - 1] == "## not a card"
    assert ask.question is not None
    assert ask.question.arguments == {"much": 3}
    assert ask.view == one.view  # that of the card before
    assert lines[end.line - 1] == "## End"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("+++\ntitle", "title", 1, "front matter"),
        ('title = "T"', "title = T", 2, "no TOML"),
        ('title = "T"\n', "", 1, "title"),
        ('view = {panel = "digit"}\n', "", 10, "a view has a panel"),
        ('layer = "conv_1"', "layer = conv_1", 12, "no TOML"),
        ('layer = "conv_1"', 'layer = "conv_1"\nlayers = 3', 11, "Received: panel, layer, layers"),
        ("```python", "```pyhton", 16, "'pyhton'"),
        ('ask = "odds"\n', "", 25, "no ask"),
        ('right = "r"\n', "", 25, "no right"),
        ("Done.", '```question\nask = "odds"\nright = "r"\nwrong = "w"\n```', 32, "sums up"),
        ("Done.", "```python\nx = 1", 34, "no end"),
        ("\n## One\n", "\nLost\n\n## One\n", 7, "before the first card"),
    ],
)
def test_a_broken_lesson_names_its_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert GOOD.count(old) >= 1
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(DataError, match=rf"01-t\.md, line {line}: .*{re.escape(says)}"):
        read_lesson(path)


def test_a_gap_in_the_numbers_is_noticed(tmp_path: Path) -> None:
    write(tmp_path, GOOD).rename(tmp_path / "02-t.md")
    with pytest.raises(DataError, match="without a gap"):
        load_course(tmp_path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "01-t.md").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"01-t\.md cannot be read"):
        read_lesson(tmp_path / "01-t.md")


def test_the_words_are_toml_in_the_same_folder() -> None:
    assert {path.name for path in LESSONS.glob("*.toml")} == {"glossary.toml", "words.toml"}
    tomllib.loads((LESSONS / "words.toml").read_text("utf-8"))
