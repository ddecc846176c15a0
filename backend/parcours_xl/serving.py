"""The two processes of a deployment: the service (with its own worker), and further workers."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette
from uvicorn.loops.auto import auto_loop_factory

from parcours_xl import tracing
from parcours_xl.api.connections import LimitedProtocol
from parcours_xl.api.draining import NOTICE_S_MIN, REFUSAL_S_MAX, Draining
from parcours_xl.clients.clients import Clients, open_clients
from parcours_xl.logging import set_up_logs
from parcours_xl.settings import DRAIN_S, Settings, SettingsError, read_settings
from parcours_xl.wiring import wire_maintenance, wire_worker
from parcours_xl.worker.worker import DRAIN_S_MAX, HAND_BACK_S_MAX

STOP_S_MAX = 10
"""So long after SIGTERM a worker is gone, and the service when DRAIN_S is over as well."""
CLOSING_S_MAX = 2
"""How long connections may take to close when every request has been answered."""
PLATFORM_STOP_S = 30
"""After so many seconds platforms kill what was told to stop (Kubernetes, Cloud Run, Fly)."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
ENVIRONMENT_FILE = "PARCOURS_ENV"
"""Names the file of settings to every process of the service, which uvicorn starts."""

assert DRAIN_S_MAX + HAND_BACK_S_MAX + CLOSING_S_MAX < STOP_S_MAX, "a worker's stop fits"
assert NOTICE_S_MIN + REFUSAL_S_MAX + CLOSING_S_MAX < STOP_S_MAX, "an idle service's stop fits"
assert DRAIN_S + STOP_S_MAX <= PLATFORM_STOP_S, "a busy service's stop fits the platform's patience"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Listening:
    """Where and how to listen: uvicorn's own options, under its own names."""

    host: str
    port: int
    uds: str | None
    workers: int
    proxy_headers: bool
    forwarded_allow_ips: str | None
    limit_concurrency: int | None
    backlog: int
    timeout_keep_alive: int


class CannotListen(ValueError):
    """Nothing can be served at this address; the message says why."""


def serve(listening: Listening, environment: Path | None = None) -> None:
    """Answer HTTP until SIGTERM or SIGINT. Raises SettingsError, CannotListen.

    environment: a file of settings behind those of the process.
    """
    read_settings(_env_file=environment)
    if environment is not None:
        os.environ[ENVIRONMENT_FILE] = str(environment.resolve())
    if listening.uds is None:
        _check_address(listening.host, listening.port)
    uvicorn.run(
        "parcours_xl.serving:create_service",
        factory=True,
        log_config=None,
        # uvicorn would write whole addresses, and a callback's carries its token.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=CLOSING_S_MAX,
        http=LimitedProtocol,
        # There are no WebSockets here, and their protocol would have none of these limits.
        ws="none",
        **asdict(listening),
    )


def _check_address(host: str, port: int) -> None:
    # uvicorn binds only after the application, and its worker, have started, and then ends with the
    # exit status that means here that Supabase does not answer.
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as probe:
                if os.name == "posix":  # Elsewhere it would let two programs share a port.
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        raise CannotListen(_why_not_listening(host, port, error, "--port")) from None


def _why_not_listening(host: str, port: int, error: OSError, option: str) -> str:
    """option: of the command line, takes another port."""
    if error.errno == errno.EADDRINUSE:
        why = f"another program listens there ({option} takes another)"
    else:
        why = error.strerror or str(error)
    return f"cannot listen on {host}:{port}: {why}"


def create_service() -> Starlette:
    """The application as the environment describes it; made once in each process."""
    # Workers need nothing of it, and importing it takes longer than all the rest.
    from parcours_xl.app import create_app

    environment = os.environ.get(ENVIRONMENT_FILE)
    settings, draining = _begin(Path(environment) if environment else None), Draining()
    app = create_app(settings, draining)
    opened = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(of: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        async with opened(of) as state:
            with _draining_first(draining, settings.drain_s):
                yield state or {}

    app.router.lifespan_context = lifespan
    return app


@contextmanager
def _draining_first(draining: Draining, seconds: float) -> Iterator[None]:
    """Have a signal drain first; only then uvicorn hears of it, which closes the listener."""
    loop = asyncio.get_running_loop()
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    drained: set[asyncio.Task[None]] = set()

    async def drain(number: signal.Signals) -> None:
        await draining.finish(seconds)
        handler = handlers[number]
        assert callable(handler), "uvicorn waits for these signals"
        handler(number, None)

    def stop(number: signal.Signals) -> None:
        if not draining.begun:
            log.info("service.draining", seconds=seconds, under_way=draining.under_way)
            draining.begin()
            drained.add(loop.create_task(drain(number)))
        elif number == signal.SIGINT:
            draining.hurry()  # Ctrl-C for the second time

    for number in STOP_SIGNALS:
        with contextlib.suppress(NotImplementedError):  # Windows: uvicorn's own handlers stay
            loop.add_signal_handler(number, stop, number)
    yield


def work(environment: Path | None = None, monitored_at: tuple[str, int] | None = None) -> None:
    """Work until SIGTERM or SIGINT. Raises SettingsError, also where that port is taken.

    environment: a file of settings behind those of the process. monitored_at: where /healthz,
    /readyz and /metrics are answered; without it nothing listens.
    """
    settings = _begin(environment)
    listener = None if monitored_at is None else _listen(*monitored_at)
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_work(settings, listener))


def _listen(host: str, port: int) -> socket.socket:
    """A port that is taken is told before any work is."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(_why_not_listening(host, port, error, "--metrics-port")) from error


def _begin(environment: Path | None = None) -> Settings:
    settings = read_settings(_env_file=environment)
    set_up_logs(settings.log_format, settings.log_level, settings.secrets)
    if settings.otel_exporter_otlp_endpoint:
        try:
            tracing.start_export(settings.otel_exporter_otlp_endpoint)
        except tracing.TracingNotInstalled as missing:
            raise SettingsError(str(missing)) from missing
    return settings


async def _work(settings: Settings, listener: socket.socket | None) -> None:
    async with open_clients(settings) as clients:
        worker = wire_worker(clients, settings)
        maintenance = wire_maintenance(clients, settings)
        monitor = None if listener is None else _Monitor(settings, clients)

        def stop() -> None:
            worker.stop()
            maintenance.stop()
            if monitor is not None:
                monitor.is_stopping = True

        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, stop)
        async with monitor.answering(listener) if monitor and listener else nullcontext():
            await asyncio.gather(worker.run(), maintenance.run())


class _Monitor:
    """Answers for a worker while it works, and until what it has under way is done."""

    def __init__(self, settings: Settings, clients: Clients):
        # Other workers need nothing of it, and importing it takes longer than all the rest.
        from parcours_xl.api.monitoring import Monitoring

        self.is_stopping = False
        self._monitoring = Monitoring.of(settings, clients, is_stopping=lambda: self.is_stopping)

    @asynccontextmanager
    async def answering(self, listener: socket.socket) -> AsyncIterator[None]:
        server = _QuietServer(
            uvicorn.Config(
                self._app(),
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=CLOSING_S_MAX,
            )
        )
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving

    def _app(self) -> Starlette:
        from parcours_xl.api.monitoring import MONITORING_ROUTES
        from parcours_xl.api.schemas import respond_with_error
        from parcours_xl.errors import ParcoursError

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[Mapping[str, Any]]:
            yield {"monitoring": self._monitoring}

        return Starlette(
            routes=list(MONITORING_ROUTES),
            exception_handlers={ParcoursError: respond_with_error},
            lifespan=lifespan,
        )


class _QuietServer(uvicorn.Server):
    """Leaves the signals to the worker, which it is to outlive."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
