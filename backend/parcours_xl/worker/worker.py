"""The worker: one consumer a queue, every 2.5 s, or when there is work.

See docs/specification.md#timings.
"""

import asyncio
import contextlib
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar
from uuid import uuid4

import anyio
import structlog

from parcours_xl import tracing
from parcours_xl.clients.database import GENERATION_QUEUE, TRACKS_QUEUE, Database, Job
from parcours_xl.clients.storage import TrackStorage
from parcours_xl.clients.suno import Suno
from parcours_xl.errors import PermanentError, RetryableError
from parcours_xl.services.track_storage import TrackService
from parcours_xl.settings import Settings
from parcours_xl.telemetry import JOB_SECONDS
from parcours_xl.worker.handlers import RunHandler, TrackHandler

log = structlog.get_logger(__name__)

LEASE_S, LEASE_RENEWAL_S = 60, 20
HAND_BACK_S_MAX = 2

assert LEASE_RENEWAL_S * 2 < LEASE_S, "a lease outlives a missed renewal"


AnyJob = TypeVar("AnyJob", bound=Job)
Tally = Counter[str]


class QueueConsumer(Generic[AnyJob]):
    """Takes no more jobs than it has free slots, keeps each one's lease, hands back what it must.

    take: the due jobs, leased. do: one job, answering how it ended; it settles the message
    itself. RetryableError out of `do` hands the job back for `wait_s` seconds.
    """

    def __init__(
        self,
        queue: str,
        slots: int,
        database: Database,
        take: Callable[[int, int], Awaitable[Sequence[AnyJob]]],
        do: Callable[[AnyJob], Awaitable[str]],
    ):
        self.queue = queue
        self._slots = slots
        self._database = database
        self._take = take
        self._do = do
        self._running: set[asyncio.Task[str]] = set()

    async def start_due_jobs(self, when_done: Callable[[], None]) -> int:
        """Start as many due jobs as there are free slots; how many were started."""
        free = self._slots - len(self._running)
        if free <= 0:
            return 0
        jobs = await self._take(free, LEASE_S)
        for job in jobs:
            task = asyncio.create_task(self._work(job))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            task.add_done_callback(lambda _: when_done())
        return len(jobs)

    async def work_once(self) -> Tally:
        """Do what is due now, and count how it ended."""
        jobs = await self._take(self._slots, LEASE_S)
        return Counter(await asyncio.gather(*(self._work(job) for job in jobs)))

    async def drain(self, seconds: float) -> None:
        """Let what runs finish for so long; what does not is cancelled and handed back."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _work(self, job: AnyJob) -> str:
        # What nobody asked for by a request has an id of its own, one a job.
        names = {"run_id": str(job.run_id), "request_id": job.request_id or uuid4().hex}
        with structlog.contextvars.bound_contextvars(**names):
            lease_renewal = asyncio.create_task(self._renew_lease(job))
            started_at, outcome = time.perf_counter(), "cancelled"
            try:
                with tracing.span(f"job {self._name_of(job)}", parent=job.trace):
                    outcome = await self._do(job)
            except RetryableError as error:
                outcome = "handed_back"
                log.info("job.handed_back", queue=self.queue, reason=error.message)
                await self._hand_back(job, error.wait_s or 1)
            except PermanentError as refused:
                log.warning("job.refused", queue=self.queue, reason=refused.message)
                outcome = "refused"
            except asyncio.CancelledError:
                with anyio.CancelScope(shield=True):
                    await self._hand_back(job, 0)
                raise
            except Exception:
                # The lease ends by itself: whatever broke here may work elsewhere, or later. What
                # breaks every time is set aside by whoever takes it next (next_steps in SQL).
                log.exception("job.failed", queue=self.queue)
                outcome = "broken"
            finally:
                lease_renewal.cancel()
                JOB_SECONDS.labels(self.queue, outcome).observe(time.perf_counter() - started_at)
            log.debug("job.done", queue=self.queue, outcome=outcome)
        return outcome

    def _name_of(self, job: AnyJob) -> str:
        what = getattr(job, "action", None) or getattr(job, "kind", "")
        return f"{self.queue} {what}".rstrip()

    async def _renew_lease(self, job: AnyJob) -> None:
        while True:
            await asyncio.sleep(LEASE_RENEWAL_S)
            try:
                await self._database.postpone_job(self.queue, job, LEASE_S)
            except Exception as error:  # whatever it is: the next renewal may work
                log.warning("lease.not_renewed", queue=self.queue, why=type(error).__name__)

    async def _hand_back(self, job: AnyJob, wait_s: float) -> None:
        try:
            with anyio.fail_after(HAND_BACK_S_MAX):
                await self._database.postpone_job(
                    self.queue, job, max(0, math.ceil(wait_s)), handed_back=True
                )
        except (RetryableError, TimeoutError):
            log.warning("job.not_returned", queue=self.queue)


DRAIN_S_MAX = 5
"""What is under way at a stop may take so long; the process is gone within 10 s."""


class Worker:
    """Any number of these, in any number of processes, share the work."""

    def __init__(
        self,
        database: Database,
        suno: Suno,
        storage: TrackStorage,
        tracks: TrackService,
        settings: Settings,
    ):
        run_handler = RunHandler(database, suno, settings)
        track_handler = TrackHandler(database, storage, tracks, settings)
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
