"""One queue and what is done with its jobs, a few at a time."""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar
from uuid import uuid4

import anyio
import structlog

from parcours_xl.clients.database import Database
from parcours_xl.clients.database_results import Job
from parcours_xl.errors import PermanentError, RetryableError

LEASE_S, LEASE_RENEWAL_S = 60, 20
HAND_BACK_S_MAX = 2

assert LEASE_RENEWAL_S * 2 < LEASE_S, "a lease outlives a missed renewal"

log = structlog.get_logger(__name__)

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
            try:
                outcome = await self._do(job)
            except RetryableError as error:
                outcome = "postponed"
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
                # breaks every time is set aside by whoever takes it next (take_due in SQL).
                log.exception("job.failed", queue=self.queue)
                outcome = "broken"
            finally:
                lease_renewal.cancel()
            log.debug("job.done", queue=self.queue, outcome=outcome)
        return outcome

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
