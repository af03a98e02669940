"""What the pages say of a cluster: About always, Train when its scheduler is dead."""

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core.lab.scheduler import ClusterStatus
from cnn_core.lab.supervisor import Lab
from tests.app.read import texts

ADDRESS = "tcp://there:8786"
WHOLE = ClusterStatus("connected", ADDRESS, falls_back=True, machines=2, places=2)
EMPTY = ClusterStatus("connected", ADDRESS, falls_back=True)
DEAD = ClusterStatus("dead", ADDRESS, falls_back=True, why=f"The scheduler at {ADDRESS} is gone")
HELPLESS = ClusterStatus("dead", ADDRESS, falls_back=False, why="The scheduler is gone")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, "Trainings run on this machine"),
        (WHOLE, "on the cluster at tcp://there:8786, 2 workers."),
        (EMPTY, "has no workers; trainings wait for one"),
        (DEAD, "is gone. What it would do is done on this machine."),
        (HELPLESS, "is gone. Nothing can be trained until it answers."),
    ],
)
def test_about_says_where_trainings_run(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, status: ClusterStatus | None, words: str
) -> None:
    monkeypatch.setattr(Lab, "cluster", status)
    page.switch_page("../pages/about.py").run()
    assert words in next(
        element.proto.body for element in page.get("html") if "<strong>train" in element.proto.body
    )


@pytest.mark.parametrize("status", [WHOLE, EMPTY, ClusterStatus("connecting", ADDRESS, True)])
def test_in_a_classroom_nobody_reads_where_the_scheduler_is(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, status: ClusterStatus
) -> None:
    """Whoever reaches it could run anything."""
    monkeypatch.setenv("CONVSCOPE_CLASSROOM", "1")
    monkeypatch.setattr(Lab, "cluster", status)
    page.switch_page("../pages/about.py").run()
    assert "8786" not in texts(page)
    assert "scheduler" in status.sentence or "cluster" in status.sentence


@pytest.mark.parametrize(("status", "lines"), [(None, 0), (WHOLE, 0), (DEAD, 1), (HELPLESS, 1)])
def test_train_says_so_if_the_scheduler_is_dead(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, status: ClusterStatus | None, lines: int
) -> None:
    monkeypatch.setattr(Lab, "cluster", status)
    page.switch_page("../pages/train.py").run()
    assert len([one for one in page.caption if "scheduler" in one.value]) == lines
