"""A whole deployment on the session's stack: service, vendors, workers, each a process."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from psycopg.types.json import Jsonb

from parcours_dev import deployment as development
from parcours_dev.deployment import Simulation, supabase_environment, vendor_environment
from parcours_dev.ports import choose_free_ports
from parcours_dev.supabase.project import LocalProject
from tests.fixtures.waiting import wait_until

ANSWER_S_MAX = 30
STOP_S_MAX = 20
"""Longer than a worker promises (test_stopping.py holds it to that): here it only has to end."""

SPEED = 300
TRACK_S = 8
SIMULATION = Simulation(speed=SPEED, track_seconds=TRACK_S)

# docs/specification.md#timings, shortened: what takes minutes with Suno takes seconds here.
SHORT_TIMINGS = {
    "UNANSWERED_S": "2",
    "SUNO_TIMEOUT_S": "1.5",
    "ASK_FIRST_S": "2",
    "ASK_COMPLETE_S": "3",
    "GIVE_UP_S": "8",
    "WORKER_TICK_S": "0.2",
    "RETRY_PAUSES_S": "1,1,1",
    "STORING_PAUSES_S": "1,1,1,1,1",
}


QUOTAS = {
    "runs_daily_user": 1000,
    "runs_daily_max": None,
    "credits_a_segment": 12,
    "credits_daily_max": None,
    "place_s": 60,
}


@dataclass(frozen=True)
class Deployment(development.Deployment):
    """gate_port: where a proxy before Suno may listen; its addresses are trusted as Suno's are."""

    gate_port: int

    def create_run(self, segments: int = 1, user_id: UUID | None = None) -> UUID:
        """A run of somebody's, without a brief of OpenAI's."""
        listed = [
            {"prompt": "Slow piano, 60 BPM, dorian", "title": "Au seuil", "planned_seconds": 300}
        ] * segments
        [row] = self.query(
            "select public.create_run(%s, '00-universel-reset', 'Un moment.', %s, %s, %s) as run",
            user_id or uuid4(),
            Jsonb({"title": "Un moment"}),
            Jsonb(listed),
            Jsonb(QUOTAS),
        )
        return UUID(row["run"]["run_id"])

    def start_run(self, run_id: UUID) -> None:
        answer = self.call("parcours-xl-runner", {"runId": str(run_id)})
        assert answer.status_code == 202, answer.text

    def call(self, function: str, body: dict[str, Any], **arguments: Any) -> httpx.Response:
        """Call a function through the project's one origin."""
        url = f"{self.project.url}/functions/v1/{function}"
        return httpx.post(url, json=body, trust_env=False, timeout=ANSWER_S_MAX, **arguments)

    def segments(self, run_id: UUID) -> list[dict[str, Any]]:
        return self.query(
            "select * from parcours_segments where run_id = %s order by segment_index", run_id
        )

    def status(self, run_id: UUID) -> str:
        return str(
            self.query("select status from parcours_runs where id = %s", run_id)[0]["status"]
        )

    def wait_for(self, run_id: UUID, status: str, seconds: float = 30) -> None:
        """Until the run has this status. AssertionError, with its story, when it never gets it."""
        wait_until(lambda: self.status(run_id) == status, seconds, lambda: self.event_log(run_id))

    def event_log(self, run_id: UUID) -> str:
        """What happened to a run, for a test that failed."""
        events = self.query(
            "select happened_at, what, detail from parcours_events where run_id = %s order by id",
            run_id,
        )
        return "\n".join(f"{e['happened_at']:%X.%f} {e['what']} {e['detail']}" for e in events)

    def events(self, run_id: UUID, what: str) -> int:
        [row] = self.query(
            "select count(*) from parcours_events where run_id = %s and what = %s", run_id, what
        )
        return int(row["count"])

    def end_leases(self) -> None:
        """What a dead worker held is free again, as it is when its lease runs out."""
        for queue in ("parcours_generation", "parcours_tracks"):
            self.query(f"update pgmq.q_{queue} set vt = clock_timestamp()")
        self.query("update parcours.deployment set maintenance_lease_until = clock_timestamp()")

    def wait_until_storing(self) -> None:
        """Until a worker has taken a delivered track."""
        taken = "select true from pgmq.q_parcours_tracks where read_ct > 0"
        wait_until(lambda: bool(self.query(taken)), 30)

    def forget_work(self) -> None:
        """Nothing that other tests left behind is due any more."""
        self.query("delete from parcours.active_runs")
        for queue in ("parcours_generation", "parcours_tracks"):
            self.query(f"delete from pgmq.q_{queue}")
        self.query("delete from parcours.suno_requests")
        self.query("delete from parcours.erasures")

    def forget_the_past(self) -> None:
        """Nothing has ever happened here, and nobody has looked."""
        for table in (
            "public.parcours_runs",
            "public.parcours_events",
            "parcours.dead_letters",
            "parcours.alerts",
            "parcours.reserve_tasks",
        ):
            self.query(f"delete from {table}")
        self.query("delete from parcours.deployment")
        self.query("insert into parcours.deployment default values")
        with psycopg.connect(self.project.database_url("supabase_admin")) as connection:
            connection.execute("set storage.allow_delete_query = 'true'")
            connection.execute("delete from storage.objects")

    def sign_up(self) -> UUID:
        """A new user of the project."""
        answer = httpx.post(
            f"{self.project.url}/auth/v1/signup",
            json={"email": f"{uuid4().hex}@example.org", "password": "a calm evening"},
            headers={"apikey": self.project.anon_key},
            trust_env=False,
            timeout=ANSWER_S_MAX,
        )
        return UUID(answer.json()["user"]["id"])

    def wait_for_maintenance(self) -> None:
        """Until a worker has done the maintenance once."""
        turn = (
            "select true from parcours.deployment where maintenance_due_at is not null"
            " and maintenance_lease_until <= clock_timestamp()"
        )
        wait_until(lambda: bool(self.query(turn)), 30)

    def ask_fault(self, **fault: Any) -> None:
        """Have the simulated Suno misbehave."""
        self.control("POST", "/faults", fault)

    def clear_faults(self) -> None:
        self.control("DELETE", "/faults")

    def suno(self) -> dict[str, Any]:
        """What the simulated Suno has seen."""
        return dict(self.control("GET"))

    def tasks_of(self, run_id: UUID) -> list[dict[str, Any]]:
        """The tasks that Suno took for this run's segments."""
        names = {str(segment["id"]) for segment in self.segments(run_id)}
        return [task for task in self.suno()["tasks"] if task["segment"] in names]


@contextmanager
def running_deployment(project: LocalProject, **settings: str) -> Iterator[Deployment]:
    """The service without a worker, and the vendors, on the ports that the project names.

    settings: environment variables of the service and its workers, instead of the usual ones.
    """
    [gate_port] = choose_free_ports(1)
    trusted = f"127.0.0.1:{project.suno_port},127.0.0.1:{gate_port}"
    environment = (
        supabase_environment(project)
        | vendor_environment(project)
        | SHORT_TIMINGS
        | {"WORKER_IN_PROCESS": "false", "DAILY_RUN_QUOTA": "10000", "TRACK_HOSTS_EXACT": trusted}
        | settings
    )
    with development.running_deployment(project, SIMULATION, environment) as begun:
        yield Deployment(project, environment, begun.simulators, begun.service, gate_port)


def worker_command(*options: str) -> list[str]:
    return [sys.executable, "-m", "parcours_xl.cli.main", "worker", *options]


def start_worker(
    deployment: Deployment, *options: str, **environment: str
) -> subprocess.Popen[bytes]:
    """One `parcours worker`, at work; whoever starts it ends it."""
    log = deployment.project.logs_dir / f"worker-{uuid4()}.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            worker_command(*options),
            env={"PATH": "/usr/bin:/bin", **deployment.environment, **environment},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: "worker.started" in log.read_text(), 30, log.read_text)
    except BaseException:
        worker.kill()
        worker.wait()
        raise
    return worker


@contextmanager
def running_workers(deployment: Deployment, count: int = 1, **environment: str) -> Iterator[None]:
    """So many workers, stopped at the end as a deployment stops them."""
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            workers.append(start_worker(deployment, **environment))
        yield
        assert all(worker.poll() is None for worker in workers), "a worker ended by itself"
    finally:
        for worker in workers:
            worker.terminate()
        try:
            for worker in workers:
                worker.wait(STOP_S_MAX)
        finally:
            for worker in workers:
                end_now(worker)


def end_now(worker: subprocess.Popen[bytes]) -> None:
    """Nothing of it is left for the tests that follow."""
    worker.kill()
    worker.wait()
