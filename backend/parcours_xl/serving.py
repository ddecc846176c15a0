"""The two processes of a deployment: the service (with its own worker), and further workers."""

import asyncio
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
import uvicorn
from starlette.applications import Starlette
from uvicorn.loops.auto import auto_loop_factory

from parcours_xl.adapters.outside import open_outside
from parcours_xl.logs import set_up_logs
from parcours_xl.operations.caretaker import Caretaker
from parcours_xl.settings import Settings, read_settings
from parcours_xl.worker.lane import HAND_BACK_S_MAX
from parcours_xl.worker.loop import DRAIN_S_MAX, Worker

STOP_S_MAX = 10
ANSWERS_S_MAX = 2
"""How long requests under way may still be answered after SIGTERM."""

assert ANSWERS_S_MAX + DRAIN_S_MAX + HAND_BACK_S_MAX < STOP_S_MAX, "a stop fits its promise"

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


def serve(listening: Listening) -> None:
    """Answer HTTP until SIGTERM or SIGINT. Raises SettingsError."""
    read_settings()
    uvicorn.run(
        "parcours_xl.serving:create_service",
        factory=True,
        log_config=None,
        # uvicorn would write whole addresses, and a callback's carries its token.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=ANSWERS_S_MAX,
        **asdict(listening),
    )


def create_service() -> Starlette:
    """The application as the environment describes it; made once in each process."""
    # Workers need nothing of it, and importing it takes longer than all the rest.
    from parcours_xl.app import create_app

    return create_app(_begin())


def work(environment: Path | None = None) -> None:
    """Work until SIGTERM or SIGINT, without answering HTTP. Raises SettingsError.

    environment: a file of settings behind those of the process.
    """
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_work(_begin(environment)))


def _begin(environment: Path | None = None) -> Settings:
    settings = read_settings(_env_file=environment)
    set_up_logs(settings.log_format, settings.log_level, settings.secrets)
    return settings


async def _work(settings: Settings) -> None:
    async with open_outside(settings) as outside:
        worker, caretaker = Worker(outside, settings), Caretaker(outside, settings)

        def stop() -> None:
            worker.stop()
            caretaker.stop()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        await asyncio.gather(worker.run(), caretaker.run())
