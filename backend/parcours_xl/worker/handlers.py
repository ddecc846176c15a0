"""What to do with the jobs of the two queues: the steps of a run, and delivered tracks."""

import structlog

from parcours_xl.clients.database import (
    TRACKS_QUEUE,
    AttemptsUsedUp,
    Database,
    EraseJob,
    Step,
    TrackJob,
)
from parcours_xl.clients.storage import TrackStorage, track_path
from parcours_xl.clients.suno import Suno, SunoOutcomeUnknown, SunoRefused, SunoUnavailable
from parcours_xl.errors import PermanentError, RetryableError
from parcours_xl.services.generation import CreditsSpent, ask_about_segment, submit_segment
from parcours_xl.services.track_storage import TrackService
from parcours_xl.settings import Settings

log = structlog.get_logger(__name__)


class RunHandler:
    """Carries steps out. Each is judged again, by the SQL function that it calls."""

    def __init__(self, database: Database, suno: Suno, settings: Settings):
        self._database = database
        self._suno = suno
        self._settings = settings

    async def take(self, quantity: int, lease_s: int) -> list[Step]:
        return await self._database.next_steps(quantity, lease_s)

    async def do(self, step: Step) -> str:
        """Carry one step out. What it changes sets the run's next deadline by itself."""
        match step.action:
            case "submit":
                return await self._submit(step)
            case "ask":
                return await self._ask(step)
            case "retry":
                return await self._retry(step)
            case "give_up":
                return await self._give_up(step)
            case _:
                released = await self._database.release_run(step.run_id)
                return "settled" if released else "resumed"

    async def _submit(self, step: Step) -> str:
        # While the quota is full the step is handed back: whose turn is next is for next_steps to
        # say, and a run that came later may be it.
        try:
            claim = await submit_segment(
                self._database,
                self._suno,
                self._settings.callback_base,
                segment_id=step.segment_id,
            )
        except (SunoRefused, SunoUnavailable, SunoOutcomeUnknown) as error:
            log.warning("segment.not_submitted", reason=error.message)
            return "refused"
        except AttemptsUsedUp:
            return await self._give_up_exhausted(step)
        except CreditsSpent:
            return "waits"
        return "skipped" if claim.outcome == "skipped" else "submitted"

    async def _give_up_exhausted(self, step: Step) -> str:
        assert step.segment_id and step.callback_token, "a submission names its attempt"
        return await self._database.fail_segment(
            step.segment_id, step.callback_token, "attempts_used_up"
        )

    async def _ask(self, step: Step) -> str:
        assert step.segment_id and step.callback_token and step.task_id, "a question names a task"
        try:
            changed = await ask_about_segment(
                self._database,
                self._suno,
                step.segment_id,
                step.callback_token,
                step.task_id,
            )
        except PermanentError:
            return "late"
        return "learned" if changed else "asked"

    async def _retry(self, step: Step) -> str:
        assert step.segment_id and step.callback_token, "a retry names its attempt"
        return await self._database.retry_segment(step.segment_id, step.callback_token)

    async def _give_up(self, step: Step) -> str:
        assert step.segment_id and step.callback_token, "giving up names its attempt"
        return await self._database.fail_segment(step.segment_id, step.callback_token, "timeout")


ERASE_PAUSE_S_MAX = 600
"""Files of erased runs are never given up, whatever becomes of Storage meanwhile."""
TRANSFERS_RESERVED = 1
"""So many transfers at once are kept for users who ask for little: the tracks of those who ask for
much never hold them up."""


class TrackHandler:
    """Stores tracks, with pauses between the tries and an end; erases files until they are gone."""

    def __init__(
        self, database: Database, storage: TrackStorage, tracks: TrackService, settings: Settings
    ):
        self._database = database
        self._storage = storage
        self._tracks = tracks
        self._pauses_s = settings.storing_pauses_s
        self._reserved = min(TRANSFERS_RESERVED, settings.transfers_max - 1)

    async def take(self, quantity: int, lease_s: int) -> list[TrackJob | EraseJob]:
        return await self._database.take_track_jobs(quantity, lease_s, self._reserved)

    async def do(self, job: TrackJob | EraseJob) -> str:
        """Do one job, or hand it back for the next pause."""
        if isinstance(job, EraseJob) or job.gone:
            outcome = await self._erase(job)
        else:
            outcome = await self._store(job)
        await self._database.finish_job(TRACKS_QUEUE, job)
        return outcome

    async def _store(self, job: TrackJob) -> str:
        if not job.current:
            outcome = "late"
        else:
            last_try = job.read_ct > len(self._pauses_s)
            try:
                outcome = await self._tracks.store(job, last_try=last_try)
            except RetryableError as error:
                pause_s = 1.0 if last_try else self._pauses_s[job.read_ct - 1]
                error.wait_s = max(pause_s, error.wait_s or 0)
                raise
            except Exception:
                if not last_try:
                    raise
                # What breaks every time would keep its run waiting for ever.
                log.exception("track.error", segment_id=str(job.segment_id))
                outcome = await self._database.fail_segment(
                    job.segment_id, job.callback_token, "storing_broke"
                )
        log.info("track.done", segment_id=str(job.segment_id), outcome=outcome)
        return outcome

    async def _erase(self, job: TrackJob | EraseJob) -> str:
        try:
            if isinstance(job, TrackJob):
                await self._storage.delete([track_path(job.run_id, job.segment_id)])
            elif job.current:
                files = await self._storage.erase_run(job.run_id)
                await self._database.record_erasures([job.run_id])
                log.info("run.erased", files=files)
        except RetryableError as error:
            error.wait_s = min(2.0 ** min(job.read_ct, 10), ERASE_PAUSE_S_MAX)
            raise
        return "erased"
