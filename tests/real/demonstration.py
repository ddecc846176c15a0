"""The demo on a real project: its Auth, database and Storage, our service, simulated vendors."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from starlette.applications import Starlette
from starlette.routing import Mount

from parcours_dev.demo.scenario import demonstrate as live_demonstration
from parcours_dev.deployment import Simulation, running_deployment, vendor_environment
from parcours_dev.supabase.project import LocalProject, open_project
from parcours_dev.supabase.proxy import Proxy, create_client
from parcours_xl.clients.api_client import ApiClient
from parcours_xl.errors import ParcoursError
from parcours_xl.operations.journey_screen import following
from tests.fixtures.servers import running
from tests.real.project import RealProject

SPEED = 40.0


def demonstrate(project: RealProject) -> bool:
    """Live one whole journey there; whether all was as it must be."""
    console = Console(highlight=False)
    with ExitStack() as started:
        origin = started.enter_context(_running_origin(project))
        show = started.enter_context(following(console))
        try:
            shown = asyncio.run(
                live_demonstration(
                    origin, project.anon_key, SPEED, show, lambda one: _sign_up(one, project)
                )
            )
        except ParcoursError as failure:
            console.print(f"[bold red]{failure}[/]")
            return False
    shown.show(console)
    return not shown.faults


async def _sign_up(visitor: ApiClient, project: RealProject) -> None:
    """As somebody whose address needs no mail to be confirmed, and who is forgotten afterwards."""
    _, credentials = await project.make_user()
    await visitor.sign_in(credentials["email"], credentials["password"])


@contextmanager
def _running_origin(project: RealProject) -> Iterator[str]:
    """The project with our functions before it, at one origin, as behind a reverse proxy."""
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="parcours-real-")))
        ports = open_project(folder, 0)
        environment = _environment(project, ports)
        started.enter_context(running_deployment(ports, Simulation(speed=SPEED), environment))
        client = create_client()
        app = Starlette(
            routes=[
                Mount("/functions/v1", Proxy(client, ports.functions_url)),
                Mount("", Proxy(client, project.url)),
            ]
        )
        yield started.enter_context(running(app))


def _environment(project: RealProject, ports: LocalProject) -> dict[str, str]:
    return vendor_environment(ports) | {
        "SUPABASE_URL": project.url,
        "SUPABASE_ANON_KEY": project.anon_key,
        "SUPABASE_SERVICE_ROLE_KEY": project.service_role_key,
        # The simulated Suno is on this machine, and so is the service that it calls back.
        "CALLBACK_BASE": f"{ports.functions_url}/functions/v1/parcours-xl-callback",
    }
