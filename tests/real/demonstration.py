"""The demo on a real project: its Auth, database and Storage, our service, simulated vendors."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from starlette.applications import Starlette
from starlette.routing import Mount
from supabase import acreate_client

from parcours_xl.local.demonstration.journey import live_journey
from parcours_xl.local.demonstration.listener import Listener
from parcours_xl.local.demonstration.screen import following, show_report
from parcours_xl.local.development import (
    Simulation,
    running_service,
    running_simulators,
    vendor_environment,
)
from parcours_xl.local.errors import LocalError
from parcours_xl.local.project import LocalProject, open_project
from parcours_xl.local.proxy import Proxy, create_client
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
            report = asyncio.run(_live(project, origin, show))
        except LocalError as failure:
            console.print(f"[bold red]{failure}[/]")
            return False
    show_report(console, report)
    return not report.faults


async def _live(project: RealProject, origin: str, show):  # type: ignore[no-untyped-def]
    async def arrive(url: str, anon_key: str) -> Listener:
        return _Member(await acreate_client(url, anon_key), project)

    return await live_journey(origin, project.anon_key, SPEED, show, arrive)


class _Member(Listener):
    """Somebody whose address needs no mail to be confirmed, and who is forgotten afterwards."""

    def __init__(self, client, project: RealProject):  # type: ignore[no-untyped-def]
        super().__init__(client)
        self._project = project

    async def sign_up(self) -> str:
        user_id, credentials = await self._project.make_user()
        await self._client.auth.sign_in_with_password({**credentials})
        return str(user_id)


@contextmanager
def _running_origin(project: RealProject) -> Iterator[str]:
    """The project with our functions before it, at one origin, as behind a reverse proxy."""
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="parcours-real-")))
        ports = open_project(folder, 0)
        started.enter_context(running_simulators(ports, Simulation(speed=SPEED)))
        started.enter_context(running_service(ports, _environment(project, ports)))
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
