"""What operators' own doors find: settings, adapters, and what this process has seen."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from parcours_xl.adapters.outside import Outside
from parcours_xl.http.connections import Connections
from parcours_xl.http.draining import Draining
from parcours_xl.http.latency import Latencies
from parcours_xl.http.page_errors import PageErrors
from parcours_xl.operations.alerts import SnapshotCache
from parcours_xl.settings import Settings


@dataclass(frozen=True, slots=True)
class Office:
    """One deployment, as its operators' doors see it."""

    settings: Settings
    outside: Outside
    latencies: Latencies
    page_errors: PageErrors
    snapshots: SnapshotCache
    connections: Connections
    draining: Draining


def office_of(request: Request) -> Office:
    """The office that this request came into."""
    return cast(Office, request.state.office)
