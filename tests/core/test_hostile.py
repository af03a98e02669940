"""Whatever comes in at the library's doors is taken, or refused with one sentence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.core_doors import DOORS, open_door
from tests.hostile.door import knock


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVSCOPE_HOME", str(tmp_path_factory.mktemp("home")))


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
@settings(max_examples=60)
@given(data=st.data())
def test_nothing_at_random_crashes(name: str, data: st.DataObject) -> None:
    door = open_door(name)
    knock(door, data.draw(door.payloads))
