"""`parcours serve`: where its settings come from, and what it says where it cannot listen."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.fixtures.served import ANSWER_S_MAX, START_S_MAX, running_serve

SETTINGS = {
    "SUPABASE_URL": "http://127.0.0.1:1",
    "SUPABASE_ANON_KEY": "anon",
    "SUPABASE_SERVICE_ROLE_KEY": "sb_secret_nobody",
    "SUNO_API_KEY": "any",
    "CALLBACK_BASE": "http://127.0.0.1:1/functions/v1/parcours-xl-callback",
    "LOG_FORMAT": "console",
}


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
def test_its_settings_may_be_in_a_file(tmp_path: Path, options: tuple[str, ...]) -> None:
    file = tmp_path / "settings.env"
    file.write_text("".join(f"{name}={text}\n" for name, text in SETTINGS.items()))
    with running_serve({}, tmp_path / "log", "--env", str(file), *options) as served:
        answer = httpx.get(f"{served.url}/healthz", trust_env=False, timeout=ANSWER_S_MAX)
    assert answer.status_code == 200


def serve(*options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "parcours_xl.cli.main", "serve", *options],
        env=os.environ | SETTINGS,
        capture_output=True,
        text=True,
        timeout=START_S_MAX,
    )


def test_a_taken_port_is_told_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = serve("--port", str(port))
    why = "another program listens there (--port takes another)"
    assert ended.stderr == f"parcours: cannot listen on 127.0.0.1:{port}: {why}\n"
    assert (ended.returncode, ended.stdout) == (2, "")


def test_an_address_of_another_machine_is_told_in_a_sentence() -> None:
    ended = serve("--host", "192.0.2.1")
    assert ended.returncode == 2
    assert ended.stderr.startswith("parcours: cannot listen on 192.0.2.1:8000: ")
    assert ended.stderr.count("\n") == 1
