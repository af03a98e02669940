"""The answers to questions about filters, lesions and reasons, worked out in a worker."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cnn_core.data.images import TEST_IMAGES
from cnn_core.data.variations import VARIATIONS
from cnn_core.errors import WrongInput
from cnn_core.insight.attribution import Attributor
from cnn_core.insight.embedding import activations, pca_layout, tsne_layout
from cnn_core.insight.evaluation import evaluation_of
from cnn_core.insight.features import exciters, rank_units, synthesise
from cnn_core.insight.kept import keep_evaluation
from cnn_core.insight.results import (
    Attribution,
    Deletion,
    Embedding,
    Fooling,
    LayerExciters,
    Layout,
    Ranking,
    Robustness,
    Synthesis,
)
from cnn_core.insight.scores import Evaluation
from cnn_core.lab.handlers import look
from cnn_core.lab.requests import (
    AnswersRequest,
    AttributionRequest,
    DeepTrainingRequest,
    DeletionRequest,
    EmbeddingRequest,
    EvaluationRequest,
    ExcitersRequest,
    FoolRequest,
    Progress,
    RankingRequest,
    RobustnessRequest,
    SynthesisRequest,
)
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.training.events import DeepTraining
from cnn_core.training.skips import train_deep

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
    model, labels = look(request.ref).model, labels_of(request.ref)
    return exciters(model, request.layer, batches_of_digits(request.ref), labels, progress)


def synthesis(request: SynthesisRequest, progress: Progress) -> Synthesis:
    value_range = open_network(request.ref.id).card.value_range
    model = look(request.ref).model
    return synthesise(model, request.layer, request.channel, value_range, progress)


def evaluate(request: EvaluationRequest, progress: Progress) -> Evaluation:
    network = open_network(request.ref.id)
    dataset = network.tested_on
    classes = len(dataset.class_names)
    outputs = network.graph.output.output_shape
    if outputs != (classes,):
        raise WrongInput(
            f"{network.card.title} has outputs of shape {outputs}; the {dataset.tests} of "
            f"{dataset.title} are of {classes} classes. It cannot be evaluated on them."
        )
    found = evaluation_of(
        look(request.ref).model,
        batches_of_digits(request.ref),
        labels_of(request.ref),
        progress,
    )
    keep_evaluation(request.ref, found)
    return found


def robustness(request: RobustnessRequest, progress: Progress) -> Robustness:
    variation, network = VARIATIONS[request.variation], open_network(request.ref.id)
    every = TEST_IMAGES // request.digits
    images = np.divide(network.tested_on.load().x_test[::every], 255, dtype=np.float32)
    labels, model = labels_of(request.ref, every), look(request.ref).model
    right = []
    for k, amount in enumerate(variation.few):
        changed = np.rint(variation.of_all(images, amount) * 255).astype(np.uint8)
        count = 0
        for start in range(0, len(changed), _BATCH):
            batch = network.card.fit_all(changed[start : start + _BATCH])
            answers = model.predict_on_batch(batch).argmax(axis=1)
            count += int(np.sum(answers == labels[start : start + _BATCH]))
        right.append(count)
        progress((k + 1) / len(variation.few))
    return Robustness(np.array(variation.few), np.array(right), len(labels))


def ranking(request: RankingRequest, progress: Progress) -> Ranking:
    every = TEST_IMAGES // request.digits
    labels, batches = labels_of(request.ref, every), batches_of_digits(request.ref, every)
    return rank_units(look(request.ref).model, request.layer, batches, labels, progress)


def embed(request: EmbeddingRequest, progress: Progress) -> Embedding:
    lay_out = {"PCA": pca_layout, "t-SNE": tsne_layout}[request.method]
    every = TEST_IMAGES // request.images
    images = np.concatenate(list(batches_of_digits(request.refs[0], every)))
    layouts: list[Layout] = []
    for k, ref in enumerate(request.refs):
        features, answers = activations(look(ref).model, request.layer, images)
        progress((k + 0.3) / len(request.refs))
        layouts.append(lay_out(features, answers, layouts[-1] if layouts else None))
        progress((k + 1) / len(request.refs))
    numbers = np.arange(len(images)) * every
    return Embedding(numbers, labels_of(request.refs[0], every), tuple(layouts))


def train_deeply(request: DeepTrainingRequest, progress: Progress) -> DeepTraining:
    return train_deep(request.blocks, request.skip, request.steps, progress)


def labels_of(ref: NetworkRef, every: int = 1) -> NDArray[np.uint8]:
    """What the test images are, or every so-manieth."""
    return open_network(ref.id).tested_on.load().y_test[::every]


def batches_of_digits(ref: NetworkRef, every: int = 1) -> Iterator[NDArray[np.float32]]:
    """The test images, or every so-manieth, as the network reads them."""
    network = open_network(ref.id)
    images = network.tested_on.load().x_test[::every]
    for start in range(0, len(images), _BATCH):
        yield network.card.fit_all(images[start : start + _BATCH])
