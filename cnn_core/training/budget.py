"""What a training may cost, and whether one stays within that. Needs no Keras.

Everything is counted before anything is begun: a visitor can neither fill the disk nor hold the
processor for ever.
"""

from dataclasses import dataclass
from math import prod

from cnn_core.errors import BadConfig, NetworkError
from cnn_core.networks.draft import graph_of_design
from cnn_core.networks.graph import Graph
from cnn_core.networks.zoo import architectures, open_network
from cnn_core.settings import is_public, whole_number
from cnn_core.training.config import TrainingConfig, film_steps


@dataclass(frozen=True)
class Budget:
    """The most that one training may cost.

    Attributes
    ----------
    multiply_adds : of all images in all epochs, forwards. Two cores do some 3·10¹⁰ a second while
        they train.
    epochs : times through the data.
    steps : batches; each is a row of the history.
    film_bytes : what the frames of the film may take on the disk.
    """

    multiply_adds: int
    epochs: int
    steps: int
    film_bytes: int


OWN = Budget(multiply_adds=10**15, epochs=1_000, steps=500_000, film_bytes=1_000_000_000)
"""On one's own machine or in a classroom: about half a day."""

PUBLIC = Budget(multiply_adds=10**12, epochs=20, steps=20_000, film_bytes=60_000_000)
"""In public: the course's recipe on the course's network, and a little more."""


def budget() -> Budget:
    """What holds here."""
    return PUBLIC if is_public() else OWN


def most_waiting() -> int:
    """How many trainings may stand in the queue: ``CONVSCOPE_WAITING``, 20 by default, 6 in
    public."""
    return whole_number("CONVSCOPE_WAITING", 6 if is_public() else 20, 1, 1_000)


@dataclass(frozen=True)
class Cost:
    """What a training will cost; the fields are those of `Budget`."""

    multiply_adds: int
    epochs: int
    steps: int
    film_bytes: int


def cost_of(config: TrainingConfig) -> Cost:
    """Raises `BadConfig`, `NetworkError` if its network is not to be had."""
    graph = trained_graph(config)
    images = config.training_digits + config.validation_digits
    return Cost(
        multiply_adds=multiply_adds(graph) * images * config.epochs,
        epochs=config.epochs,
        steps=config.total_steps,
        film_bytes=4 * graph.parameter_count * len(film_steps(config)),
    )


def check_cost(config: TrainingConfig, most: Budget | None = None) -> None:
    """Raise `BadConfig` if the training would cost more than it may; says in what.

    Parameters
    ----------
    most : what it may cost; by default what holds here.
    """
    most = most or budget()
    try:
        cost = cost_of(config)
    except NetworkError as error:
        raise BadConfig(f"There is no network to train. {error}") from error
    if cost.epochs > most.epochs:
        raise BadConfig(
            f"At most {most.epochs:,} epochs are trained here. Received: {cost.epochs:,}."
        )
    if cost.steps > most.steps:
        raise BadConfig(
            f"This would take {cost.steps:,} steps; at most {most.steps:,} are made here. Take "
            "larger batches, fewer epochs, or a smaller share of the data."
        )
    if cost.multiply_adds > most.multiply_adds:
        raise BadConfig(
            f"This would take {cost.multiply_adds:.1e} multiply-adds; at most "
            f"{most.multiply_adds:.1e} are spent on one training here. Take fewer epochs, a "
            "smaller share of the data, or a smaller network."
        )
    if cost.film_bytes > most.film_bytes:
        raise BadConfig(
            f"Its film would take {cost.film_bytes / 1e6:,.0f} MB; at most "
            f"{most.film_bytes / 1e6:,.0f} MB are kept of one here. Take fewer epochs or a network "
            "with fewer parameters."
        )


def trained_graph(config: TrainingConfig) -> Graph:
    """The layers that a set-up trains. Raises `BadConfig`, `NetworkError`."""
    if config.start is not None:
        return open_network(config.start.id).graph
    if config.design is not None:
        return graph_of_design(config.design)
    known = architectures()
    if config.architecture not in known:
        raise BadConfig(
            f"There is no network {config.architecture!r:.40} to train. Those there are: "
            f"{', '.join(known)}."
        )
    return known[config.architecture].graph


def multiply_adds(graph: Graph) -> int:
    """Products of a weight and a value, for one image forwards; as `probe.accounting` counts."""
    return sum(
        prod(spec.weights["kernel"])
        * prod(spec.output_shape[:-1] if spec.kind == "Dense" else spec.output_shape[:2])
        for spec in graph
        if "kernel" in spec.weights
    )
