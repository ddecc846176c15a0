"""The demonstration's own embedded Supabase, service and vendors: started, used, forgotten."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from rich.console import Console

from parcours_dev.demo.report import Demonstration
from parcours_dev.demo.scenario import REQUEST, demonstrate
from parcours_dev.deployment import (
    Simulation,
    running_deployment,
    supabase_environment,
    temporary_state,
    vendor_environment,
)
from parcours_dev.development import player_address
from parcours_dev.errors import LocalError
from parcours_dev.foreground import stopped_by_signals, watch
from parcours_dev.player_build import build_player
from parcours_dev.processes import Server
from parcours_dev.supabase.project import LocalProject
from parcours_dev.supabase.stack import running_stack
from parcours_xl.errors import ParcoursError
from parcours_xl.operations.journey_screen import following


def run_demonstration(simulation: Simulation, *, as_json: bool, stay: bool = False) -> bool:
    """Show one whole journey; whether all was as it must be. Raises LocalError.

    stay: then everything goes on running, with the page for anybody to listen, until Ctrl-C.
    """
    console = Console(stderr=as_json, highlight=False)
    if stay:
        build_player()
    with ExitStack() as started:
        project, servers = _start(started, simulation, console)
        demonstration = _demonstrate(project, simulation.speed, console)
        _show(demonstration, console, as_json=as_json)
        if stay:
            console.print("\nEverything goes on. Ctrl-C stops and forgets it.\n")
            for name, address in player_address(project).items():
                console.print(f"  [bold]{name}[/]  {address}\n", soft_wrap=True)
            watch(servers)
    return not demonstration.faults


def _fill_reserve(environment: Mapping[str, str], console: Console) -> None:
    """As an operator does it: two pieces of the preset that is asked for next."""
    words = ("reserve", "fill", "--per-preset", "2", "--preset", REQUEST["presetKey"], "--yes")
    filled = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "parcours_xl.cli.main", *words],
        env=dict(environment),
        capture_output=True,
        text=True,
    )
    if filled.returncode:
        raise LocalError(f"the reserve could not be filled: {filled.stdout}{filled.stderr}")
    console.print(filled.stdout.strip())


def _demonstrate(project: LocalProject, speed: float, console: Console) -> Demonstration:
    try:
        with following(console) as show:
            return asyncio.run(demonstrate(project.url, project.anon_key, speed, show))
    except ParcoursError as error:
        raise LocalError(error.message) from error


def _show(demonstration: Demonstration, console: Console, *, as_json: bool) -> None:
    if as_json:
        json.dump(demonstration.as_json(), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
        sys.stdout.flush()
    else:
        demonstration.show(console)


def _start(
    started: ExitStack, simulation: Simulation, console: Console
) -> tuple[LocalProject, Sequence[Server]]:
    started.enter_context(stopped_by_signals())
    console.print("Starting the embedded Supabase, the service, Suno and OpenAI (simulated).")
    folder = started.enter_context(temporary_state("parcours-demo-"))
    project = started.enter_context(running_stack(folder))
    environment = supabase_environment(project) | vendor_environment(project)
    deployment = started.enter_context(running_deployment(project, simulation, environment))
    _fill_reserve(environment, console)
    console.print(f"Ready at {project.url}. A new user asks for calm: fear, 0.8.\n")
    return project, deployment.servers
