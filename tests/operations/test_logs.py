"""`parcours logs`: what happened to a run, oldest first."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest

from parcours_xl.clients.clients import Clients
from tests.fixtures.operator import Operator
from tests.fixtures.service_fixtures import MakeRun

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]


async def test_a_run_is_told_oldest_first(operator: Operator, make_run: MakeRun) -> None:
    run = await make_run(2)
    told = operator.run("logs", run.id)
    assert told.status == 0
    lines = told.out.splitlines()
    assert len(lines) == 1
    assert "run.created" in lines[0] and "segments=2" in lines[0] and str(run.id) in lines[0]


async def test_json_is_one_object_a_line(
    operator: Operator, make_run: MakeRun, clients: Clients
) -> None:
    run = await make_run()
    await clients.database.start_run(run.id)
    events = [json.loads(line) for line in operator.run("logs", run.id, "--json").out.splitlines()]
    assert [event["what"] for event in events] == ["run.created", "run.started"]
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)


async def test_since_leaves_out_what_is_older(operator: Operator, make_run: MakeRun) -> None:
    run = await make_run()
    assert "run.created" in operator.run("logs", run.id, "--since", "5m").out
    later = operator.run("logs", run.id, "--since", "2199-01-01T00:00:00Z")
    assert (later.status, later.out) == (0, "")


def test_an_unknown_run_is_refused(operator: Operator) -> None:
    told = operator.run("logs", uuid4())
    assert (told.status, told.err.strip()) == (4, "parcours: unknown run")


@pytest.mark.parametrize("words", [["never"], ["--since", "yesterday"], ["--since", "1y"]])
def test_usage_errors_are_told_apart(operator: Operator, words: list[str]) -> None:
    arguments = words if words == ["never"] else [str(uuid4()), *words]
    assert operator.run("logs", *arguments).status == 2


def test_a_supabase_out_of_reach_is_told_in_one_sentence(
    operator: Operator, dead_port: int
) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    told = operator.run("logs", uuid4(), SUPABASE_URL=url, POSTGREST_URL=url)
    assert told.status == 3
    assert told.err.startswith("parcours: The service cannot reach its database")


def test_settings_that_are_missing_are_named(operator: Operator) -> None:
    told = operator.run("logs", uuid4(), SUPABASE_SERVICE_ROLE_KEY="")
    assert told.status == 2
    assert "SUPABASE_SERVICE_ROLE_KEY" in told.err


@pytest.mark.parametrize("words", [("alerts",), ("report",), ("rollout", "status")])
def test_a_key_that_supabase_refuses_is_one_sentence(
    operator: Operator, words: tuple[str, ...]
) -> None:
    told = operator.run(*words, SUPABASE_SERVICE_ROLE_KEY="no-key-of-this-project")
    assert told.status == 4
    assert told.err.startswith("parcours: Supabase refuses this: ")
    assert len(told.err.splitlines()) == 1


def test_the_key_and_the_address_are_enough(operator: Operator) -> None:
    spare = dict.fromkeys(("SUPABASE_ANON_KEY", "SUNO_API_KEY", "CALLBACK_BASE"), "")
    assert operator.run("logs", uuid4(), **spare).err == "parcours: unknown run\n"


@pytest.fixture
def following(operator: Operator) -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


async def test_a_follower_sees_what_happens_until_it_is_stopped(
    operator: Operator,
    make_run: MakeRun,
    clients: Clients,
    following: list[subprocess.Popen[str]],
) -> None:
    run = await make_run()
    process = subprocess.Popen(  # noqa: ASYNC220 - nothing else waits meanwhile
        [sys.executable, "-m", "parcours_xl.cli.main", "logs", str(run.id), "--follow"],
        env={"PATH": "/usr/bin:/bin", **operator.environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    following.append(process)
    assert process.stdout is not None
    assert "run.created" in process.stdout.readline()
    await clients.database.start_run(run.id)
    assert "run.started" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
