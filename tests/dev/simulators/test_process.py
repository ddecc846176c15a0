"""`python -m parcours_dev.simulators` runs both vendors and ends when told."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

COMMAND = [sys.executable, "-m", "parcours_dev.simulators"]
END_S_MAX = 10


@contextmanager
def _running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The process, and the addresses it says it listens on."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline().strip() for _ in range(3)]
        yield process, lines
    finally:
        process.terminate()
        process.wait(END_S_MAX)
        process.stdout.close()


@pytest.mark.parametrize("received", [signal.SIGTERM, signal.SIGINT])
def test_both_answer_and_end_cleanly(received: signal.Signals) -> None:
    arguments = "--suno-port 0 --openai-port 0 --plain-port 0 --speed 100 --signal chirp"
    with _running(*arguments.split()) as (process, lines):
        addresses = dict(line.rsplit(": ", 1) for line in lines)
        assert set(addresses) == {"Suno", "OpenAI", "Streams without CORS"}
        state = httpx.get(f"{addresses['Suno']}/_control", trust_env=False).json()
        assert (state["speed"], state["signal"]) == (100, "chirp")
        assert httpx.get(f"{addresses['OpenAI']}/_control", trust_env=False).status_code == 200
        process.send_signal(received)
        assert process.wait(END_S_MAX) == 0


def test_faults_can_be_given_on_the_command_line() -> None:
    arguments = ["--suno-port", "0", "--openai-port", "0", "--plain-port", "0"]
    faults = ["--suno-fault", '{"fault": "busy"}', "--openai-fault", '{"fault": "refusal"}']
    with _running(*arguments, *faults) as (_, lines):
        addresses = dict(line.rsplit(": ", 1) for line in lines)
        told = {
            name: [
                fault["fault"]
                for fault in httpx.get(f"{addresses[name]}/_control", trust_env=False).json()[
                    "faults"
                ]
            ]
            for name in ("Suno", "OpenAI")
        }
    assert told == {"Suno": ["busy"], "OpenAI": ["refusal"]}


@pytest.mark.parametrize("wrong", ['{"fault": "sabotage"}', "{"])
def test_a_fault_that_makes_no_sense_is_one_clear_line(wrong: str) -> None:
    arguments = ["--suno-port", "0", "--openai-port", "0", "--suno-fault", wrong]
    ended = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert ended.stderr.startswith("The simulators cannot start:")
    assert "Traceback" not in ended.stderr


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [*COMMAND, "--suno-port", port, "--openai-port", "0"],
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert ended.returncode == 1
    assert port in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
