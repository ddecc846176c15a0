"""What to do with a job of the tracks queue."""

import structlog

from parcours_xl.adapters.database import TRACKS_QUEUE, TrackJob
from parcours_xl.adapters.outside import Outside
from parcours_xl.services.tracks import store_track
from parcours_xl.settings import Settings
from parcours_xl.trouble import Postponed

log = structlog.get_logger(__name__)


class Storing:
    """Stores tracks, with pauses between the tries, and never without an end."""

    def __init__(self, outside: Outside, settings: Settings):
        self._outside = outside
        self._pauses_s = settings.storing_pauses_s

    async def take(self, quantity: int, lease_s: int) -> list[TrackJob]:
        return await self._outside.database.take_track_jobs(quantity, lease_s)

    async def do(self, job: TrackJob) -> str:
        """Store one track, or hand it back for the next pause."""
        if not job.current:
            outcome = "late"
        else:
            last_try = job.read_ct > len(self._pauses_s)
            try:
                outcome = await store_track(self._outside, job, last_try=last_try)
            except Postponed as postponed:
                pause_s = 1.0 if last_try else self._pauses_s[job.read_ct - 1]
                postponed.wait_s = max(pause_s, postponed.wait_s or 0)
                raise
        await self._outside.database.finish_job(TRACKS_QUEUE, job)
        log.info("track.done", segment_id=str(job.segment_id), outcome=outcome)
        return outcome
