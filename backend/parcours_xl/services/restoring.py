"""A complete segment without its file gets it (again), while its music can still be had."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import structlog

from parcours_xl.adapters.downloads import (
    Download,
    TrackAway,
    TrackTooLarge,
    TrackUnavailable,
    UrlRefused,
)
from parcours_xl.adapters.outside import Outside
from parcours_xl.adapters.oversight import FoundSegment
from parcours_xl.adapters.tracks import UPLOAD_S_MAX, StorageAway, TrackNotStorable, track_path
from parcours_xl.services.generation import ask

log = structlog.get_logger(__name__)

Restored = Literal["stored", "linked", "away", "lost"]


async def restore_track(outside: Outside, segment: FoundSegment) -> Restored:
    """Store a track again, from wherever it can still be had (runbook, '"Failed to sign URL"').

    'linked': it lives, and is played from its own address. 'away': another time. 'lost': no
    address of it is left, and Suno knows none. Raises Postponed when the Suno quota is full.
    """
    oversight = outside.oversight
    with tempfile.TemporaryDirectory(prefix="parcours-") as folder:
        file = Path(folder) / "track"
        try:
            found = await _fetch(outside, segment, file)
        except TrackAway:
            await oversight.record_unrestored(segment.id, lost=False)
            return "away"
        if found is None:
            await oversight.record_unrestored(segment.id, lost=True)
            return "lost"
        url, download = found
        path = track_path(segment.run_id, segment.id)
        try:
            async with asyncio.timeout(UPLOAD_S_MAX):
                await outside.tracks.store(path, file, download.content_type)
        except (TrackNotStorable, StorageAway, TimeoutError):
            await oversight.record_restored(segment.id, None, url)
            return "linked"
    if await oversight.record_restored(segment.id, path) == "gone":
        await outside.tracks.delete([path])
    log.info("track.restored", segment_id=str(segment.id))
    return "stored"


async def _fetch(
    outside: Outside, segment: FoundSegment, file: Path
) -> tuple[str, Download] | None:
    """The first address that still gives the track. TrackAway if one may do so later."""
    away: TrackAway | None = None
    async for url in _addresses(outside, segment):
        try:
            return url, await outside.downloads.fetch(url, file)
        except TrackAway as error:
            away = error
        except (TrackUnavailable, TrackTooLarge, UrlRefused):
            continue
    if away is not None:
        raise away
    return None


async def _addresses(outside: Outside, segment: FoundSegment) -> AsyncIterator[str]:
    """The addresses that are known, then what Suno names when it is asked."""
    known = [url for url in (segment.download_url, segment.final_url) if url]
    for url in dict.fromkeys(known):
        yield url
    if segment.task_id is None:
        return
    event = await ask(outside.database, outside.suno, segment.task_id)
    tracks = [track for track in event.tracks if track.download_url]
    for track in sorted(tracks, key=lambda track: track.id != segment.track_id):
        if track.download_url and track.download_url not in known:
            yield track.download_url
