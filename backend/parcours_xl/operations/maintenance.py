"""Maintenance: one worker at a time judges alerts, repairs what costs nothing, and notifies."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import anyio
import structlog

from parcours_xl.clients.database import Database, SupabaseUnavailable
from parcours_xl.clients.operations_queries import OperationsQueries
from parcours_xl.clients.suno import Suno
from parcours_xl.clients.webhook import Webhook, WebhookUnavailable
from parcours_xl.errors import ParcoursError
from parcours_xl.operations.alerts import (
    firing_message,
    judge,
    notify_changes,
    read_snapshot,
)
from parcours_xl.operations.credit import read_credits
from parcours_xl.operations.repairs import Repairs, repair_for_free
from parcours_xl.operations.reserve import go_on_filling
from parcours_xl.operations.wording import seconds
from parcours_xl.services.reserve import ReserveService
from parcours_xl.settings import OUTAGE_LOOKS_MIN, Settings

ROUND_S_MAX, END_S_MAX, LEADER_LEASE_S = 100, 2, 120

assert ROUND_S_MAX + END_S_MAX < LEADER_LEASE_S, "a round ends before another worker may begin one"

log = structlog.get_logger(__name__)


class MaintenanceLoop:
    """Every worker runs one; a leader lease in the database lets one of them work at a time."""

    def __init__(
        self,
        database: Database,
        queries: OperationsQueries,
        suno: Suno,
        webhook: Webhook | None,
        repairs: Repairs,
        reserve: ReserveService,
        settings: Settings,
    ):
        self._database = database
        self._queries = queries
        self._suno = suno
        self._webhook = webhook
        self._repairs = repairs
        self._reserve = reserve
        self._settings = settings
        self._holder = uuid4().hex
        self._working = anyio.CancelScope()
        self._outage = _Outage()

    async def run(self) -> None:
        """Do a round every MAINTENANCE_EVERY_S, until `stop`."""
        with self._working:
            while True:
                await anyio.sleep(self._settings.maintenance_every_s)
                try:
                    await self.run_once()
                except Exception:
                    log.exception("maintenance.failed")

    def stop(self) -> None:
        """Stop at once: the next round repeats what was not finished."""
        self._working.cancel()

    async def run_once(self) -> bool:
        """One round. Returns False when another worker holds the leader lease."""
        with structlog.contextvars.bound_contextvars(request_id=uuid4().hex):
            try:
                is_leader = await self._take_lease()
                await self._notify_return()
                self._outage = _Outage(is_ours=is_leader)
                if not is_leader:
                    return False
                try:
                    with anyio.move_on_after(ROUND_S_MAX):
                        await self._round()
                finally:
                    with anyio.move_on_after(END_S_MAX, shield=True):
                        await self._queries.release_maintenance(self._holder)
            except SupabaseUnavailable:
                await self._notify_outage()
                return False
        return True

    async def _take_lease(self) -> bool:
        return await self._queries.acquire_maintenance(
            self._holder,
            # A little less, so that a round a minute does not become one every two.
            self._settings.maintenance_every_s * 0.9,
            LEADER_LEASE_S,
        )

    async def _round(self) -> None:
        # Notifications come before repairs, which may take the whole round.
        for work in (
            self._read_credits,
            self._judge,
            self._delete_history,
            self._repair,
            self._fill_reserve,
        ):
            await self._try(work)

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do one part; its failure does not keep the others from their work."""
        try:
            await work()
        except SupabaseUnavailable:
            raise
        except ParcoursError as error:
            log.warning("maintenance.failed", reason=error.message)
        except Exception:
            log.exception("maintenance.failed")

    async def _read_credits(self) -> None:
        await read_credits(self._database, self._queries, self._suno)

    async def _delete_history(self) -> None:
        deleted = await self._queries.delete_history(
            self._settings.events_days, self._settings.targets
        )
        if deleted.hours or deleted.events:
            log.info("maintenance.history_deleted", **deleted.model_dump())

    async def _repair(self) -> None:
        for done in await repair_for_free(self._queries, self._repairs):
            log.info("maintenance.repaired", done=done)

    async def _fill_reserve(self) -> None:
        gauges = await self._queries.read_gauges(datetime.now(UTC))
        await go_on_filling(self._reserve, self._settings, gauges)

    async def _judge(self) -> None:
        alerts = judge(await read_snapshot(self._queries, self._settings), self._settings)
        for alert in alerts:
            if alert.firing:
                log.warning("alert.firing", alert=alert.name, message=alert.message)
        await notify_changes(self._queries, self._webhook, alerts)

    async def _notify_outage(self) -> None:
        """Without a database there is no lease: only the last leader notifies."""
        outage = self._outage
        outage.misses += 1
        if outage.is_ours and not outage.told and outage.misses >= OUTAGE_LOOKS_MIN:
            says = "Supabase does not answer: no journey begins or goes on"
            outage.told = await self._notify(firing_message("supabase_unavailable", says))

    async def _notify_return(self) -> None:
        if self._outage.told:
            for_s = time.monotonic() - self._outage.since
            await self._notify(f"✅ Parcours XL: Supabase is back, after {seconds(for_s)}.")

    async def _notify(self, words: str) -> bool:
        if self._webhook is None:
            return False
        try:
            await self._webhook.send(words)
        except WebhookUnavailable:
            return False
        return True


@dataclass
class _Outage:
    """Since the last round. is_ours: this worker did it; misses: rounds without an answer."""

    is_ours: bool = False
    misses: int = 0
    told: bool = False
    since: float = field(default_factory=time.monotonic)
