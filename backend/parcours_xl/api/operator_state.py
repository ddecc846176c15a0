"""What operators' routes work with: settings, adapters, and what this process has seen."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from parcours_xl.api.connections import Connections
from parcours_xl.api.draining import Draining
from parcours_xl.api.latency import Latencies
from parcours_xl.api.page_errors import PageErrors
from parcours_xl.clients.clients import Clients
from parcours_xl.operations.alerts import SnapshotCache
from parcours_xl.settings import Settings


@dataclass(frozen=True, slots=True)
class OperatorState:
    """One deployment, as its operators' routes see it."""

    settings: Settings
    clients: Clients
    latencies: Latencies
    page_errors: PageErrors
    snapshots: SnapshotCache
    connections: Connections
    draining: Draining


def operator_state(request: Request) -> OperatorState:
    """The state for the routes of operators."""
    return cast(OperatorState, request.state.operator_state)
