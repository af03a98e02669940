"""Scores against scikit-learn, hand-made tables and published figures."""

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss

from cnn_core.data.mnist import load_mnist
from cnn_core.errors import WrongInput
from cnn_core.insight.evaluation import evaluation_of
from cnn_core.insight.kept import keep_evaluation, kept_evaluation
from cnn_core.insight.scores import (
    Evaluation,
    answered,
    best_temperature,
    cross_entropy,
    mcnemar,
    reliability,
    tempered,
    wilson,
)
from cnn_core.lab.insight import batches_of_digits, evaluate, robustness
from cnn_core.lab.requests import EvaluationRequest, RobustnessRequest
from cnn_core.networks.graph import Graph
from cnn_core.networks.keras_model import graph_of, load_model, weights_of
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import Network, open_network
from tests.core.branched import branched

REF = open_network("classic").last
LABELS = load_mnist().y_test[::10]


def quiet(share: float) -> None:
    assert 0 <= share <= 1 + 1e-9


@pytest.fixture(scope="module")
def found() -> Evaluation:
    early = NetworkRef("classic", open_network("classic").film.steps[9])
    return evaluation_of(load_model(early), batches_of_digits(early, 10), LABELS, quiet)


def test_an_evaluation_is_what_scikit_learn_says(found: Evaluation) -> None:
    answers = found.answers
    assert 0.1 < found.accuracy < 0.99
    assert found.accuracy == accuracy_score(LABELS, answers)
    np.testing.assert_array_equal(found.confusion, confusion_matrix(LABELS, answers))
    np.testing.assert_allclose(found.f1, f1_score(LABELS, answers, average=None))
    assert found.loss == pytest.approx(
        log_loss(LABELS, found.probabilities.astype(float)), abs=1e-4
    )


def test_precision_and_recall_come_from_the_confusion_matrix(found: Evaluation) -> None:
    counts = found.confusion
    np.testing.assert_allclose(found.recall, np.diag(counts) / counts.sum(axis=1))
    called = counts.sum(axis=0)
    expected = np.divide(np.diag(counts), called, out=np.zeros(10), where=called > 0)
    np.testing.assert_allclose(found.precision, expected)


def test_mistakes_stand_in_order_of_confidence(found: Evaluation) -> None:
    counts = found.confusion - np.diag(np.diag(found.confusion))
    true, answer = np.unravel_index(int(counts.argmax()), counts.shape)
    mistakes = found.mistakes(int(true), int(answer))
    assert len(mistakes) == counts.max() > 1
    assert (LABELS[mistakes] == true).all()
    assert (np.diff(found.confidence[mistakes]) <= 0).all()


def hand_made() -> tuple[np.ndarray, np.ndarray]:
    """Four images, two classes, confidences 0.6, 0.7, 0.9, 0.95; the second is wrong."""
    shares = np.array([[0.6, 0.4], [0.3, 0.7], [0.9, 0.1], [0.05, 0.95]])
    return shares, np.array([0, 0, 0, 1])


def test_calibration_by_hand() -> None:
    shares, labels = hand_made()
    # Ten bins: 0.6 → (0.5, 0.6], 0.7 → (0.6, 0.7], 0.9 → (0.8, 0.9], 0.95 → (0.9, 1].
    bins = reliability(shares, labels, bins=10)
    assert bins.count.tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 1, 1]
    assert bins.error == pytest.approx((0.4 + 0.7 + 0.1 + 0.05) / 4)
    # Two bins: all in the upper one; mean confidence 0.7875, three of four right.
    assert reliability(shares, labels, bins=2).error == pytest.approx(0.7875 - 0.75)


def test_to_abstain_trades_coverage_for_accuracy_by_hand() -> None:
    shares, labels = hand_made()
    assert answered(shares, labels, 0.0) == (1.0, 0.75)
    assert answered(shares, labels, 0.7) == (0.75, pytest.approx(2 / 3))
    assert answered(shares, labels, 0.9) == (0.5, 1.0)
    share, right = answered(shares, labels, 0.99)
    assert share == 0
    assert np.isnan(right)


def test_a_temperature_divides_the_logits(found: Evaluation) -> None:
    logits = np.random.default_rng(0).normal(size=(5, 4))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    cold = np.exp(logits / 0.5) / np.exp(logits / 0.5).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(tempered(shares, 0.5), cold)
    np.testing.assert_allclose(tempered(shares, 1.0), shares)
    answers = tempered(found.probabilities, 3.0).argmax(axis=1)
    np.testing.assert_array_equal(answers, found.answers)


def test_the_best_temperature_is_the_best_of_a_fine_grid(found: Evaluation) -> None:
    best = best_temperature(found.probabilities, found.labels)
    grid = np.geomspace(0.05, 20, 400)
    losses = [cross_entropy(tempered(found.probabilities, t), found.labels) for t in grid]
    assert cross_entropy(tempered(found.probabilities, best), found.labels) <= min(losses) + 1e-9
    # A network made twice as sure of itself asks for twice the temperature.
    twice = tempered(found.probabilities, 0.5)
    assert best_temperature(twice, found.labels) == pytest.approx(2 * best, rel=0.01)


def test_the_interval_of_a_share_is_wilsons() -> None:
    low, high = wilson(81, 263)  # Newcombe, Statistics in Medicine 17 (1998), table I
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    low, high = wilson(0, 20)
    assert (round(low, 4), round(high, 4)) == (0.0, 0.1611)


def test_mcnemars_test_by_hand() -> None:
    one = np.array([1] * 12 + [0] * 3 + [1] * 5, bool)
    other = np.array([0] * 12 + [1] * 3 + [1] * 5, bool)
    only_one, only_other, chance = mcnemar(one, other)
    assert (only_one, only_other) == (12, 3)
    # 2 · (1 + 15 + 105 + 455) / 2¹⁵
    assert chance == pytest.approx(2 * 576 / 32768)
    assert mcnemar(one, one) == (0, 0, 1.0)


def test_an_evaluation_is_kept_and_a_damaged_file_is_none(
    found: Evaluation, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    assert kept_evaluation(REF) is None
    keep_evaluation(REF, found)
    again = kept_evaluation(REF)
    assert again is not None
    np.testing.assert_array_equal(again.probabilities, found.probabilities)
    assert kept_evaluation(NetworkRef("classic", REF.step, (("conv_1", 0),))) is None
    (file,) = (tmp_path / "evaluations").glob("*.npz")  # type: ignore[operator]
    for damage in (b"", b"PK", file.read_bytes()[:5000]):
        file.write_bytes(damage)
        assert kept_evaluation(REF) is None


def test_a_network_of_other_classes_is_refused_with_the_reason(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path))
    id = "fedcba9876543210"
    model: keras.Model = branched()
    network = Network(tmp_path / "runs" / id)  # type: ignore[operator]
    graph: Graph = graph_of(model)
    card = open_network("classic").card.__class__(
        id, "Branched", "", (12, 12, 2), (0, 1), tuple("abcd"), "mnist", {0: 0.0}, {}
    )
    network.describe(card, graph)
    network.film.write(0, weights_of(model))
    with pytest.raises(WrongInput, match=r"outputs of shape \(4,\).*of 10 classes"):
        evaluate(EvaluationRequest(NetworkRef(id, 0)), quiet)


def test_robustness_without_change_is_accuracy() -> None:
    measured = robustness(RobustnessRequest(REF, "turn", 500), quiet)
    images = np.concatenate(list(batches_of_digits(REF, 20)))
    labels = load_mnist().y_test[::20]
    answers = load_model(REF).predict_on_batch(images).argmax(axis=1)
    upright = measured.amounts.tolist().index(0)
    assert measured.right[upright] == np.sum(answers == labels)
    assert measured.right[0] < 0.7 * measured.right[upright]  # a quarter turn
    assert measured.digits == 500
