"""A complete segment without its file gets it (again), while its music can still be had."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import structlog

from parcours_xl.adapters.audio import Sound
from parcours_xl.adapters.downloads import (
    Download,
    TrackAway,
    TrackTooLarge,
    TrackUnavailable,
    UrlRefused,
)
from parcours_xl.adapters.outside import Outside
from parcours_xl.adapters.oversight import FoundSegment
from parcours_xl.adapters.suno import SunoBusy, SunoRefused, SunoSilent
from parcours_xl.adapters.suno_events import SunoTrack
from parcours_xl.adapters.tracks import UPLOAD_S_MAX, StorageAway, TrackNotStorable, track_path
from parcours_xl.services.generation import look_up
from parcours_xl.services.tracks import fetch_music

log = structlog.get_logger(__name__)

Restored = Literal["stored", "linked", "away", "lost"]


async def restore_track(outside: Outside, segment: FoundSegment) -> Restored:
    """Store a track again, from wherever it can still be had.

    See docs/runbook.md#failed-to-sign-url.

    'linked': it lives, and is played from its own address. 'away': another time. 'lost': no
    address of it is left, and Suno, asked, knows none. Raises SunoQuotaFull.
    """
    oversight = outside.oversight
    with outside.temporary_files.folder() as folder:
        file = folder / "track"
        try:
            found = await _fetch(outside, segment, file)
        except TrackAway:
            await oversight.record_unrestored(segment.id, lost=False)
            return "away"
        if found is None:
            await oversight.record_unrestored(segment.id, lost=True)
            return "lost"
        url, music = found
        if music is None:
            await oversight.record_restored(segment.id, None, url)
            return "linked"
        download, sound = music
        path = track_path(segment.run_id, segment.id)
        try:
            async with asyncio.timeout(UPLOAD_S_MAX):
                await outside.tracks.store(path, file, download.content_type)
        except (TrackNotStorable, StorageAway, TimeoutError):
            await oversight.record_restored(segment.id, None, url)
            return "linked"
    if await oversight.record_restored(segment.id, path, sound=sound) == "gone":
        await outside.tracks.delete([path])
    log.info("track.restored", segment_id=str(segment.id))
    return "stored"


async def _fetch(
    outside: Outside, segment: FoundSegment, file: Path
) -> tuple[str, tuple[Download, Sound] | None] | None:
    """The first address that still gives the music; nothing beside it where it is too large to
    keep. TrackAway if one may do so later.
    """
    away: TrackAway | None = None
    async for url in _addresses(outside, segment):
        try:
            # Every one of them was confirmed when it was kept, or Suno names it now.
            return url, await fetch_music(outside, url, file, None, frozenset({url}))
        except TrackTooLarge:
            return url, None
        except TrackAway as error:
            away = error
        except (TrackUnavailable, UrlRefused) as error:
            log.info("track.not_restored", segment_id=str(segment.id), reason=error.message)
    if away is not None:
        raise away
    return None


async def _addresses(outside: Outside, segment: FoundSegment) -> AsyncIterator[str]:
    """The addresses that are known, then what Suno names when it is asked.

    TrackAway when Suno does not say: what it may still have is not lost.
    """
    known = [url for url in (segment.download_url, segment.final_url) if url]
    for url in dict.fromkeys(known):
        yield url
    for track in await _ask_for_tracks(outside, segment):
        is_ours = segment.track_id is None or track.id == segment.track_id
        if is_ours and track.download_url and track.download_url not in known:
            yield track.download_url


async def _ask_for_tracks(outside: Outside, segment: FoundSegment) -> tuple[SunoTrack, ...]:
    if segment.task_id is None:
        return ()
    try:
        event = await look_up(outside.database, outside.suno, segment.task_id)
    except SunoRefused as refused:
        if refused.kind == "account":
            raise TrackAway(refused.message) from refused
        return ()
    except (SunoBusy, SunoSilent) as silent:
        raise TrackAway(silent.message) from silent
    if event.stage == "pending":
        raise TrackAway("Suno does not say where the track is")
    return event.tracks
