"""A delivered track is fetched, checked, stored, and recorded."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

import structlog

from parcours_xl.adapters.audio import LISTENED_S_MAX, DecoderBusy, NotPlayable, Sound
from parcours_xl.adapters.database_answers import TrackJob
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

WHOLE_SHARE_MIN = 0.9
"""A file that holds less of what Suno announced was cut off on its way, whatever its size says."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a track is said to be, and how long."""

    url: str
    announced_s: float | None


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
        source = _Source(url, job.announced_seconds)
        return await _keep(outside, job, source, file, last_try=last_try)
    except TrackUnavailable:
        # A dead address is asked for anew, once.
        fresh = await _ask_for_source(outside, job)
        if fresh is None:
            raise
        return await _keep(outside, job, fresh, file, last_try=last_try)


async def _keep(
    outside: Outside, job: TrackJob, source: _Source, file: Path, *, last_try: bool
) -> str:
    url, path = source.url, track_path(job.run_id, job.segment_id)
    try:
        download = await outside.downloads.fetch(url, file)
        sound = await _listen(outside, file, source)
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
        job.segment_id,
        job.callback_token,
        path,
        download_url=url,
        loudness_lufs=sound.loudness_lufs,
        true_peak_dbtp=sound.true_peak_dbtp,
    )
    if outcome == "gone":
        await outside.tracks.delete([path])
    return "stored" if outcome == "completed" else outcome


async def _listen(outside: Outside, file: Path, source: _Source) -> Sound:
    """How a track sounds. TrackUnavailable when it does not play, is silent, or is not whole."""
    try:
        sound = await outside.audio.measure(file)
    except NotPlayable as error:
        raise TrackUnavailable(error.message) from error
    except DecoderBusy as error:
        raise TrackAway(error.message) from error
    if sound.silent:
        raise TrackUnavailable("the track is silent throughout")
    announced_s = min(source.announced_s or 0, LISTENED_S_MAX)
    if sound.seconds < WHOLE_SHARE_MIN * announced_s:
        raise TrackUnavailable(f"{sound.seconds:.0f} s of the announced {announced_s:.0f} s came")
    return sound


async def _confirm(outside: Outside, job: TrackJob) -> str:
    """An address on a host that is not on the list: believed only if Suno names that very one."""
    event = await _record_of(outside, job)
    if event and any(track.download_url == job.download_url for track in event.tracks):
        return job.download_url
    raise UrlRefused(host_of(job.download_url))


async def _ask_for_source(outside: Outside, job: TrackJob) -> _Source | None:
    event = await _record_of(outside, job)
    if event is None:
        return None
    # The preview is of one track, and its final is no other (runbook: Lecture).
    known = (
        _Source(track.download_url, track.duration_seconds)
        for track in event.tracks
        if track.download_url and job.track_id in (None, track.id)
    )
    return next(known, None)


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
