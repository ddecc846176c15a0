"""What the database reads once it has grown: each query that runs by itself or for a listener.

The doctor and the report are measured as an operator runs them.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.deployment import ROOT, Deployment
from benchmarks.growth_dataset import grow
from benchmarks.workload import read_limits
from parcours_xl.settings import SUNO_CREDITS_A_SEGMENT, Targets

BUFFERS_MAX = 1000
"""What a query that runs by itself or for a listener may read (8 KB each)."""
COMMANDS_S_MAX = {"doctor": 20, "report --since 7d": 2}
"""How long an operator waits at most, the command's start included."""

QUOTAS = {
    "runs_daily_user": 10000,
    "runs_daily_max": 100000,
    "credits_a_segment": SUNO_CREDITS_A_SEGMENT,
    "credits_daily_max": 10000000,
    "place_s": 60,
}


@dataclass(frozen=True)
class Query:
    """One statement, and who runs it. bounded: it runs by itself or for a listener."""

    name: str
    role: str
    statement: LiteralString
    bounded: bool = True


# The parameters are those of `parameters`.
QUERIES = (
    Query("owner: their segments", "authenticated", "select * from public.parcours_segments"),
    Query("owner: their runs", "authenticated", "select * from public.parcours_runs"),
    Query(
        "admit_run, of 5 % of all runs",
        "service_role",
        "select public.admit_run(%(busiest)s, %(quotas)s)",
    ),
    Query(
        "create_run, of 5 % of all runs",
        "service_role",
        "select public.create_run(%(busiest)s, '00-universel-reset', 'b', '{}',"
        " '[{\"prompt\": \"p\"}]', %(quotas)s, 'a-key', '{}')",
    ),
    Query("start_run", "service_role", "select public.start_run(%(run)s, %(limits)s)"),
    Query(
        "claim_segment",
        "service_role",
        "select public.claim_segment(%(limits)s, p_segment_id => %(queued)s)",
    ),
    Query("find_track", "service_role", "select public.find_track(%(stored)s, %(owner)s)"),
    Query("cancel_run", "service_role", "select public.cancel_run(%(run)s)"),
    Query("read_logs of a run", "service_role", "select public.read_logs(%(run)s)"),
    Query("read_logs, the last", "service_role", "select public.read_logs()"),
    Query("next_steps", "service_role", "select public.next_steps(8, 60)"),
    Query("take_track_jobs", "service_role", "select public.take_track_jobs(4, 60, 1)"),
    Query("read_queues", "service_role", "select public.read_queues()"),
    Query(
        "report_slice of the last hour",
        "service_role",
        "select public.report_slice(now() - interval '1 hour', now(), %(targets)s)",
    ),
    Query(
        "report_slice of the last 5 minutes",
        "service_role",
        "select public.report_slice(now() - interval '5 minutes', now(), %(targets)s)",
    ),
    Query(
        "read_snapshot",
        "service_role",
        "select public.read_snapshot(now() - interval '1 hour')",
    ),
    Query("update_alerts", "service_role", "select public.update_alerts('[]')"),
    Query("erase_departed", "service_role", "select public.erase_departed()"),
    Query(
        "find_runs unheld",
        "service_role",
        "select public.find_runs('unheld', %(limits)s)",
    ),
    Query(
        "find_segments stuck",
        "service_role",
        "select public.find_segments('stuck', %(limits)s)",
    ),
    Query(
        "find_segments unstored",
        "service_role",
        "select public.find_segments('unstored', %(limits)s)",
    ),
    Query(
        "find_segments not_stored",
        "service_role",
        "select public.find_segments('not_stored', %(limits)s)",
    ),
    Query(
        "find_segments failed",
        "service_role",
        "select public.find_segments('failed', %(limits)s)",
        bounded=False,
    ),
    Query(
        "find_runs never_started",
        "service_role",
        "select public.find_runs('never_started', %(limits)s)",
        bounded=False,
    ),
    Query(
        "find_runs ownerless",
        "service_role",
        "select public.find_runs('ownerless', %(limits)s)",
        bounded=False,
    ),
    Query("scan_segments, a page", "service_role", "select public.scan_segments()", bounded=False),
    Query("scan_files, a page", "service_role", "select public.scan_files()", bounded=False),
    Query(
        "report_slice of 24 hours",
        "service_role",
        "select public.report_slice(now() - interval '24 hours', now(), %(targets)s)",
        bounded=False,
    ),
    Query(
        "report_top_users",
        "service_role",
        "select public.report_top_users(now() - interval '7 days')",
        bounded=False,
    ),
)


def measure_growth(
    deployment: Deployment, runs: int, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Buffers and milliseconds of each query, and seconds of the doctor and of a week's report."""
    limits = Jsonb(read_limits(deployment))
    [written] = deployment.query("select public.write_limits(%s) as id", limits)
    tell(f"making {runs} finished runs")
    began = time.monotonic()
    url = deployment.project.database_url("supabase_admin")
    grow(url, runs)
    tell(f"made in {time.monotonic() - began:.0f} s")
    with psycopg.connect(url) as connection:
        rows = measure_queries(connection, written["id"])
    commands = {
        command: {"s": _seconds_of(deployment, *command.split()), "s_max": s_max}
        for command, s_max in COMMANDS_S_MAX.items()
    }
    over = [row["query"] for row in rows if row["bounded"] and row["buffers"] > BUFFERS_MAX]
    over += [command for command, took in commands.items() if took["s"] > took["s_max"]]
    return {
        "runs": runs,
        "buffers_max": BUFFERS_MAX,
        "queries": rows,
        "commands": commands,
        "over": over,
    }


def measure_queries(connection: psycopg.Connection[Any], limits_id: int) -> list[dict[str, Any]]:
    """Of each query: {query, buffers, ms, bounded}. Nothing is left of what they change."""
    values = parameters(connection, limits_id)
    rows = []
    for query in QUERIES:
        # Once before, so that the session's catalog and plans are there, as a worker has them.
        for _ in range(2):
            with undone(connection, query.role, str(values["owner"])):
                plan = _explain(connection, query.statement, values)
        rows.append({"query": query.name, "bounded": query.bounded} | plan)
    return rows


@contextmanager
def undone(connection: psycopg.Connection[Any], role: str, user_id: str) -> Iterator[None]:
    """A transaction of this role, and of this user's token, that is rolled back."""
    with connection.transaction(force_rollback=True):
        claims = json.dumps({"role": role, "sub": user_id})
        connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        connection.execute(f"set local role {role}".encode())
        yield


def _explain(
    connection: psycopg.Connection[Any], statement: LiteralString, values: dict[str, Any]
) -> dict[str, float]:
    explained = connection.execute(
        "explain (analyze, buffers, timing off, format json) " + statement, values
    ).fetchone()
    assert explained, "a plan is one row"
    [top] = explained[0]
    plan = top["Plan"]
    # What functions read inside themselves is counted where they are called.
    return {
        "buffers": plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
        "ms": round(top["Execution Time"], 1),
    }


def parameters(connection: psycopg.Connection[Any], limits_id: int) -> dict[str, Any]:
    """A user with a few runs, the busiest one, and a run under way."""
    row = connection.execute(
        "select run.id, run.user_id as owner, queued.id as queued, stored.id as stored, ("
        "  select user_id from public.parcours_runs group by user_id order by count(*) desc limit 1"
        ") as busiest"
        "  from parcours.active_runs as active"
        "  join public.parcours_runs as run on run.id = active.run_id"
        "  join public.parcours_segments as queued on queued.run_id = run.id and segment_index = 1"
        "  join public.parcours_runs as other on other.user_id = run.user_id"
        "  join public.parcours_segments as stored"
        "    on stored.run_id = other.id and stored.status = 'complete'"
        " order by run.id limit 1"
    ).fetchone()
    assert row, "a run is under way, of somebody who has another one"
    names = ("run", "owner", "queued", "stored", "busiest")
    return dict(zip(names, row, strict=True)) | {
        "limits": limits_id,
        "quotas": Jsonb(QUOTAS),
        "targets": Jsonb(Targets().targets),
    }


def _seconds_of(deployment: Deployment, *words: str) -> float:
    """How long an operator's command takes, its start included."""
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "parcours_xl.cli.main", *words],
        cwd=ROOT,
        env=dict(deployment.environment),
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return round(time.monotonic() - began, 2)
