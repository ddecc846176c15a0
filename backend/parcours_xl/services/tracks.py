"""A delivered track is fetched, checked, stored, and recorded."""

import asyncio
import tempfile
from pathlib import Path

import structlog

from parcours_xl.adapters.database import TrackJob
from parcours_xl.adapters.downloads import (
    TrackAway,
    TrackTooLarge,
    TrackUnavailable,
    UrlRefused,
)
from parcours_xl.adapters.hosts import host_of
from parcours_xl.adapters.outside import Outside
from parcours_xl.adapters.suno_events import SunoEvent
from parcours_xl.adapters.tracks import (
    UPLOAD_S_MAX,
    StorageAway,
    TrackNotStorable,
    track_path,
)
from parcours_xl.services.generation import ask

log = structlog.get_logger(__name__)


async def store_track(outside: Outside, job: TrackJob, *, last_try: bool) -> str:
    """Store one delivered track. Raises Postponed while another try may help.

    How it ended: 'stored', 'linked' (only final_url), 'failed', or 'late' and 'gone' when the
    attempt or the whole run is no more.

    last_try: what may be temporary is taken as lasting. Good music that cannot be stored is
    still handed on by its own address (runbook: "Fallback").
    """
    try:
        with tempfile.TemporaryDirectory(prefix="parcours-") as folder:
            return await _transfer(outside, job, Path(folder) / "track", last_try=last_try)
    except UrlRefused as refused:
        return await _fail(outside, job, "url_refused", {"host": refused.host}, again=False)
    except TrackUnavailable as unavailable:
        return await _fail(
            outside, job, "track_unavailable", {"message": unavailable.message}, again=True
        )
    except TrackAway as away:
        if not last_try:
            raise
        return await _fail(outside, job, "track_away", {"message": away.message}, again=True)


async def _transfer(outside: Outside, job: TrackJob, file: Path, *, last_try: bool) -> str:
    url = job.download_url if job.trusted else await _confirm(outside, job)
    try:
        return await _keep(outside, job, url, file, last_try=last_try)
    except TrackUnavailable:
        # A dead address is asked for anew, once.
        fresh = await _ask_for_address(outside, job)
        if fresh is None:
            raise
        return await _keep(outside, job, fresh, file, last_try=last_try)


async def _keep(outside: Outside, job: TrackJob, url: str, file: Path, *, last_try: bool) -> str:
    path = track_path(job.run_id, job.segment_id)
    try:
        download = await outside.downloads.fetch(url, file)
        async with asyncio.timeout(UPLOAD_S_MAX):
            await outside.tracks.store(path, file, download.content_type)
    except (TrackTooLarge, TrackNotStorable) as refused:
        log.warning("track.linked", segment_id=str(job.segment_id), reason=refused.message)
        return await _link(outside, job, url)
    except (StorageAway, TimeoutError) as away:
        if not last_try:
            raise StorageAway from away
        log.error("track.linked", segment_id=str(job.segment_id), reason="storage is away")
        return await _link(outside, job, url)
    outcome = await outside.database.record_track(
        job.segment_id, job.callback_token, path, download_url=url
    )
    if outcome == "gone":
        await outside.tracks.delete([path])
    return "stored" if outcome == "completed" else outcome


async def _confirm(outside: Outside, job: TrackJob) -> str:
    """An address on a host that is not on the list: believed only if Suno names that very one."""
    event = await _record_of(outside, job)
    if event and any(track.download_url == job.download_url for track in event.tracks):
        return job.download_url
    raise UrlRefused(host_of(job.download_url))


async def _ask_for_address(outside: Outside, job: TrackJob) -> str | None:
    event = await _record_of(outside, job)
    if event is None:
        return None
    known = [track for track in event.tracks if track.download_url]
    same = [track for track in known if track.id == job.track_id]
    return next((track.download_url for track in [*same, *known]), None)


async def _record_of(outside: Outside, job: TrackJob) -> SunoEvent | None:
    if job.task_id is None:
        return None
    event = await ask(outside.database, outside.suno, job.task_id)
    if event.stage == "pending":
        raise TrackAway("Suno does not say where the track is")
    return event


async def _link(outside: Outside, job: TrackJob, url: str) -> str:
    outcome = await outside.database.record_track(
        job.segment_id, job.callback_token, None, final_url=url
    )
    return "linked" if outcome == "completed" else outcome


async def _fail(
    outside: Outside, job: TrackJob, reason: str, detail: dict[str, str], *, again: bool
) -> str:
    log.warning("track.failed", segment_id=str(job.segment_id), reason=reason, **detail)
    return await outside.database.fail_segment(
        job.segment_id, job.callback_token, reason, detail, again=again
    )
