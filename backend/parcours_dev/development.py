"""`parcours stack` and `parcours dev`: the embedded Supabase in the foreground of a terminal."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from parcours_dev.deployment import (
    Simulation,
    running_deployment,
    supabase_environment,
    vendor_environment,
)
from parcours_dev.errors import LocalError
from parcours_dev.foreground import stopped_by_signals, watch
from parcours_dev.player_build import build_player
from parcours_dev.processes import Server
from parcours_dev.supabase.project import LocalProject, open_project, write_private
from parcours_dev.supabase.stack import held_state, started_servers

log = logging.getLogger(__name__)

ENVIRONMENT_FILE = "dev.env"


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """What the command line asks of the embedded Supabase."""

    state_dir: Path
    port: int | None
    fresh: bool
    migrations: Path | None
    has_hs256_tokens: bool = False
    has_anonymous_users: bool = True


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
        with running_deployment(project, simulation, environment) as deployment:
            addresses = (
                player_address(project) | supabase_addresses(project) | vendor_addresses(project)
            )
            _show("Parcours XL is running", project, addresses)
            watch([*servers, *deployment.servers], shown=deployment.service)


@contextmanager
def _started(options: StackOptions) -> Iterator[tuple[LocalProject, Sequence[Server]]]:
    with stopped_by_signals(), held_state(options.state_dir.resolve(), fresh=options.fresh):
        project = open_project(
            options.state_dir,
            options.port,
            has_hs256_tokens=options.has_hs256_tokens,
            has_anonymous_users=options.has_anonymous_users,
        )
        with started_servers(project, durable=True, migrations=options.migrations) as servers:
            yield project, servers


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
