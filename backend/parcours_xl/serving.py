"""The two processes of a deployment: the service (with its own worker), and further workers."""

import asyncio
import signal

import structlog
import uvicorn

from parcours_xl.adapters.outside import open_outside
from parcours_xl.app import create_app
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


def serve(host: str, port: int) -> None:
    """Answer HTTP until SIGTERM or SIGINT. Raises SettingsError."""
    settings = _begin()
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        log_config=None,
        # uvicorn would write whole addresses, and a callback's carries its token.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=ANSWERS_S_MAX,
    )


def work() -> None:
    """Work until SIGTERM or SIGINT, without answering HTTP. Raises SettingsError."""
    asyncio.run(_work(_begin()))


def _begin() -> Settings:
    settings = read_settings()
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
