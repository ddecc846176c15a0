"""What every handler works with: settings and clients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from parcours_xl.api.draining import BackgroundWork
from parcours_xl.clients.brief_writer import BriefWriter
from parcours_xl.clients.clients import Clients
from parcours_xl.settings import Settings


@dataclass(frozen=True, slots=True)
class AppState:
    """One deployment, as its handlers see it.

    wake_worker: tell this process's own worker that there is work, if it has one.
    background: does what a request begins and does not wait for.
    """

    settings: Settings
    clients: Clients
    brief_writer: BriefWriter
    wake_worker: Callable[[], None]
    background: BackgroundWork


def app_state(request: Request) -> AppState:
    """The state of the application that this request came to."""
    return cast(AppState, request.state.app_state)
