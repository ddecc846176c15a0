"""A complete segment without its file gets it (again), while its music can still be had."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import structlog

from parcours_xl.clients.audio import Sound
from parcours_xl.clients.clients import Clients
from parcours_xl.clients.downloads import (
    Download,
    TrackHostUnavailable,
    TrackTooLarge,
    TrackUnusable,
    UrlRefused,
)
from parcours_xl.clients.operations_queries import FoundSegment
from parcours_xl.clients.storage import (
    UPLOAD_S_MAX,
    StorageUnavailable,
    TrackNotStorable,
    track_path,
)
from parcours_xl.clients.suno import SunoOutcomeUnknown, SunoRefused, SunoUnavailable
from parcours_xl.clients.suno_events import SunoTrack
from parcours_xl.services.generation import look_up
from parcours_xl.services.track_storage import fetch_music

log = structlog.get_logger(__name__)

Restored = Literal["stored", "linked", "away", "lost"]


async def restore_track(clients: Clients, segment: FoundSegment) -> Restored:
    """Store a track again, from wherever it can still be had.

    See docs/runbook.md#failed-to-sign-url.

    'linked': it lives, and is played from its own address. 'away': another time. 'lost': no
    address of it is left, and Suno, asked, knows none. Raises SunoQuotaFull.
    """
    queries = clients.queries
    with clients.temporary_files.folder() as folder:
        file = folder / "track"
        try:
            found = await _fetch(clients, segment, file)
        except TrackHostUnavailable:
            await queries.record_unrestored(segment.id, lost=False)
            return "away"
        if found is None:
            await queries.record_unrestored(segment.id, lost=True)
            return "lost"
        url, music = found
        if music is None:
            await queries.record_restored(segment.id, None, url)
            return "linked"
        download, sound = music
        path = track_path(segment.run_id, segment.id)
        try:
            async with asyncio.timeout(UPLOAD_S_MAX):
                await clients.storage.store(path, file, download.content_type)
        except (TrackNotStorable, StorageUnavailable, TimeoutError):
            await queries.record_restored(segment.id, None, url)
            return "linked"
    if await queries.record_restored(segment.id, path, sound=sound) == "gone":
        await clients.storage.delete([path])
    log.info("track.restored", segment_id=str(segment.id))
    return "stored"


async def _fetch(
    clients: Clients, segment: FoundSegment, file: Path
) -> tuple[str, tuple[Download, Sound] | None] | None:
    """The first address that still gives the music; nothing beside it where it is too large to
    keep. TrackHostUnavailable if one may do so later.
    """
    unavailable: TrackHostUnavailable | None = None
    async for url in _addresses(clients, segment):
        try:
            # Every one of them was confirmed when it was kept, or Suno names it now.
            return url, await fetch_music(clients, url, file, None, frozenset({url}))
        except TrackTooLarge:
            return url, None
        except TrackHostUnavailable as error:
            unavailable = error
        except (TrackUnusable, UrlRefused) as error:
            log.info("track.not_restored", segment_id=str(segment.id), reason=error.message)
    if unavailable is not None:
        raise unavailable
    return None


async def _addresses(clients: Clients, segment: FoundSegment) -> AsyncIterator[str]:
    """The addresses that are known, then what Suno names when it is asked.

    TrackHostUnavailable when Suno does not say: what it may still have is not lost.
    """
    known = [url for url in (segment.download_url, segment.final_url) if url]
    for url in dict.fromkeys(known):
        yield url
    for track in await _ask_for_tracks(clients, segment):
        is_ours = segment.track_id is None or track.id == segment.track_id
        if is_ours and track.download_url and track.download_url not in known:
            yield track.download_url


async def _ask_for_tracks(clients: Clients, segment: FoundSegment) -> tuple[SunoTrack, ...]:
    if segment.task_id is None:
        return ()
    try:
        event = await look_up(clients.database, clients.suno, segment.task_id)
    except SunoRefused as refused:
        if refused.kind == "account":
            raise TrackHostUnavailable(refused.message) from refused
        return ()
    except (SunoUnavailable, SunoOutcomeUnknown) as silent:
        raise TrackHostUnavailable(silent.message) from silent
    if event.stage == "pending":
        raise TrackHostUnavailable("Suno does not say where the track is")
    return event.tracks
