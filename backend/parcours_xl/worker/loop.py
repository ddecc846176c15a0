"""The loop around the lanes: a tick every 2.5 s, or when woken (docs/specification.md#timings)."""

import asyncio
import contextlib
from typing import Any

import structlog

from parcours_xl.adapters.database import GENERATION_QUEUE, TRACKS_QUEUE
from parcours_xl.adapters.outside import Outside
from parcours_xl.settings import Settings
from parcours_xl.trouble import Postponed
from parcours_xl.worker.lane import Lane, Tally
from parcours_xl.worker.steps import Steps
from parcours_xl.worker.storing import Storing

DRAIN_S_MAX = 5
"""What is under way at a stop may take so long; the process is gone within 10 s."""

log = structlog.get_logger(__name__)


class Worker:
    """Any number of these, in any number of processes, share the work."""

    def __init__(self, outside: Outside, settings: Settings):
        steps, storing = Steps(outside, settings), Storing(outside, settings)
        database = outside.database
        self._steps = Lane(GENERATION_QUEUE, settings.steps_max, database, steps.take, steps.do)
        self._storing = Lane(
            TRACKS_QUEUE, settings.transfers_max, database, storing.take, storing.do
        )
        self._tick_s = settings.worker_tick_s
        self._bell = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """There may be work now: do not wait for the next tick."""
        self._bell.set()

    async def work_once(self) -> Tally:
        """Do everything that is due now, and count how it ended."""
        return await self._steps.work_once() + await self._storing.work_once()

    async def run(self) -> None:
        """Work until `stop`; then finish or hand back what is under way."""
        log.info("worker.started", tick_s=self._tick_s)
        try:
            while not self._stopping:
                await self._tick()
        finally:
            await asyncio.gather(self._steps.drain(DRAIN_S_MAX), self._storing.drain(DRAIN_S_MAX))
            log.info("worker.stopped")

    def stop(self) -> None:
        """Take no more work."""
        self._stopping = True
        self.wake()

    async def _tick(self) -> None:
        # Cleared before looking: whoever rings meanwhile is heard on the next turn.
        self._bell.clear()
        for lane in (self._steps, self._storing):
            await self._look(lane)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), self._tick_s)

    async def _look(self, lane: Lane[Any]) -> None:
        try:
            await lane.start_due_jobs(self.wake)
        except Postponed:
            log.warning("worker.supabase_away", queue=lane.queue)
        except Exception:
            log.exception("worker.broke", queue=lane.queue)
