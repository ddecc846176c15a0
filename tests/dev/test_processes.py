"""A server ends when we do, says why it ended, and never lingers."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from parcours_dev import processes
from parcours_dev.errors import LocalError
from parcours_dev.processes import running_server, wait_until_ready
from tests.fixtures.waiting import wait_until

FOR_EVER = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {FOR_EVER}"
WITH_A_CHILD = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {FOR_EVER!r}])
time.sleep(600)
"""
PARENT = """
import sys, time
from pathlib import Path
from parcours_dev.processes import running_server
from tests.fixtures.waiting import wait_until
with running_server("A server", [sys.executable, "-c", {code!r}], log=Path({log!r})):
    time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def first_number(log: Path) -> int:
    for _ in range(500):
        if log.exists() and log.read_text().strip():
            return int(log.read_text().split()[0])
        time.sleep(0.02)
    raise AssertionError(f"nothing was written to {log}")


def wait_for_end(pid: int, seconds_max: float = 10) -> None:
    wait_until(lambda: not is_alive(pid), seconds_max, lambda: f"process {pid} is still running")


def test_a_server_stops_at_the_end_of_its_block(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_server("A server", [sys.executable, "-c", FOR_EVER], log=log) as server:
        pid = first_number(log)
        assert server.is_running()
    assert not is_alive(pid)


def test_a_server_that_will_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_GRACE_S", 0.2)
    log = tmp_path / "log"
    with running_server("A server", [sys.executable, "-c", STUBBORN], log=log):
        pid = first_number(log)
    assert not is_alive(pid)


def test_what_a_server_started_goes_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_server("A server", [sys.executable, "-c", WITH_A_CHILD], log=log):
        grandchild = first_number(log)
    wait_for_end(grandchild)


@pytest.mark.parametrize("code", [FOR_EVER, WITH_A_CHILD])
def test_a_server_stops_when_its_parent_is_killed(tmp_path: Path, code: str) -> None:
    log = tmp_path / "log"
    script = PARENT.format(code=code, log=str(log))
    parent = subprocess.Popen([sys.executable, "-c", script])
    pid = first_number(log)
    parent.kill()
    parent.wait()
    wait_for_end(pid)


def test_stopping_the_supervisor_stops_the_server(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_server("A server", [sys.executable, "-c", FOR_EVER], log=log) as server:
        pid = first_number(log)
        server.supervisor.send_signal(signal.SIGTERM)
        wait_for_end(pid)


def test_an_unexpected_end_is_told_with_the_last_words(tmp_path: Path) -> None:
    code = "print('far above'); print('\\n' * 20); print('no space left'); raise SystemExit(3)"
    log = tmp_path / "log"
    with (
        pytest.raises(LocalError) as error,
        running_server("The oven", [sys.executable, "-c", code], log=log) as server,
    ):
        wait_until_ready(server, lambda: False)
    told = str(error.value)
    assert told.startswith(f"The oven ended unexpectedly (code 3), see {log}")
    assert told.endswith("\n  | no space left")
    assert "far above" not in told


def test_an_end_by_signal_has_the_code_that_shells_give_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_server("A server", [sys.executable, "-c", FOR_EVER], log=log) as server:
        os.kill(first_number(log), signal.SIGKILL)
        server.supervisor.wait(10)
        assert "(code 137)" in str(server.ended())


def test_a_server_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        pytest.raises(LocalError, match=r"^A server was not ready in 0\.1 s, see "),
        running_server("A server", [sys.executable, "-c", FOR_EVER], log=log) as server,
    ):
        wait_until_ready(server, lambda: False, seconds_max=0.1)
