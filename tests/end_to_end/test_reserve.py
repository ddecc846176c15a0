"""`parcours reserve fill` as a process of its own, killed at random and begun again."""

import json
import random
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.end_to_end.deployment import Deployment

PER_PRESET = 8
PRESET = "02-stress-overwhelm"
FILL = ("reserve", "fill", "--per-preset", str(PER_PRESET), "--preset", PRESET, "--yes", "--json")
KILLS = 12


@pytest.fixture
def deployment(session_deployment: Deployment) -> Deployment:
    session_deployment.forget_work()
    session_deployment.clear_faults()
    session_deployment.query("delete from parcours.reserve_tasks")
    return session_deployment


def fill(deployment: Deployment) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "parcours_xl.cli.main", *FILL],
        env=dict(deployment.environment),
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_fill_that_is_killed_buys_nothing_twice_and_leaves_no_file(
    deployment: Deployment,
) -> None:
    for _ in range(KILLS):
        filling = fill(deployment)
        with suppress(subprocess.TimeoutExpired):
            filling.wait(random.uniform(0.8, 4))
        filling.kill()
        filling.communicate()
    # What was claimed and never sent: nobody can know that before 15 minutes are over.
    deployment.query(
        "update parcours.reserve_tasks set claimed_at = claimed_at - interval '1 hour'"
        " where status = 'submitting' and id <> all (%s::uuid[])",
        [task["segment"] for task in deployment.suno()["tasks"]],
    )
    ended = fill(deployment)
    told, _ = ended.communicate()
    assert ended.returncode == 0, told
    assert json.loads(told)["missing"] == {}

    tasks = deployment.query("select id, status from parcours.reserve_tasks")
    done = [task for task in tasks if task["status"] == "done"]
    assert len(done) == PER_PRESET // 2
    names = {str(task["id"]) for task in tasks}
    bought = [task for task in deployment.suno()["tasks"] if task["segment"] in names]
    assert len(bought) == PER_PRESET // 2
    files = deployment.query("select name from storage.objects where name like 'reserve/%%'")
    pieces = deployment.query("select id, status from parcours.reserve_pieces")
    assert {piece["status"] for piece in pieces} == {"ready"}
    assert {row["name"] for row in files} >= {
        f"reserve/{PRESET}/{piece['id']}.mp3" for piece in pieces
    }
    assert len([row for row in files if f"/{PRESET}/" in row["name"]]) == len(pieces) == PER_PRESET
