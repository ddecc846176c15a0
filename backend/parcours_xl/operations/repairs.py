"""What is repaired by `parcours doctor --fix`, and, where that buys nothing, every minute.

Every repair is judged again by the SQL function that carries it out: to repeat one, or to run it
beside live workers, is harmless.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from parcours_xl.clients.database import Database, SupabaseUnavailable
from parcours_xl.clients.operations_queries import FoundRun, FoundSegment, OperationsQueries
from parcours_xl.clients.storage import TrackStorage
from parcours_xl.clients.suno import Suno, SunoRefused
from parcours_xl.errors import ParcoursError, RetryableError
from parcours_xl.services.generation import ask_within_budget
from parcours_xl.services.track_storage import TrackService

log = structlog.get_logger(__name__)

FILES_PER_CALL = 100
RUNS_PER_ROUND, QUESTIONS_PER_ROUND, STORES_PER_ROUND, TRANSFERS_PER_ROUND = 200, 20, 200, 5


@dataclass(frozen=True)
class Repaired:
    """message: what was done. queued: how many go on by themselves. left: how many could not."""

    message: str
    queued: int = 0
    left: int = 0


async def repair_for_free(queries: OperationsQueries, repairs: "Repairs") -> list[str]:
    """What costs nothing and undoes nothing, a little at a time; what was done, in words.

    Nothing is bought of Suno here: an operator decides that.
    """
    done = []
    if departed := await queries.erase_departed():
        done.append(f"the data of {departed} deleted users was erased")
    if runs := await queries.find_runs("unheld", None, RUNS_PER_ROUND):
        done.append((await repairs.schedule(runs)).message)
    if stuck := await queries.find_segments("stuck", None, QUESTIONS_PER_ROUND):
        await repairs.ask(stuck)
        done.append(f"Suno was asked about {len(stuck)} stuck segments")
    if unstored := await queries.find_segments("unstored", None, STORES_PER_ROUND):
        done.append((await repairs.store(unstored)).message)
    if linked := await queries.find_segments("not_stored", None, TRANSFERS_PER_ROUND):
        done.append((await repairs.restore(linked)).message)
    return done


class Repairs:
    """The repairs of one deployment."""

    def __init__(
        self,
        database: Database,
        queries: OperationsQueries,
        suno: Suno,
        storage: TrackStorage,
        tracks: TrackService,
    ):
        self._database = database
        self._queries = queries
        self._suno = suno
        self._storage = storage
        self._tracks = tracks

    async def schedule(self, runs: Sequence[FoundRun]) -> Repaired:
        """Give runs that no worker will look at a message in the queue again."""
        count = sum([await self._queries.hold_again(run.id) for run in runs])
        return Repaired(f"{count} runs queued again", queued=count)

    async def ask(self, segments: Sequence[FoundSegment]) -> list[FoundSegment]:
        """Ask Suno about stuck segments and record its answers.

        Returns those about which the answer is known: also one that was never submitted, and one
        that Suno does not know.
        """
        answered = []
        for segment in segments:
            try:
                await self._ask_about(segment)
            except SupabaseUnavailable:
                raise
            except ParcoursError as error:
                if not (isinstance(error, SunoRefused) and error.kind == "for_good"):
                    log.warning("doctor.query_failed", id=str(segment.id), reason=error.message)
                    continue
            answered.append(segment)
        return answered

    async def _ask_about(self, segment: FoundSegment) -> None:
        if segment.task_id is None or segment.callback_token is None:
            return
        token = segment.callback_token
        event = await ask_within_budget(
            self._database, self._suno, segment.id, token, segment.task_id
        )
        if event is not None:
            await self._database.record_callback(segment.id, token, event)

    async def unstick(self, segments: Sequence[FoundSegment]) -> Repaired:
        """Ask Suno first; compose again what is stuck even then, never what Suno was not asked."""
        answered = await self.ask(segments)
        ended = await self._retry([segment.id for segment in answered])
        arrived = ended["storing"] + ended["complete"]
        message = f"Suno had finished {arrived}; {ended['queued']} queued to be composed again"
        unanswered = len(segments) - len(answered)
        if unanswered:
            message += f"; Suno does not answer about {unanswered} now"
        return Repaired(
            message,
            queued=ended["queued"] + ended["storing"],
            left=ended["exhausted"] + ended["refused"] + unanswered,
        )

    async def store(self, segments: Sequence[FoundSegment]) -> Repaired:
        """Queue delivered tracks again whose job was lost."""
        sent: Counter[str] = Counter()
        for segment in segments:
            if segment.callback_token is not None:
                sent[await self._queries.store_again(segment.id, segment.callback_token)] += 1
        message = f"{sent['sent']} jobs queued again, {sent['failed']} queued to be composed again"
        return Repaired(message, queued=sent["sent"] + sent["failed"])

    async def restore(self, segments: Sequence[FoundSegment]) -> Repaired:
        """Store complete segments that have no file, now."""
        ended: Counter[str] = Counter()
        for segment in segments:
            try:
                ended[await self._tracks.restore(segment)] += 1
            except SupabaseUnavailable:
                raise
            except RetryableError:
                ended["unavailable"] += 1
        message = ", ".join(f"{count} {how}" for how, count in ended.items())
        return Repaired(message, left=ended["unavailable"] + ended["linked"] + ended["lost"])

    async def compose(self, segments: Sequence[FoundSegment]) -> Repaired:
        """Queue failed segments to be composed again. Each costs Suno credits."""
        ended = await self._retry([segment.id for segment in segments])
        message = f"{ended['queued']} queued to be composed again"
        return Repaired(message, queued=ended["queued"], left=ended["refused"])

    async def delete(self, paths: Sequence[str]) -> Repaired:
        """Delete files that no segment refers to."""
        for start in range(0, len(paths), FILES_PER_CALL):
            await self._storage.delete(list(paths[start : start + FILES_PER_CALL]))
        return Repaired(f"{len(paths)} deleted")

    async def send_jobs(self) -> Repaired:
        """Queue jobs again that were set aside; drop messages that cannot be read."""
        sent = dropped = 0
        while True:
            page = await self._queries.send_again()
            if not page.sent and not page.dropped:
                break
            sent, dropped = sent + page.sent, dropped + page.dropped
        message = f"{sent} jobs queued again"
        if dropped:
            message += f"; {dropped} unreadable messages dropped"
        return Repaired(message, queued=sent)

    async def _retry(self, ids: Sequence[UUID]) -> Counter[str]:
        """Outcomes of the segments; 'refused' counts those that may not be composed again."""
        ended: Counter[str] = Counter()
        for one in ids:
            try:
                retried = await self._queries.retry(one)
            except SupabaseUnavailable:
                raise
            except ParcoursError as error:
                log.warning("doctor.retry_refused", id=str(one), reason=error.message)
                ended["refused"] += 1
            else:
                ended.update(segment.outcome for segment in retried.segments)
        return ended
