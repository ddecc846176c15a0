"""Both simulated vendors on real ports, in one process."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

SHUTDOWN_S_MAX = 2


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError when the port is taken."""
    listener = socket.create_server((host, port), backlog=512)
    # asyncio does so only for sockets it made itself; without, each answer may take 40 ms more.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> str:
    """The URL at which a socket listens."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


async def serve(apps: Mapping[str, tuple[ASGIApp, socket.socket]]) -> None:
    """Serve each application on its socket, tell when it answers, until SIGTERM or SIGINT."""
    servers = [_Server(name, app, listener) for name, (app, listener) in apps.items()]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for received in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(received, stop.set)
    async with asyncio.TaskGroup() as group:
        for server in servers:
            group.create_task(server.serve([server.listener]))
        await stop.wait()
        # Transfers that are cut off now are no errors worth a traceback.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        for server in servers:
            server.should_exit = True


class _Server(uvicorn.Server):
    """A server that tells when it answers, and leaves the process's signals alone."""

    def __init__(self, name: str, app: ASGIApp, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="error",
                access_log=False,
                timeout_graceful_shutdown=SHUTDOWN_S_MAX,
            )
        )
        self.name, self.listener = name, listener

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"{self.name}: {address_of(self.listener)}\n")
        sys.stdout.flush()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
