"""The answers to questions about filters, lesions and reasons, worked out in a worker."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.mnist import load_mnist
from cnn_core.insight.attribution import Attributor
from cnn_core.insight.features import class_scores, exciters, rank_units, synthesise
from cnn_core.insight.results import (
    Attribution,
    ClassScores,
    Deletion,
    Fooling,
    LayerExciters,
    Ranking,
    Synthesis,
)
from cnn_core.lab.handlers import look
from cnn_core.lab.requests import (
    AnswersRequest,
    AttributionRequest,
    DeletionRequest,
    ExcitersRequest,
    FoolRequest,
    Progress,
    RankingRequest,
    ScoresRequest,
    SynthesisRequest,
)
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network

_BATCH = 500


@lru_cache(maxsize=8)
def _attributor(id: str) -> Attributor:
    model = look(open_network(id).last).model
    return Attributor(model, open_network(id).card.value_range)


def attributor(ref: NetworkRef) -> Attributor:
    """What explains the network, at that moment."""
    found = _attributor(ref.id)
    look(ref)  # the model it reads is moved there
    return found


def attribute(request: AttributionRequest, progress: Progress) -> dict[str, Attribution]:
    return attributor(request.ref).explain(request.pixels, request.target, request.layer)


def delete(request: DeletionRequest, progress: Progress) -> Deletion:
    return attributor(request.ref).delete(request.pixels, request.values, request.target)


def fool(request: FoolRequest, progress: Progress) -> Fooling:
    steps = np.divide(np.arange(128), 255, dtype=np.float32)
    return attributor(request.ref).fool(request.pixels, steps)


def answers(request: AnswersRequest, progress: Progress) -> NDArray[np.float32]:
    return attributor(request.ref).probabilities(request.images)


def find_exciters(request: ExcitersRequest, progress: Progress) -> LayerExciters:
    model, labels = look(request.ref).model, load_mnist().y_test
    return exciters(model, request.layer, batches_of_digits(request.ref), labels, progress)


def synthesis(request: SynthesisRequest, progress: Progress) -> Synthesis:
    value_range = open_network(request.ref.id).card.value_range
    model = look(request.ref).model
    return synthesise(model, request.layer, request.channel, value_range, progress)


def scores(request: ScoresRequest, progress: Progress) -> ClassScores:
    model, labels = look(request.ref).model, load_mnist().y_test
    return class_scores(model, batches_of_digits(request.ref), labels, progress)


def ranking(request: RankingRequest, progress: Progress) -> Ranking:
    every = len(load_mnist().y_test) // request.digits
    labels = load_mnist().y_test[::every]
    batches = batches_of_digits(request.ref, every)
    return rank_units(look(request.ref).model, request.layer, batches, labels, progress)


def batches_of_digits(ref: NetworkRef, every: int = 1) -> Iterator[NDArray[np.float32]]:
    """The test digits, or every so-manieth, as the network reads them."""
    card, images = open_network(ref.id).card, load_mnist().x_test[::every]
    for start in range(0, len(images), _BATCH):
        yield card.fit_all(images[start : start + _BATCH])
