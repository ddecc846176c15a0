"""What to do with a job of the tracks queue."""

import structlog

from parcours_xl.clients.clients import Clients
from parcours_xl.clients.database import TRACKS_QUEUE
from parcours_xl.clients.database_results import EraseJob, TrackJob
from parcours_xl.clients.storage import track_path
from parcours_xl.errors import RetryableError
from parcours_xl.services.track_storage import store_track
from parcours_xl.settings import Settings

ERASE_PAUSE_S_MAX = 600
"""Files of erased runs are never given up, whatever becomes of Storage meanwhile."""
TRANSFERS_RESERVED = 1
"""So many transfers at once are for nobody who asks for much: their crowd holds no one else up."""

log = structlog.get_logger(__name__)


class TrackHandler:
    """Stores tracks, with pauses between the tries and an end; erases files until they are gone."""

    def __init__(self, clients: Clients, settings: Settings):
        self._clients = clients
        self._pauses_s = settings.storing_pauses_s
        self._reserved = min(TRANSFERS_RESERVED, settings.transfers_max - 1)

    async def take(self, quantity: int, lease_s: int) -> list[TrackJob | EraseJob]:
        return await self._clients.database.take_track_jobs(quantity, lease_s, self._reserved)

    async def do(self, job: TrackJob | EraseJob) -> str:
        """Do one job, or hand it back for the next pause."""
        if isinstance(job, EraseJob) or job.gone:
            outcome = await self._erase(job)
        else:
            outcome = await self._store(job)
        await self._clients.database.finish_job(TRACKS_QUEUE, job)
        return outcome

    async def _store(self, job: TrackJob) -> str:
        if not job.current:
            outcome = "late"
        else:
            last_try = job.read_ct > len(self._pauses_s)
            try:
                outcome = await store_track(self._clients, job, last_try=last_try)
            except RetryableError as error:
                pause_s = 1.0 if last_try else self._pauses_s[job.read_ct - 1]
                error.wait_s = max(pause_s, error.wait_s or 0)
                raise
            except Exception:
                if not last_try:
                    raise
                # What breaks every time would keep its run waiting for ever.
                log.exception("track.error", segment_id=str(job.segment_id))
                outcome = await self._clients.database.fail_segment(
                    job.segment_id, job.callback_token, "storing_broke"
                )
        log.info("track.done", segment_id=str(job.segment_id), outcome=outcome)
        return outcome

    async def _erase(self, job: TrackJob | EraseJob) -> str:
        try:
            if isinstance(job, TrackJob):
                await self._clients.storage.delete([track_path(job.run_id, job.segment_id)])
            elif job.current:
                files = await self._clients.storage.erase_run(job.run_id)
                await self._clients.database.record_erasures([job.run_id])
                log.info("run.erased", files=files)
        except RetryableError as error:
            error.wait_s = min(2.0 ** min(job.read_ct, 10), ERASE_PAUSE_S_MAX)
            raise
        return "erased"
