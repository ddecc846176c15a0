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

from parcours_xl.api.connections import Connections
from parcours_xl.api.cors import allow_origins
from parcours_xl.api.draining import BackgroundWork, Draining, RejectWhileDraining
from parcours_xl.api.latency import Latencies, MeasureLatency
from parcours_xl.api.monitoring import MONITORING_ROUTES, Monitoring
from parcours_xl.api.openapi import describe_functions
from parcours_xl.api.page_errors import PageErrors
from parcours_xl.api.request_id import RequestId
from parcours_xl.api.routes import FUNCTION_ROUTES
from parcours_xl.api.runner import runner_logs
from parcours_xl.api.schemas import respond_with_error, respond_with_http_error
from parcours_xl.api.state import AppState
from parcours_xl.clients.brief_writer import open_brief_writer
from parcours_xl.clients.clients import open_clients
from parcours_xl.errors import ParcoursError
from parcours_xl.player.pages import create_player
from parcours_xl.settings import Settings
from parcours_xl.wiring import wire_maintenance, wire_worker

RUNNER_LOGS = "/parcours-xl-runner/logs"

log = structlog.get_logger(__name__)


class _State(TypedDict):
    """connections: for the protocol, which is no part of the application."""

    app_state: AppState
    connections: Connections
    monitoring: Monitoring


async def openapi(_: Request) -> Response:
    """The description of the functions, for people and generators of clients."""
    return JSONResponse(describe_functions())


def create_app(settings: Settings, draining: Draining | None = None) -> Starlette:
    """The ASGI application of one deployment. draining: begun by whoever is told to stop."""

    latencies = Latencies([route.name for route in FUNCTION_ROUTES])
    page_errors = PageErrors()
    connections = Connections(settings.connections_per_client_max, settings.connections_max)
    draining = draining or Draining()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[_State]:
        if warning := settings.callback_warning():
            log.warning("callback_base.unreachable", why=warning, then="record-info is asked")
        async with open_clients(settings) as clients, open_brief_writer(settings) as brief_writer:
            worker, maintenance = (
                wire_worker(clients, settings),
                wire_maintenance(clients, settings),
            )
            background = BackgroundWork(draining)
            # They stop beside the requests, not after them.
            draining.when_begun(worker.stop, maintenance.stop)
            working = [
                asyncio.create_task(one.run())
                for one in (worker, maintenance)
                if settings.worker_in_process
            ]
            try:
                yield {
                    "app_state": AppState(
                        settings,
                        clients,
                        brief_writer,
                        worker.wake,
                        background,
                    ),
                    "connections": connections,
                    "monitoring": Monitoring.of(
                        settings,
                        clients,
                        latencies.registry,
                        page_errors.registry,
                        connections.registry,
                        is_stopping=lambda: draining.begun,
                    ),
                }
            finally:
                worker.stop()
                maintenance.stop()
                await background.close()
                await asyncio.gather(*working)

    routes = [
        Route(path, route.handler, methods=["POST"])
        for route in FUNCTION_ROUTES
        for path in _with_slash(f"/{route.name}")
    ]
    routes += [
        Route(path, runner_logs, methods=["GET"])
        for path in _with_slash("/parcours-xl-runner/logs")
    ]
    app = Starlette(
        routes=[
            Mount("/functions/v1", Router(routes, redirect_slashes=False)),
            Route("/openapi.json", openapi),
            *MONITORING_ROUTES,
            Mount("/", create_player(settings, page_errors=page_errors)),
        ],
        middleware=[
            Middleware(MeasureLatency, latencies),
            allow_origins(settings.cors_origins),
            Middleware(RequestId),
            Middleware(RejectWhileDraining, draining),
        ],
        exception_handlers={
            ParcoursError: respond_with_error,
            HTTPException: respond_with_http_error,
        },
        lifespan=lifespan,
    )
    # A redirect names the host that the request named, and repeats its query: a callback's token.
    app.router.redirect_slashes = False
    return app


def _with_slash(path: str) -> tuple[str, str]:
    """A path is the same with a slash at its end: Suno calls whatever CALLBACK_BASE says."""
    return path, f"{path}/"
