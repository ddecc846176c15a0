"""Which clients each service and operation is given: the one place that knows all of both."""

from parcours_xl.clients.clients import Clients
from parcours_xl.operations.doctor.findings import Context, Progress
from parcours_xl.operations.maintenance import MaintenanceLoop
from parcours_xl.operations.repairs import Repairs
from parcours_xl.services.reserve import ReserveService
from parcours_xl.services.track_storage import TrackService
from parcours_xl.settings import Settings
from parcours_xl.worker.worker import Worker


def wire_tracks(clients: Clients) -> TrackService:
    return TrackService(
        database=clients.database,
        queries=clients.queries,
        suno=clients.suno,
        downloads=clients.downloads,
        audio=clients.audio,
        storage=clients.storage,
        temporary_files=clients.temporary_files,
    )


def wire_reserve(clients: Clients, settings: Settings) -> ReserveService:
    return ReserveService(
        clients.reserve,
        clients.database,
        clients.suno,
        clients.storage,
        wire_tracks(clients),
        settings.callback_base,
    )


def wire_worker(clients: Clients, settings: Settings) -> Worker:
    tracks = wire_tracks(clients)
    return Worker(clients.database, clients.suno, clients.storage, tracks, settings)


def wire_repairs(clients: Clients) -> Repairs:
    tracks = wire_tracks(clients)
    return Repairs(clients.database, clients.queries, clients.suno, clients.storage, tracks)


def wire_maintenance(clients: Clients, settings: Settings) -> MaintenanceLoop:
    return MaintenanceLoop(
        clients.database,
        clients.queries,
        clients.suno,
        clients.webhook,
        wire_repairs(clients),
        wire_reserve(clients, settings),
        settings,
    )


def wire_doctor(
    clients: Clients,
    settings: Settings,
    *,
    force: bool = False,
    progress: Progress = lambda *_: None,
) -> Context:
    return Context(
        settings,
        clients.database,
        clients.queries,
        clients.reserve,
        clients.storage,
        clients.suno,
        clients.downloads,
        clients.probes,
        wire_repairs(clients),
        progress,
        force,
    )
