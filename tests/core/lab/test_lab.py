"""The lab with real worker processes: answers, errors, limits, cancel, kill, no orphans."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from cnn_core.data.digit import mnist_digit
from cnn_core.errors import Cancelled, LabDown, TimeLimit, UnknownStep, WorkerLost, WorkFailed
from cnn_core.lab import process
from cnn_core.lab.requests import EvaluationRequest, TraceRequest, WarmUp
from cnn_core.lab.supervisor import Lab, LabSettings
from cnn_core.networks.ref import NetworkRef
from cnn_core.networks.zoo import open_network, weights_at
from cnn_core.probe.reference import reference_trace
from tests.core.close import assert_same_output
from tests.core.lab.odd_requests import Companions, Exit, Fail, Sleep, Unanswerable, WhoAnswers

ROOT = Path(__file__).parents[3]


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(LabSettings(workers=2)) as lab:
        yield lab


def test_a_trace_from_the_lab_is_the_networks(lab: Lab) -> None:
    network = open_network("classic")
    for step in (0, 133, network.last.step):
        ref = NetworkRef("classic", step)
        pixels = network.card.fit(mnist_digit(7).pixels)
        trace = lab.ask(TraceRequest(ref, pixels), time_limit=60)
        expected = reference_trace(network.graph, weights_at(ref), pixels)
        assert trace.engine == "keras"
        for mine, theirs in zip(trace, expected, strict=True):
            assert_same_output(mine.output, theirs.output)
            assert mine.weights == {}  # the server has them; they do not travel


def test_keras_comes_without_companions_that_can_still_be_used() -> None:
    network = open_network("classic")
    pixels = np.zeros(network.card.input_shape, np.float32)
    with Lab(LabSettings(workers=1)) as lab:
        lab.ask(TraceRequest(network.last, pixels), time_limit=60)
        assert lab.ask(Companions(), time_limit=60) == (set(), 3)


def test_long_work_reports_progress_and_its_answer(lab: Lab) -> None:
    network = open_network("classic")
    job = lab.submit(EvaluationRequest(network.last), "study", time_limit=120)
    seen = set()
    while not job.ended:
        seen.add(job.progress)
        time.sleep(0.02)
    assert job.result().accuracy == network.card.accuracy[network.last.step]
    assert len(seen) > 3
    assert max(seen) <= 1


def test_each_lane_has_a_worker_of_its_own(lab: Lab) -> None:
    look, study = lab.ask(WhoAnswers(), "look"), lab.ask(WhoAnswers(), "study", time_limit=30)
    assert look != study
    assert lab.status("look").pids == (look,)
    assert lab.status("study").pids == (study,)
    assert lab.status("study").state == "ready"


def test_looking_does_not_wait_for_studying(lab: Lab) -> None:
    job = lab.submit(Sleep(30), "study", time_limit=60)
    assert lab.ask(Sleep(0.05), "look", time_limit=20) == 0.05
    assert not job.ended
    job.cancel()


def test_an_error_of_our_own_arrives_as_itself(lab: Lab) -> None:
    with pytest.raises(UnknownStep, match="step 7"):
        lab.ask(Fail("own"))
    with pytest.raises(UnknownStep, match="Recorded steps"):
        lab.ask(TraceRequest(NetworkRef("classic", 5), np.zeros((28, 28, 1), np.float32)))


@pytest.mark.parametrize(("how", "text"), [("tensorflow", "InvalidArgument"), ("bug", "a bug")])
def test_any_other_error_arrives_as_text(lab: Lab, how: str, text: str) -> None:
    with pytest.raises(WorkFailed, match=text) as caught:
        lab.ask(Fail(how), time_limit=60)
    assert "\n" not in str(caught.value)
    assert "Traceback" in caught.value.details


def test_a_tensorflow_error_does_not_bring_tensorflow_into_the_server() -> None:
    script = textwrap.dedent(
        """
        import sys
        from cnn_core.data.digit import mnist_digit
        from cnn_core.errors import WorkFailed
        from cnn_core.lab.requests import TraceRequest
        from cnn_core.lab.supervisor import Lab
        from cnn_core.networks.zoo import open_network
        from tests.core.lab.odd_requests import Fail

        network = open_network("classic")
        with Lab() as lab:
            pixels = network.card.fit(mnist_digit(0).pixels)
            trace = lab.ask(TraceRequest(network.last, pixels), time_limit=60)
            assert trace.output.argmax() == 7
            for how in ("tensorflow", "keras"):
                try:
                    lab.ask(Fail(how), time_limit=60)
                except WorkFailed as error:
                    print(error)
        heavy = [name for name in sys.modules if name.split(".")[0] in ("tensorflow", "keras")]
        assert not heavy, heavy
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr
    assert "InvalidArgumentError" in done.stdout
    assert "ValueError" in done.stdout


def test_work_past_its_limit_is_stopped_and_the_lane_goes_on(lab: Lab) -> None:
    before = lab.ask(WhoAnswers(), time_limit=30)
    started = time.monotonic()
    with pytest.raises(TimeLimit, match=r"0\.3 seconds"):
        lab.ask(Sleep(30), time_limit=0.3)
    assert time.monotonic() - started < 10
    after = lab.ask(WhoAnswers(), time_limit=60)
    assert after != before
    assert not psutil.pid_exists(before)


def test_cancelled_work_stops_and_the_lane_goes_on(lab: Lab) -> None:
    running = lab.submit(Sleep(30), "study", time_limit=60)
    queued = lab.submit(Sleep(30), "study", time_limit=60)
    wait_until(lambda: running.progress > 0)
    queued.cancel()
    running.cancel()
    for job in (running, queued):
        with pytest.raises(Cancelled):
            job.result()
    assert lab.ask(Sleep(0.05), "study", time_limit=60) == 0.05


def test_a_killed_worker_fails_its_work_and_is_replaced(lab: Lab) -> None:
    lab.ask(WhoAnswers(), time_limit=60)
    (pid,) = lab.status().pids
    job = lab.submit(Sleep(30), time_limit=60)
    wait_until(lambda: job.progress > 0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerLost):
        job.result()
    assert lab.ask(WhoAnswers(), time_limit=60) != pid


def test_a_worker_killed_while_idle_is_replaced_unasked(lab: Lab) -> None:
    pid = lab.ask(WhoAnswers(), time_limit=60)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: lab.status().pids not in ((), (pid,)))


def test_a_worker_that_leaves_by_itself_is_replaced(lab: Lab) -> None:
    with pytest.raises(WorkerLost):
        lab.ask(Exit(), time_limit=60)
    assert lab.ask(Sleep(0.05), time_limit=60) == 0.05


def test_leaving_the_lab_ends_its_workers_and_its_waiting_work() -> None:
    with Lab(LabSettings(workers=1)) as lab:
        pid = lab.ask(WhoAnswers(), time_limit=60)
        running = lab.submit(Sleep(30), time_limit=60)
        waiting = lab.submit(Sleep(30), "study", time_limit=60)
        wait_until(lambda: running.progress > 0)
    assert not psutil.pid_exists(pid)
    for job in (running, waiting):
        with pytest.raises((WorkerLost, LabDown)):
            job.result()


def test_a_killed_server_leaves_no_orphan() -> None:
    script = textwrap.dedent(
        """
        import time
        from cnn_core.lab.supervisor import Lab
        from tests.core.lab.odd_requests import Sleep, WhoAnswers

        with Lab() as lab:
            print(lab.ask(WhoAnswers(), "look", time_limit=60), flush=True)
            print(lab.ask(WhoAnswers(), "study", time_limit=60), flush=True)
            jobs = [lab.submit(Sleep(300), lane, time_limit=300) for lane in ("look", "study")]
            while not all(job.progress for job in jobs):
                time.sleep(0.02)
            print("busy", flush=True)
            time.sleep(300)
        """
    )
    server = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    workers = [int(server.stdout.readline()) for _ in range(2)]
    assert server.stdout.readline() == "busy\n"
    assert all(psutil.pid_exists(pid) for pid in workers)
    server.kill()
    server.wait()
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in workers), 10)


def test_a_lab_that_cannot_start_its_workers_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('no numpy for you')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(process, "ROOT", tmp_path)
    with Lab(LabSettings(workers=1)) as lab:
        wait_until(lambda: lab.status().state == "down")
        assert "could not be started" in lab.status().message
        with pytest.raises((LabDown, TimeLimit)):
            lab.ask(Sleep(0.05), time_limit=8)


def test_a_warm_up_that_fails_is_said_too() -> None:
    with Lab(LabSettings(workers=1, warm_up=WarmUp(("nowhere",)))) as lab:
        wait_until(lambda: lab.status().state == "down")
        assert "There is no network 'nowhere'" in lab.status().message


def test_a_worker_that_cannot_start_leaves_the_work_to_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[object] = []
    popen = subprocess.Popen

    def only_the_first(*args: object, **options: object) -> object:
        started.append(args)
        if len(started) > 1:
            raise OSError(12, "Cannot allocate memory")
        return popen(*args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(process.subprocess, "Popen", only_the_first)
    with Lab(LabSettings(workers=3)) as lab:
        wait_until(lambda: len(lab.status().pids) == 1 and len(started) > 1)
        jobs = [lab.submit(Sleep(0.02), time_limit=60) for _ in range(40)]
        assert [job.result() for job in jobs] == [0.02] * 40
        assert lab.status().state == "ready"
        assert lab.status().message == ""


def test_an_answer_that_cannot_cross_fails_its_job_only(lab: Lab) -> None:
    with pytest.raises((WorkFailed, WorkerLost)):
        lab.ask(Unanswerable(), time_limit=60)
    assert lab.ask(Sleep(0.02), time_limit=60) == 0.02


def test_a_request_that_cannot_cross_fails_its_job_only(lab: Lab) -> None:
    with pytest.raises(WorkFailed, match="handed over"):
        lab.ask(Sleep(lambda: 1), time_limit=60)  # type: ignore[arg-type]
    assert lab.ask(Sleep(0.02), time_limit=60) == 0.02


def test_work_whose_time_ran_out_in_the_queue_costs_no_worker(lab: Lab) -> None:
    pid = lab.ask(WhoAnswers(), time_limit=60)
    slow = lab.submit(Sleep(0.6), time_limit=60)
    late = [lab.submit(Sleep(5), time_limit=0.2) for _ in range(3)]
    assert slow.result() == 0.6
    assert lab.ask(WhoAnswers(), time_limit=60) == pid
    for job in late:
        with pytest.raises(TimeLimit):
            job.result()


def test_strangers_at_the_door_are_ignored() -> None:
    from multiprocessing import AuthenticationError
    from multiprocessing.connection import Client

    with Lab(LabSettings(workers=1)) as lab:
        lab.ask(WhoAnswers(), time_limit=60)
        with pytest.raises(AuthenticationError):
            Client(lab._door._listener.address, authkey=b"guess")
        assert lab.ask(Sleep(0.05), time_limit=20) == 0.05


@pytest.mark.parametrize(
    ("setting", "workers"), [("", 2), ("1", 1), ("4", 4), ("0", 2), ("-1", 2), ("many", 2)]
)
def test_the_number_of_workers_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, setting: str, workers: int
) -> None:
    monkeypatch.setenv("CONVSCOPE_WORKERS", setting)
    assert LabSettings.from_environment().workers == workers


def test_one_worker_does_everything() -> None:
    with Lab(LabSettings(workers=1)) as lab:
        assert lab.ask(WhoAnswers(), "look", 60) == lab.ask(WhoAnswers(), "study", 60)


def test_two_looking_workers_share_a_queue() -> None:
    with Lab(LabSettings(workers=3)) as lab:
        wait_until(lambda: len(lab.status().pids) == 2)
        jobs = [lab.submit(Sleep(0.5), time_limit=60) for _ in range(4)]
        assert [job.result() for job in jobs] == [0.5] * 4
