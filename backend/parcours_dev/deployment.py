"""A whole deployment on this machine: the service, its Supabase and vendors, each a process.

`parcours dev`, the demo, the benchmarks and the tests start this one.
"""

import math
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from parcours_dev.processes import Server, running_server, wait_until_ready
from parcours_dev.supabase.project import LocalProject
from parcours_xl.domain.durations import (
    JOURNEY_S_MAX,
    JOURNEY_S_MIN,
    SEGMENT_S_MAX,
    SEGMENT_S_MIN,
)

ANSWER_S_MAX = 30

# Ours are simulated: any key will do.
DEVELOPMENT_KEY = "development"


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """How the simulated vendors behave.

    speed: how many times shorter waiting is. track_seconds: every track exactly so long, and
    segments and journeys shorter in the same proportion; None for music of the real length.
    """

    speed: float
    track_seconds: int | None = None
    signal: str = "music"

    def arguments(self) -> list[str]:
        """The simulators' options."""
        length = [] if self.track_seconds is None else ["--track-seconds", str(self.track_seconds)]
        return ["--speed", str(self.speed), "--signal", self.signal, *length]

    def environment(self) -> dict[str, str]:
        """The service's bounds for music of this length."""
        if self.track_seconds is None:
            return {}
        share = self.track_seconds / SEGMENT_S_MAX
        return {
            "SEGMENT_S_MIN": str(math.floor(SEGMENT_S_MIN * share)),
            "SEGMENT_S_MAX": str(self.track_seconds),
            "JOURNEY_S_MIN": str(math.floor(JOURNEY_S_MIN * share)),
            "JOURNEY_S_MAX": str(math.floor(JOURNEY_S_MAX * share)),
        }


@dataclass(frozen=True)
class Deployment:
    """environment: what the service and its workers are started with."""

    project: LocalProject
    environment: Mapping[str, str]
    simulators: Server
    service: Server

    @property
    def servers(self) -> tuple[Server, Server]:
        return self.simulators, self.service

    def query(
        self, statement: str, *values: object, role: str = "postgres"
    ) -> list[dict[str, Any]]:
        """Rows of the database, as its owner, or a superuser, sees them."""
        url = self.project.database_url(role)
        with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def control(self, method: str, path: str = "", body: object = None) -> Any:
        """Tell or ask the simulated Suno something; its answer, None when it has no body."""
        url = f"{self.project.suno_url}/_control{path}"
        answer = httpx.request(method, url, json=body, trust_env=False, timeout=ANSWER_S_MAX)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@contextmanager
def running_deployment(
    project: LocalProject, simulation: Simulation, environment: Mapping[str, str]
) -> Iterator[Deployment]:
    """The service with that environment, and the vendors, on the ports that the project names."""
    with (
        running_simulators(project, simulation) as simulators,
        running_service(project, environment) as service,
    ):
        yield Deployment(project, environment, simulators, service)


@contextmanager
def temporary_state(prefix: str) -> Iterator[Path]:
    """A folder for the state of an embedded Supabase, which PostgreSQL may enter even when root
    starts it: it runs as somebody else then.
    """
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@contextmanager
def running_simulators(project: LocalProject, simulation: Simulation) -> Iterator[Server]:
    """The simulated Suno and OpenAI, listening."""
    ports = ["--suno-port", project.suno_port, "--openai-port", project.openai_port]
    command = [sys.executable, "-m", "parcours_dev.simulators", *map(str, ports)]
    with running_server(
        "The simulators",
        [*command, *simulation.arguments()],
        log=project.logs_dir / "simulators.log",
    ) as server:
        wait_until_ready(
            server, lambda: listens(project.suno_port) and listens(project.openai_port)
        )
        yield server


@contextmanager
def running_service(project: LocalProject, environment: Mapping[str, str]) -> Iterator[Server]:
    """The Parcours XL service, listening, with that environment."""
    address = ["--host", "127.0.0.1", "--port", str(project.functions_port)]
    # A person's shell may hold the keys of a real project, which are not this one's.
    inherited = {key: text for key, text in os.environ.items() if not key.startswith("SUPABASE_")}
    with running_server(
        "The service",
        [sys.executable, "-m", "parcours_xl.cli.main", "serve", *address],
        log=project.logs_dir / "service.log",
        environment={**inherited, **environment},
    ) as server:
        wait_until_ready(server, lambda: listens(project.functions_port))
        yield server


def listens(port: int) -> bool:
    """Whether a server accepts connections on this port of 127.0.0.1 now."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def supabase_environment(project: LocalProject) -> dict[str, str]:
    """The variables with which a program finds this Supabase, as it would find a hosted one."""
    return {
        "SUPABASE_URL": project.url,
        "SUPABASE_ANON_KEY": project.anon_key,
        "SUPABASE_SERVICE_ROLE_KEY": project.service_role_key,
        "DATABASE_URL": project.database_url(),
        "POSTGREST_URL": project.rest_url,
        "CALLBACK_BASE": f"{project.url}/functions/v1/parcours-xl-callback",
    }


def vendor_environment(project: LocalProject) -> dict[str, str]:
    """The variables that lead the service to the simulated Suno and OpenAI."""
    return {
        "SUNO_API_BASE": project.suno_url,
        "SUNO_API_KEY": DEVELOPMENT_KEY,
        "OPENAI_BASE_URL": project.openai_url,
        "OPENAI_API_KEY": DEVELOPMENT_KEY,
        "TRACK_HOSTS_EXACT": f"127.0.0.1:{project.suno_port}",
        "LOG_FORMAT": "console",
    }
