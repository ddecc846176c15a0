"""What the doctor mends. Everything is judged again by the SQL function that carries it out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from parcours_xl.adapters.outside import Outside
from parcours_xl.adapters.oversight import FoundRun, FoundSegment
from parcours_xl.adapters.sql_functions import SupabaseAway
from parcours_xl.adapters.suno import SunoRefused
from parcours_xl.services.generation import ask_within_budget
from parcours_xl.services.restoring import restore_track
from parcours_xl.trouble import Postponed, Trouble

log = structlog.get_logger(__name__)

FILES_A_CALL = 100
RUNS_A_TURN, QUESTIONS_A_TURN, STORES_A_TURN, TRANSFERS_A_TURN = 200, 20, 200, 5


@dataclass(frozen=True)
class Mended:
    """done: what was done, in words; left: how many could not be mended."""

    done: str
    left: int


async def mend_safely(outside: Outside) -> list[str]:
    """What costs nothing and undoes nothing, a little at a time; what was done, in words.

    Nothing new is bought of Suno here: that is for somebody to decide.
    """
    oversight, mender = outside.oversight, Mender(outside)
    done = []
    if departed := await oversight.erase_departed():
        done.append(f"the data of {departed} deleted users was erased")
    if runs := await oversight.find_runs("unheld", None, RUNS_A_TURN):
        done.append((await mender.hold(runs)).done)
    if stuck := await oversight.find_segments("stuck", None, QUESTIONS_A_TURN):
        await mender.ask(stuck)
        done.append(f"Suno was asked about {len(stuck)} stuck segments")
    if unstored := await oversight.find_segments("unstored", None, STORES_A_TURN):
        done.append((await mender.store(unstored)).done)
    if linked := await oversight.find_segments("not_stored", None, TRANSFERS_A_TURN):
        done.append((await mender.restore(linked)).done)
    return done


class Mender:
    """One deployment's. Safe to be asked twice, by several, and beside live workers."""

    def __init__(self, outside: Outside):
        self._outside = outside
        self._oversight = outside.oversight

    async def hold(self, runs: Sequence[FoundRun]) -> Mended:
        """Runs that nobody looks after are put in hand again."""
        held = sum([await self._oversight.hold_again(run.id) for run in runs])
        return Mended(f"{held} put in hand again", 0)

    async def ask(self, segments: Sequence[FoundSegment]) -> list[FoundSegment]:
        """Ask Suno about segments that are stuck, and record what it says; of whom it could tell.

        It can of one that was never handed in, and of one that it does not know.
        """
        told = []
        for segment in segments:
            try:
                await self._ask_about(segment)
            except SupabaseAway:
                raise
            except Trouble as trouble:
                if not (isinstance(trouble, SunoRefused) and trouble.kind == "for_good"):
                    log.warning("doctor.unasked", id=str(segment.id), reason=trouble.message)
                    continue
            told.append(segment)
        return told

    async def _ask_about(self, segment: FoundSegment) -> None:
        if segment.task_id is None or segment.callback_token is None:
            return
        database = self._outside.database
        token = segment.callback_token
        event = await ask_within_budget(
            database, self._outside.suno, segment.id, token, segment.task_id
        )
        if event is not None:
            await database.record_callback(segment.id, token, event)

    async def unstick(self, segments: Sequence[FoundSegment]) -> Mended:
        """Ask Suno first; what is stuck even then is composed anew. Nothing is bought unasked."""
        told = await self.ask(segments)
        ended = await self._retry([segment.id for segment in told])
        arrived = ended["storing"] + ended["complete"]
        done = f"Suno had {arrived} of them; {ended['queued']} are composed anew"
        untold = len(segments) - len(told)
        if untold:
            done += f"; of {untold} it does not tell now"
        return Mended(done, ended["exhausted"] + ended["refused"] + untold)

    async def store(self, segments: Sequence[FoundSegment]) -> Mended:
        """Delivered tracks whose job was lost."""
        sent: Counter[str] = Counter()
        for segment in segments:
            if segment.callback_token is not None:
                sent[await self._oversight.store_again(segment.id, segment.callback_token)] += 1
        return Mended(f"{sent['sent']} jobs sent again, {sent['failed']} anew", 0)

    async def restore(self, segments: Sequence[FoundSegment]) -> Mended:
        """Complete segments without their file."""
        ended: Counter[str] = Counter()
        for segment in segments:
            try:
                ended[await restore_track(self._outside, segment)] += 1
            except SupabaseAway:
                raise
            except Postponed:
                ended["away"] += 1
        said = [f"{count} {how}" for how, count in ended.items()]
        return Mended(", ".join(said), ended["away"] + ended["linked"] + ended["lost"])

    async def compose(self, segments: Sequence[FoundSegment]) -> Mended:
        """Segments that failed: their runs are made again."""
        runs = list(dict.fromkeys(segment.run_id for segment in segments))
        ended = await self._retry(runs)
        return Mended(f"{ended['queued']} are composed anew", ended["refused"])

    async def delete(self, paths: Sequence[str]) -> Mended:
        """Files that belong to nobody."""
        for start in range(0, len(paths), FILES_A_CALL):
            await self._outside.tracks.delete(list(paths[start : start + FILES_A_CALL]))
        return Mended(f"{len(paths)} deleted", 0)

    async def send_jobs(self) -> Mended:
        """Jobs that were given up."""
        sent = dropped = 0
        while True:
            some = await self._oversight.send_again()
            if not some.sent and not some.dropped:
                break
            sent, dropped = sent + some.sent, dropped + some.dropped
        done = f"{sent} sent again"
        return Mended(done + f"; {dropped} dropped that nobody can read" * bool(dropped), 0)

    async def _retry(self, ids: Sequence[UUID]) -> Counter[str]:
        """Outcomes of the segments; 'refused' counts runs that may not be made again."""
        ended: Counter[str] = Counter()
        for one in ids:
            try:
                retried = await self._oversight.retry(one)
            except SupabaseAway:
                raise
            except Trouble as trouble:
                log.warning("doctor.refused", id=str(one), reason=trouble.message)
                ended["refused"] += 1
            else:
                ended.update(segment.outcome for segment in retried.segments)
        return ended
