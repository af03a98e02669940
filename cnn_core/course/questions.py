"""Who works out which question. Every answer comes from the tensors that are there."""

from collections.abc import Callable, Mapping

from cnn_core.course import ask_answers, ask_shapes, ask_values
from cnn_core.course.lesson import Ask
from cnn_core.course.question import Question
from cnn_core.course.seen import Seen
from cnn_core.course.text import filled, load_words
from cnn_core.errors import DataError, NothingToExplain

Asker = Callable[..., Question]

ASKERS: Mapping[str, Asker] = {
    asker.__name__: asker
    for asker in (
        ask_answers.at_moment,
        ask_answers.better_on_tests,
        ask_answers.fewest_parameters,
        ask_answers.lesion_gain,
        ask_answers.loss_of_answer,
        ask_answers.network_answer,
        ask_answers.odds,
        ask_answers.right_at_start,
        ask_answers.runner_up,
        ask_answers.steps_in_epoch,
        ask_answers.surest_network,
        ask_answers.wrong_count,
        ask_shapes.batch_shape,
        ask_shapes.field_of,
        ask_shapes.flat_cell,
        ask_shapes.flat_position,
        ask_shapes.joined_maps,
        ask_shapes.most_parameters,
        ask_shapes.output_shape,
        ask_shapes.parameters_of,
        ask_values.added,
        ask_values.after_activation,
        ask_values.hardest_push,
        ask_values.pixel_share,
        ask_values.pool_winner,
        ask_values.shift_changes,
        ask_values.stroke_answer,
        ask_values.strongest_map,
        ask_values.zero_share,
    )
}
"""By the name that a lesson's question calls."""


def posed(ask: Ask, seen: Seen) -> Question:
    """The question on the present picture.

    Raises
    ------
    DataError : nobody of that name asks, or not with these arguments.
    ConvScopeError : the present network or digit has no such thing to ask about.
    """
    if ask.name not in ASKERS:
        raise DataError(f"Nobody asks {ask.name!r}. There are {', '.join(ASKERS)}.")
    try:
        return ASKERS[ask.name](seen, **ask.arguments)
    except (TypeError, KeyError) as error:
        raise DataError(f"The question {ask.name} cannot be asked so: {error}.") from error
    except (IndexError, ValueError) as error:  # layers of other sizes than the course's
        title = seen.network.card.title
        raise NothingToExplain(f"{title} is built too differently to be asked this.") from error


def choice_text(choice: str) -> str:
    """What a choice is called."""
    return load_words()["choices"].get(choice, choice)


def reason(ask: Ask, question: Question, chosen: int) -> str:
    """What is said after a choice, with its live numbers."""
    values = {
        **question.values,
        "right": choice_text(question.choices[question.right]),
        "chosen": choice_text(question.choices[chosen]),
    }
    if chosen == question.right:
        return filled(ask.right, values)
    return filled(ask.slips.get(question.slips[chosen], ask.wrong), values)
