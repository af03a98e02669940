import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "core",
    max_examples=25,
    deadline=None,  # Keras's first call is slow; no test here is about speed
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("core")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
