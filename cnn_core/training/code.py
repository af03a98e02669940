"""The Keras code of a training. It runs as it stands, offline, from ConvScope's folder."""

from cnn_core.data.datasets import DATASETS
from cnn_core.networks.graph import Graph
from cnn_core.networks.source import model_code
from cnn_core.training.config import TrainingConfig

_OPTIMIZERS = {
    "Adam": "keras.optimizers.Adam({rate})",
    "SGD": "keras.optimizers.SGD({rate})",
    "SGD with momentum": "keras.optimizers.SGD({rate}, momentum=0.9)",
    "RMSprop": "keras.optimizers.RMSprop({rate})",
    "AdamW": "keras.optimizers.AdamW({rate})",
}


def training_code(config: TrainingConfig, graph: Graph) -> str:
    """A script that trains the network of `graph` as `config` says."""
    return "\n".join(
        [
            "import keras",
            *(["import numpy as np"] if config.label_smoothing or config.augmentation else []),
            "from keras import layers",
            "",
            *_imports(config),
            "",
            f"keras.utils.set_random_seed({config.seed})",
            *_data(config),
            "",
            *_model(config, graph),
            "",
            *_compile(config),
            *_fit(config),
            "",
            "x_test, y_test = data.x_test[..., None] / 255, data.y_test",
            *(["y_test = np.eye(10)[y_test]"] if config.label_smoothing else []),
            "print(model.evaluate(x_test, y_test, verbose=0))",
            "",
        ]
    )


def _imports(config: TrainingConfig) -> list[str]:
    names = [_loader(config)]
    if config.start is not None:
        names = ["NetworkRef", _loader(config), "load_model"]
    lines = [f"from cnn_core import {', '.join(names)}"]
    if config.augmentation:
        lines.append("from cnn_core.training.batches import moved")
    return lines


def _loader(config: TrainingConfig) -> str:
    """The function of `cnn_core` that gives the data."""
    return DATASETS[config.dataset].load.__name__


def _data(config: TrainingConfig) -> list[str]:
    some = "" if config.share == 1 else f"[:{config.digits}]"
    lines = [
        f"data = {_loader(config)}()",
        f'x_train = data.x_train{some}[..., None].astype("float32") / 255',
        f"y_train = data.y_train{some}",
    ]
    if config.label_smoothing:
        lines.append("y_train = np.eye(10)[y_train]")
    return lines


def _model(config: TrainingConfig, graph: Graph) -> list[str]:
    if config.start is not None:
        return [f'model = load_model(NetworkRef("{config.start.id}", step={config.start.step}))']
    return [model_code(graph)]


def _compile(config: TrainingConfig) -> list[str]:
    if config.schedule == "constant":
        rate, lines = f"{config.learning_rate:g}", []
    else:
        warm_up = max(1, round(config.total_steps / 4))
        rate = "rate"
        lines = [
            "rate = keras.optimizers.schedules.CosineDecay(",
            f"    {config.learning_rate / 25:g}, {config.total_steps - warm_up},",
            f"    warmup_target={config.learning_rate:g}, warmup_steps={warm_up},",
            ")",
        ]
    loss = "keras.losses.SparseCategoricalCrossentropy()"
    if config.label_smoothing:
        smoothing = f"label_smoothing={config.label_smoothing:g}"
        loss = f"keras.losses.CategoricalCrossentropy({smoothing})"
    return [
        *lines,
        "model.compile(",
        f"    optimizer={_OPTIMIZERS[config.optimizer].format(rate=rate)},",
        f"    loss={loss},",
        '    metrics=["accuracy"],',
        ")",
    ]


def _fit(config: TrainingConfig) -> list[str]:
    if not config.augmentation:
        split = config.validation_split
        more = f", validation_split={split:g}" if split else ""
        return [
            f"model.fit(x_train, y_train, batch_size={config.batch_size}, "
            f"epochs={config.epochs}{more})",
        ]
    end = config.training_digits
    held_out = f", validation_data=(x_train[{end}:], y_train[{end}:])"
    return [
        "",
        "",
        "class Moved(keras.utils.PyDataset):",
        "    def __len__(self):",
        f"        return {config.steps_per_epoch}",
        "",
        "    def __getitem__(self, step):",
        "        rng = np.random.default_rng()",
        f"        rows = rng.integers({end}, size={config.batch_size})",
        "        return moved(x_train[rows], rng), y_train[rows]",
        "",
        "",
        f"model.fit(Moved(), epochs={config.epochs}{held_out if config.validation_digits else ''})",
    ]
