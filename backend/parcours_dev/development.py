"""`parcours stack` and `parcours dev`: the embedded Supabase in the foreground of a terminal."""

import logging
import math
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from parcours_dev.errors import LocalError
from parcours_dev.foreground import stopped_by_signals, watch
from parcours_dev.player_build import build_player
from parcours_dev.processes import Server, running_server, wait_until_ready
from parcours_dev.supabase.project import LocalProject, open_project, write_private
from parcours_dev.supabase.stack import held_state, started_servers
from parcours_xl.domain.durations import (
    JOURNEY_S_MAX,
    JOURNEY_S_MIN,
    SEGMENT_S_MAX,
    SEGMENT_S_MIN,
)

log = logging.getLogger(__name__)

ENVIRONMENT_FILE = "dev.env"

# Ours are simulated: any key will do.
DEVELOPMENT_KEY = "development"


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """What the command line asks of the embedded Supabase."""

    state_dir: Path
    port: int | None
    fresh: bool
    migrations: Path | None


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


def run_stack(options: StackOptions) -> None:
    """Supabase only, until it is stopped. Raises LocalError."""
    with _started(options) as (project, servers):
        environment = supabase_environment(project)
        write_environment(project, environment)
        _show("Supabase is running", project, supabase_addresses(project))
        watch(servers)


def run_development(options: StackOptions, simulation: Simulation) -> None:
    """Everything: Supabase, simulated Suno and OpenAI, the service, the page. Raises LocalError."""
    try:
        build_player()
    except LocalError as error:
        log.warning("%s\nEverything else runs.", error)
    with _started(options) as (project, servers):
        environment = (
            supabase_environment(project) | vendor_environment(project) | simulation.environment()
        )
        write_environment(project, environment)
        with (
            running_simulators(project, simulation) as simulators,
            running_service(project, environment) as service,
        ):
            addresses = (
                player_address(project) | supabase_addresses(project) | vendor_addresses(project)
            )
            _show("Parcours XL is running", project, addresses)
            watch([*servers, simulators, service], shown=service)


@contextmanager
def _started(options: StackOptions) -> Iterator[tuple[LocalProject, Sequence[Server]]]:
    with stopped_by_signals(), held_state(options.state_dir.resolve(), fresh=options.fresh):
        project = open_project(options.state_dir, options.port)
        with started_servers(project, durable=True, migrations=options.migrations) as servers:
            yield project, servers


@contextmanager
def running_simulators(project: LocalProject, simulation: Simulation) -> Iterator[Server]:
    """The simulated Suno and OpenAI, listening."""
    ports = ["--suno-port", project.suno_port, "--openai-port", project.openai_port]
    with running_server(
        "The simulators",
        [
            sys.executable,
            "-m",
            "parcours_dev.simulators",
            *map(str, ports),
            *simulation.arguments(),
        ],
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


def write_environment(project: LocalProject, environment: Mapping[str, str]) -> None:
    """Write `dev.env`, lines of KEY=VALUE for a shell or a program, readable by its owner only."""
    lines = [f"{name}={value}\n" for name, value in environment.items()]
    write_private(project.state_dir / ENVIRONMENT_FILE, "".join(lines))


def player_address(project: LocalProject) -> dict[str, str]:
    """Where a listener opens the page."""
    return {"Player": f"{project.url}/"}


def supabase_addresses(project: LocalProject) -> dict[str, str]:
    """What a person needs to use this Supabase, by its everyday name."""
    return {
        "Supabase": project.url,
        "Functions": f"{project.url}/functions/v1/",
        "Database": project.database_url(),
        "anon key": project.anon_key,
        "service_role key": project.service_role_key,
    }


def vendor_addresses(project: LocalProject) -> dict[str, str]:
    """Where the simulated vendors answer."""
    return {"Simulated Suno": project.suno_url, "Simulated OpenAI": project.openai_url}


def _show(title: str, project: LocalProject, addresses: Mapping[str, str]) -> None:
    console = Console(highlight=False)
    kept = {
        "Environment": str(project.state_dir / ENVIRONMENT_FILE),
        "Logs": str(project.logs_dir),
    }
    console.print(f"\n[bold green]{title}.[/] Ctrl-C stops it.\n")
    for name, value in {**addresses, **kept}.items():
        # One line each however narrow the terminal is: a key is there to be copied.
        console.print(f"  [bold]{name:<18}[/]{escape(value)}", soft_wrap=True)
    console.print()
