"""What one worker at a time does for all, every minute: look, mend what is safe, tell."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

import anyio
import structlog

from parcours_xl.adapters.outside import Outside
from parcours_xl.adapters.sql_functions import SupabaseAway
from parcours_xl.adapters.webhook import NobodyListens
from parcours_xl.operations.alerts import judge
from parcours_xl.operations.credit import read_credits
from parcours_xl.operations.mending import mend_safely
from parcours_xl.operations.telling import say_began, tell_changes
from parcours_xl.operations.watching import keep_watch
from parcours_xl.operations.wording import seconds
from parcours_xl.settings import Settings
from parcours_xl.trouble import Trouble

TURN = "caretaker"
TURN_S_MAX, END_S_MAX, LEASE_S = 100, 2, 120
LOOKS_MISSED_MAX = 2

assert TURN_S_MAX + END_S_MAX < LEASE_S, "a turn is over before somebody else may take it"

log = structlog.get_logger(__name__)


class Caretaker:
    """Every worker has one; a lease in the database lets one of them look at a time."""

    def __init__(self, outside: Outside, settings: Settings):
        self._outside = outside
        self._settings = settings
        self._holder = uuid4().hex
        self._working = anyio.CancelScope()
        self._away = _Away()

    async def run(self) -> None:
        """Look every minute, until `stop`."""
        with self._working:
            while True:
                await anyio.sleep(self._settings.caretaker_every_s)
                try:
                    await self.look_once()
                except Exception:
                    log.exception("caretaker.broke")

    def stop(self) -> None:
        """Leave off at once: whatever is half done is looked at again."""
        self._working.cancel()

    async def look_once(self) -> bool:
        """Whether it was this one's turn."""
        with structlog.contextvars.bound_contextvars(request_id=uuid4().hex):
            try:
                is_mine = await self._take_turn()
                await self._tell_return()
                self._away = _Away(mine=is_mine)
                if not is_mine:
                    return False
                try:
                    with anyio.move_on_after(TURN_S_MAX):
                        await self._look()
                finally:
                    with anyio.move_on_after(END_S_MAX, shield=True):
                        await self._outside.oversight.end_turn(TURN, self._holder)
            except SupabaseAway:
                await self._tell_away()
                return False
        return True

    async def _take_turn(self) -> bool:
        return await self._outside.oversight.take_turn(
            # A little less, so that a turn a minute does not become one every two.
            TURN,
            self._holder,
            self._settings.caretaker_every_s * 0.9,
            LEASE_S,
        )

    async def _look(self) -> None:
        # Telling comes before mending, which may take all of the turn.
        for work in (self._read_credits, self._judge, self._mend):
            await self._try(work)

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        """What one part cannot do keeps no other from its work."""
        try:
            await work()
        except SupabaseAway:
            raise
        except Trouble as trouble:
            log.warning("caretaker.hindered", reason=trouble.message)
        except Exception:
            log.exception("caretaker.broke")

    async def _read_credits(self) -> None:
        await read_credits(self._outside)

    async def _mend(self) -> None:
        for done in await mend_safely(self._outside):
            log.info("caretaker.mended", done=done)

    async def _judge(self) -> None:
        outside = self._outside
        alerts = judge(await keep_watch(outside.oversight, self._settings), self._settings)
        for alert in alerts:
            if alert.burning:
                log.warning("alert.burns", alert=alert.name, says=alert.says)
        await tell_changes(outside.oversight, outside.webhook, alerts)

    async def _tell_away(self) -> None:
        """Without a database there is no lease: whoever had it last tells, and nobody else."""
        away = self._away
        away.misses += 1
        if away.mine and not away.told and away.misses >= LOOKS_MISSED_MAX:
            says = "Supabase does not answer: no journey begins or goes on"
            away.told = await self._tell(say_began("supabase_away", says))

    async def _tell_return(self) -> None:
        if self._away.told:
            for_s = time.monotonic() - self._away.since
            await self._tell(f"✅ Parcours XL: Supabase is back, after {seconds(for_s)}.")

    async def _tell(self, words: str) -> bool:
        if self._outside.webhook is None:
            return False
        try:
            await self._outside.webhook.tell(words)
        except NobodyListens:
            return False
        return True


@dataclass
class _Away:
    """Since somebody last looked. mine: it was this one; misses: looks that came to nothing."""

    mine: bool = False
    misses: int = 0
    told: bool = False
    since: float = field(default_factory=time.monotonic)
