"""What "equal" means for two float32 tensors of the same thing."""

import numpy as np


def assert_same_output(one: np.ndarray, other: np.ndarray) -> None:
    """They differ by at most 1e-5 of the largest magnitude."""
    assert one.shape == other.shape
    largest = max(float(np.abs(other).max()), 1e-30)
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * largest)
