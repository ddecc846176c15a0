"""The service: routes, middleware, lifespan. Wiring only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router

from parcours_xl.adapters.brief_writer import open_brief_writer
from parcours_xl.adapters.outside import open_outside
from parcours_xl.functions.doors import DOORS
from parcours_xl.functions.house import House
from parcours_xl.functions.runner_logs import runner_logs
from parcours_xl.http.connections import Connections
from parcours_xl.http.cors import allow_origins
from parcours_xl.http.draining import Draining, RefuseWhileDraining
from parcours_xl.http.errors import answer_http_exception, answer_trouble
from parcours_xl.http.latency import Latencies, MeasureLatency
from parcours_xl.http.page_errors import PageErrors
from parcours_xl.http.request_id import RequestId
from parcours_xl.openapi import describe_functions
from parcours_xl.operations.alerts import SnapshotCache
from parcours_xl.operations.health import healthz, readyz
from parcours_xl.operations.maintenance import MaintenanceLoop
from parcours_xl.operations.metrics import metrics
from parcours_xl.operations.office import Office
from parcours_xl.player.pages import create_player
from parcours_xl.settings import Settings
from parcours_xl.trouble import Trouble
from parcours_xl.worker.loop import Worker

RUNNER_LOGS = "/parcours-xl-runner/logs"

log = structlog.get_logger(__name__)


class _State(TypedDict):
    """connections: for the protocol, which is no part of the application."""

    house: House
    office: Office
    connections: Connections


async def openapi(_: Request) -> Response:
    """The description of the functions, for people and generators of clients."""
    return JSONResponse(describe_functions())


def create_app(settings: Settings, draining: Draining | None = None) -> Starlette:
    """The ASGI application of one deployment. draining: begun by whoever is told to stop."""

    latencies = Latencies([door.name for door in DOORS])
    page_errors = PageErrors()
    connections = Connections(settings.connections_per_client_max, settings.connections_max)
    draining = draining or Draining()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[_State]:
        if warning := settings.callback_warning():
            log.warning("callback_base.unreachable", why=warning, then="record-info is asked")
        async with open_outside(settings) as outside, open_brief_writer(settings) as brief_writer:
            worker, maintenance = Worker(outside, settings), MaintenanceLoop(outside, settings)
            # They stop beside the requests, not after them.
            draining.when_begun(worker.stop, maintenance.stop)
            working = [
                asyncio.create_task(one.run())
                for one in (worker, maintenance)
                if settings.worker_in_process
            ]
            try:
                yield {
                    "house": House(settings, outside, brief_writer, worker.wake),
                    "office": Office(
                        settings,
                        outside,
                        latencies,
                        page_errors,
                        SnapshotCache(outside.oversight, settings),
                        connections,
                        draining,
                    ),
                    "connections": connections,
                }
            finally:
                worker.stop()
                maintenance.stop()
                await asyncio.gather(*working)

    doors = [
        Route(path, door.handler, methods=["POST"])
        for door in DOORS
        for path in _with_slash(f"/{door.name}")
    ]
    doors += [
        Route(path, runner_logs, methods=["GET"])
        for path in _with_slash("/parcours-xl-runner/logs")
    ]
    app = Starlette(
        routes=[
            Mount("/functions/v1", Router(doors, redirect_slashes=False)),
            Route("/openapi.json", openapi),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Mount("/", create_player(settings, page_errors=page_errors)),
        ],
        middleware=[
            Middleware(MeasureLatency, latencies),
            allow_origins(settings.cors_origins),
            Middleware(RequestId),
            Middleware(RefuseWhileDraining, draining),
        ],
        exception_handlers={Trouble: answer_trouble, HTTPException: answer_http_exception},
        lifespan=lifespan,
    )
    # A redirect names the host that the request named, and repeats its query: a callback's token.
    app.router.redirect_slashes = False
    return app


def _with_slash(path: str) -> tuple[str, str]:
    """A path is the same with a slash at its end: Suno calls whatever CALLBACK_BASE says."""
    return path, f"{path}/"
