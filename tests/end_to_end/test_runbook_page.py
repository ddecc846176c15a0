"""docs/runbook.md: every command and every statement of it runs."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest
from typer.main import get_command

from parcours_dev.simulators.fault_kinds import OPENAI_FAULTS, SUNO_FAULTS
from parcours_xl.cli.main import app
from parcours_xl.domain.failures import FAILURES
from parcours_xl.operations.alerts import ADVICE
from parcours_xl.operations.doctor.examination import KINDS
from parcours_xl.operations.doctor.findings import RUNBOOK
from tests.end_to_end.deployment import Deployment, running_workers
from tests.end_to_end.runbook import (
    MAY_SAY_NO,
    PAGE,
    TEXT,
    Command,
    read_commands,
    read_statements,
)
from tests.fixtures.operator import Operator
from tests.fixtures.pages import anchors_of
from tests.fixtures.waiting import wait_until

COMMANDS = read_commands()
SHUT = {"parcours rollout gate", "parcours rollout gate --advance"}
"""Twenty runs are needed, and these tests have one."""


@pytest.fixture(scope="module")
def patient(session_deployment: Deployment) -> Iterator[UUID]:
    """A ready run on a deployment where all is well; nobody has Parcours XL by a flag."""
    deployment = session_deployment
    deployment.clear_faults()
    deployment.forget_the_past()
    deployment.forget_work()
    run_id = deployment.create_run(user_id=deployment.sign_up())
    with running_workers(deployment, MAINTENANCE_EVERY_S="0.5"):
        deployment.start_run(run_id)
        deployment.wait_for(run_id, "ready")
        deployment.wait_for_maintenance()
        yield run_id
    deployment.clear_faults()
    deployment.query("delete from public.feature_flags")
    deployment.query("update parcours.deployment set rollout_share = 0, rollout_since = now()")


@pytest.fixture(scope="module")
def names(session_deployment: Deployment, patient: UUID) -> Mapping[str, str]:
    """What the page's placeholders stand for."""
    [segment] = session_deployment.segments(patient)
    user_id = session_deployment.sign_up()
    [piece] = session_deployment.query(
        "with task as ("
        "   insert into parcours.reserve_tasks (preset_key, segment_index, credits, status)"
        "   values ('00-universel-reset', 0, 12, 'done') returning id, preset_key)"
        " insert into parcours.reserve_pieces"
        " (task_id, preset_key, suno_track_id, download_url, status, seconds)"
        " select id, preset_key, 'a', 'https://cdn1.suno.ai/a.mp3', 'ready', 240 from task"
        " returning id"
    )
    # A piece has its file; without one an alert fires.
    storage = f"{session_deployment.project.url}/storage/v1/object/parcours-tracks"
    answer = httpx.post(
        f"{storage}/reserve/00-universel-reset/{piece['id']}.mp3",
        content=b"ID3",
        headers={
            "Authorization": f"Bearer {session_deployment.project.service_role_key}",
            "Content-Type": "audio/mpeg",
        },
    )
    assert answer.is_success, answer.text
    return {
        "RUN": str(patient),
        "SEGMENT": str(segment["id"]),
        "USER": str(user_id),
        "PIECE": str(piece["id"]),
    }


@pytest.fixture
def operator(
    session_deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Operator:
    """Somebody in an empty folder with the file of settings that `parcours dev` writes there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".parcours").mkdir()
    lines = [f"{name}={value}\n" for name, value in session_deployment.environment.items()]
    (tmp_path / ".parcours" / "dev.env").write_text("".join(lines))
    return Operator(session_deployment.environment)


def fill(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\b(RUN|SEGMENT|USER|PIECE)\b", lambda found: names[found[1]], text)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.line)
def test_a_command_of_the_page_runs(
    operator: Operator, names: Mapping[str, str], command: Command, tmp_path: Path
) -> None:
    line = fill(command.line, names)
    if line == "parcours worker" or line.endswith("--follow"):
        ends_with_ctrl_c(operator, line, tmp_path / "said")
    elif line.startswith("parcours"):
        told = operator.run(*line.split()[1:], keys="y\n")
        assert told.status == (1 if line in SHUT else 0), told.out + told.err
        assert told.status == 0 or MAY_SAY_NO in command.remark
    else:
        shell = ["sh", "-euc", line]
        ended = subprocess.run(shell, env=os.environ | operator.environment, capture_output=True)
        assert ended.returncode == 0, ended.stderr


def ends_with_ctrl_c(operator: Operator, line: str, said: Path) -> None:
    """It says something, goes on, and ends well."""
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "parcours_xl.cli.main", *line.split()[1:]],
            env={"PATH": os.environ["PATH"], **operator.environment},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: said.stat().st_size > 0, 30)
        assert process.poll() is None, said.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("statement", read_statements(), ids=range(len(read_statements())))
def test_a_statement_of_the_page_runs(
    session_deployment: Deployment, names: Mapping[str, str], statement: str
) -> None:
    with psycopg.connect(session_deployment.project.database_url()) as connection:
        cursor = connection.execute(fill(statement, names).encode())
        assert cursor.description or cursor.rowcount >= 0
        connection.rollback()


def test_a_fault_of_the_page_is_in_force_until_it_is_cleared(
    session_deployment: Deployment, operator: Operator
) -> None:
    asked = [command for command in COMMANDS if "_control/faults" in command.line]
    *faults, clear = asked
    for command in asked:
        shell = ["sh", "-euc", command.line]
        subprocess.run(shell, env=os.environ | operator.environment, check=True)
        in_force = httpx.get(f"{session_deployment.project.suno_url}/_control/faults").json()[
            "faults"
        ]
        expected = 0 if command is clear else faults.index(command) + 1
        assert len(in_force) == expected


@pytest.mark.parametrize(
    ("heading", "known"), [("fault", SUNO_FAULTS), ("fault of OpenAI", OPENAI_FAULTS)]
)
def test_it_names_every_fault_of_the_simulators_with_its_symptom(
    heading: str, known: Mapping[str, object]
) -> None:
    _, found, rest = TEXT.partition(f"\n| {heading} | ")
    assert found, "the table is there"
    rows = rest.partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows]
    assert [row[0].strip("`") for row in cells] == list(known)
    assert all(row[1] for row in cells)
    for row in cells:
        for anchor in re.findall(r"\(#([\w-]+)\)", row[-1]):
            assert anchor in anchors_of(TEXT), row


def test_it_has_every_command_of_an_operator() -> None:
    group = get_command(app).commands  # type: ignore[attr-defined]
    used = {command.words[1] for command in COMMANDS if command.words[0] == "parcours"}
    beside = {"dev", "demo", "stack", "serve"}
    assert used == set(group) - beside


def test_it_has_every_alert_and_every_cause() -> None:
    for name in (*ADVICE, *FAILURES):
        assert f"`{name}`" in TEXT, name


def test_every_finding_of_the_doctor_leads_to_a_section_that_names_it() -> None:
    anchors = anchors_of(TEXT)
    for kind in KINDS.values():
        assert kind.section in anchors, kind.name
    assert f"docs/{PAGE.name}" == RUNBOOK


def test_every_finding_it_names_exists() -> None:
    for line in re.findall(r"findings? ([^.:]+)", TEXT):
        assert set(re.findall(r"`([a-z_]+)`", line)) <= set(KINDS), line
