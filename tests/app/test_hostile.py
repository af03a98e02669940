"""Whatever a browser sends, or somebody in its place, is taken or refused with one sentence."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.hostile.app_doors import DOORS, open_door
from tests.hostile.door import knock
from ui import ask


@pytest.fixture(autouse=True)
def no_lab() -> None:
    """NumPy answers: what is sent is read on the server."""
    ask.use(None)


@pytest.mark.parametrize("name", DOORS)
def test_what_is_good_comes_in(name: str) -> None:
    door = open_door(name)
    for payload in door.good:
        assert knock(door, payload)


@pytest.mark.parametrize("name", DOORS)
def test_nothing_that_somebody_thought_of_crashes(name: str) -> None:
    door = open_door(name)
    for payload in door.by_hand:
        knock(door, payload)


@pytest.mark.parametrize("name", DOORS)
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # whole pages are run: what fails is shown as it is
)
@given(data=st.data())
def test_nothing_at_random_crashes(name: str, data: st.DataObject) -> None:
    door = open_door(name)
    knock(door, data.draw(door.payloads))
