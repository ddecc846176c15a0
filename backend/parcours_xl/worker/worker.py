"""The loop around the lanes: a tick every 2.5 s, or when woken (docs/specification.md#timings)."""

import asyncio
import contextlib
from typing import Any

import structlog

from parcours_xl.clients.clients import Clients
from parcours_xl.clients.database import GENERATION_QUEUE, TRACKS_QUEUE
from parcours_xl.errors import RetryableError
from parcours_xl.settings import Settings
from parcours_xl.worker.queue_consumer import QueueConsumer, Tally
from parcours_xl.worker.run_handler import RunHandler
from parcours_xl.worker.track_handler import TrackHandler

DRAIN_S_MAX = 5
"""What is under way at a stop may take so long; the process is gone within 10 s."""

log = structlog.get_logger(__name__)


class Worker:
    """Any number of these, in any number of processes, share the work."""

    def __init__(self, clients: Clients, settings: Settings):
        run_handler, track_handler = RunHandler(clients, settings), TrackHandler(clients, settings)
        database = clients.database
        self._runs = QueueConsumer(
            GENERATION_QUEUE, settings.steps_max, database, run_handler.take, run_handler.do
        )
        self._tracks = QueueConsumer(
            TRACKS_QUEUE, settings.transfers_max, database, track_handler.take, track_handler.do
        )
        self._tick_s = settings.worker_tick_s
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """There may be work now: do not wait for the next tick."""
        self._woken.set()

    async def work_once(self) -> Tally:
        """Do everything that is due now, and count how it ended."""
        return await self._runs.work_once() + await self._tracks.work_once()

    async def run(self) -> None:
        """Work until `stop`; then finish or hand back what is under way."""
        log.info("worker.started", tick_s=self._tick_s)
        try:
            while not self._stopping:
                await self._tick()
        finally:
            await asyncio.gather(self._runs.drain(DRAIN_S_MAX), self._tracks.drain(DRAIN_S_MAX))
            log.info("worker.stopped")

    def stop(self) -> None:
        """Take no more work."""
        self._stopping = True
        self.wake()

    async def _tick(self) -> None:
        # Cleared before looking: a wake-up meanwhile counts for the next tick.
        self._woken.clear()
        for consumer in (self._runs, self._tracks):
            await self._start_due_jobs(consumer)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), self._tick_s)

    async def _start_due_jobs(self, consumer: QueueConsumer[Any]) -> None:
        try:
            await consumer.start_due_jobs(self.wake)
        except RetryableError:
            log.warning("worker.supabase_unavailable", queue=consumer.queue)
        except Exception:
            log.exception("worker.failed", queue=consumer.queue)
