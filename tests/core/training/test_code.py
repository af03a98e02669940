"""The printed code runs as it stands, and trains what the trainer trains."""

import numpy as np
import pytest

from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network
from cnn_core.training.code import training_code
from cnn_core.training.config import COURSE, TrainingConfig

CLASSIC = open_network("classic")


@pytest.mark.parametrize(
    "config",
    [
        TrainingConfig(share=0.01, epochs=1),
        TrainingConfig(
            "intro", "SGD with momentum", "one cycle", 0.05, 32, 1, 0.01, label_smoothing=0.05
        ),
        TrainingConfig("intro", share=0.005, epochs=1, augmentation=True, optimizer="AdamW"),
        TrainingConfig(share=0.005, epochs=1, optimizer="RMSprop", start=CLASSIC.last),
        TrainingConfig("intro", share=0.005, epochs=1, optimizer="SGD", validation_split=0.0),
    ],
)
def test_the_printed_code_runs_as_it_stands(
    config: TrainingConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = open_network(config.start.id if config.start else config.architecture).graph
    names: dict = {}
    exec(compile(training_code(config, graph), "printed", "exec"), names)
    model = names["model"]
    names_there = [layer.name for layer in model.layers]
    assert names_there[-5:] == [spec.name for spec in graph][-5:]
    assert model.count_params() == graph.parameter_count
    loss, accuracy = (
        float(text) for text in capsys.readouterr().out.splitlines()[-1][1:-1].split(",")
    )
    assert np.isfinite(loss)
    assert 0 <= accuracy <= 1


def test_the_courses_code_says_what_the_course_says() -> None:
    code = training_code(COURSE, CLASSIC.graph)
    assert "validation_split=0.2" in code
    assert "input_shape=" not in code
    assert 'layers.Conv2D(32, (3, 3), activation="relu", name="conv_1")' in code


def test_going_on_from_a_network_loads_it() -> None:
    code = training_code(TrainingConfig(start=NetworkRef("classic", 0)), CLASSIC.graph)
    assert 'model = load_model(NetworkRef("classic", step=0))' in code
