"""A delivered track is fetched, checked, stored, and recorded.

A new task is bought last. First come the free remedies: pauses, while the file may still be on its
way; the other track of the same task; and what Suno's own record names when it is asked, once.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import structlog

from parcours_xl.clients.audio import LISTENED_S_MAX, Audio, DecoderBusy, NotPlayable, Sound
from parcours_xl.clients.database import Database, SunoQuotaFull, TrackJob
from parcours_xl.clients.downloads import (
    Download,
    Downloads,
    TrackHostUnavailable,
    TrackTooLarge,
    TrackUnusable,
    UrlRefused,
    UrlUnconfirmed,
)
from parcours_xl.clients.operations_queries import FoundSegment, OperationsQueries
from parcours_xl.clients.storage import (
    UPLOAD_S_MAX,
    StorageUnavailable,
    TrackNotStorable,
    TrackStorage,
    track_path,
)
from parcours_xl.clients.suno import Suno, SunoOutcomeUnknown, SunoRefused, SunoUnavailable
from parcours_xl.clients.suno_events import SunoTrack
from parcours_xl.clients.temporary_files import TemporaryFiles
from parcours_xl.services.generation import ask, look_up

log = structlog.get_logger(__name__)

WHOLE_SHARE_MIN = 0.9
"""A file that holds less of what Suno announced was cut off on its way, whatever its size says."""
SILENT_TAIL_S_MAX = 20
"""So much silence may follow beyond what Suno announced."""
NOT_YET_S = 60
"""So long after `complete` a 403 or 404 means that the file is not there yet."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a track of the task is said to be, and how long. trusted: by its host alone."""

    id: str | None
    url: str
    trusted: bool
    announced_s: float | None


@dataclass(slots=True)
class _Record:
    """Suno's record of the task, asked at most once for a job. Raises TrackHostUnavailable."""

    database: Database
    suno: Suno
    job: TrackJob
    tracks: tuple[SunoTrack, ...] | None = None

    async def read(self) -> tuple[SunoTrack, ...]:
        if self.tracks is None:
            self.tracks = await self._ask()
        return self.tracks

    @property
    def named(self) -> frozenset[str]:
        """The addresses that it names; none before it was asked."""
        return frozenset(track.download_url for track in self.tracks or () if track.download_url)

    async def _ask(self) -> tuple[SunoTrack, ...]:
        job = self.job
        if job.task_id is None:
            return ()
        try:
            event = await ask(
                self.database,
                self.suno,
                job.segment_id,
                job.callback_token,
                job.task_id,
            )
        except SunoQuotaFull as full:
            raise TrackHostUnavailable(full.message, wait_s=full.wait_s) from full
        if event is None:
            return ()
        if event.stage == "pending":
            raise TrackHostUnavailable("Suno does not say where the track is")
        return event.tracks


@dataclass(slots=True)
class _Tries:
    """How the tries of one job went: what is said when none of them gave a track."""

    unavailable: TrackHostUnavailable | None = None
    refused: UrlRefused | None = None
    unusable: TrackUnusable | None = None
    not_yet: bool = False
    urls: set[str] = field(default_factory=set)

    def note(self, error: TrackHostUnavailable | UrlRefused | TrackUnusable) -> None:
        if isinstance(error, TrackHostUnavailable):
            self.unavailable = self.unavailable or error
        elif isinstance(error, UrlRefused):
            self.refused = self.refused or error
        else:
            self.unusable = self.unusable or error
            self.not_yet = self.not_yet or error.not_yet


Restored = Literal["stored", "linked", "unavailable", "lost"]


@dataclass(frozen=True, slots=True)
class TrackService:
    """Stores the tracks that Suno delivers, and stores again those that were lost."""

    database: Database
    queries: OperationsQueries
    suno: Suno
    downloads: Downloads
    audio: Audio
    storage: TrackStorage
    temporary_files: TemporaryFiles

    async def store(self, job: TrackJob, *, last_try: bool) -> str:
        """Store one delivered track. Raises RetryableError while another try may help.

        How it ended: 'stored', 'linked' (only final_url), 'failed', or 'late' and 'gone' when the
        attempt or the whole run is no more.

        last_try: what may be temporary is taken as lasting. Good music that cannot be stored is
        still handed on by its own address (docs/specification.md#storing-a-track).
        """
        record, tries = _Record(self.database, self.suno, job), _Tries()
        with self.temporary_files.folder() as folder:
            for source in _delivered(job):
                outcome = await self._try(job, source, record, tries, folder, last_try=last_try)
                if outcome is not None:
                    return outcome
                _wait_for_it(job, tries, last_try=last_try)
            if tries.unusable is not None or tries.unavailable is not None:
                for source in await _fresh(job, record, tries):
                    outcome = await self._try(job, source, record, tries, folder, last_try=last_try)
                    if outcome is not None:
                        return outcome
        _wait_before_a_new_task(job, tries, last_try=last_try)
        return await self._give_up(job, tries)

    async def fetch_music(
        self, url: str, file: Path, announced_s: float | None, named: frozenset[str]
    ) -> tuple[Download, Sound]:
        """Fetch a track and make sure that it plays. Raises as Downloads.fetch does.

        TrackTooLarge only for what is music: its beginning was decoded.
        """
        try:
            download = await self.downloads.fetch(url, file, named)
        except TrackTooLarge:
            await self._measure(file)
            raise
        sound = await self._measure(file)
        if reason := why_not_whole(sound, announced_s):
            raise TrackUnusable(reason)
        return download, sound

    async def _measure(self, file: Path) -> Sound:
        try:
            return await self.audio.measure(file)
        except NotPlayable as error:
            raise TrackUnusable(error.message) from error
        except DecoderBusy as error:
            raise TrackHostUnavailable(error.message) from error

    async def _try(
        self,
        job: TrackJob,
        source: _Source,
        record: _Record,
        tries: _Tries,
        folder: Path,
        *,
        last_try: bool,
    ) -> str | None:
        """Store a track from one address; how that ended, None when there is no track to be had."""
        tries.urls.add(source.url)
        try:
            return await self._keep(job, source, record, folder / "track", last_try=last_try)
        except (TrackHostUnavailable, UrlRefused, TrackUnusable) as error:
            tries.note(error)
            return None

    async def _keep(
        self,
        job: TrackJob,
        source: _Source,
        record: _Record,
        file: Path,
        *,
        last_try: bool,
    ) -> str:
        path = track_path(job.run_id, job.segment_id)
        try:
            download, sound = await self._fetch_confirmed(source, record, file)
            async with asyncio.timeout(UPLOAD_S_MAX):
                await self.storage.store(path, file, download.content_type)
        except (TrackTooLarge, TrackNotStorable) as refused:
            log.warning("track.linked", segment_id=str(job.segment_id), reason=refused.message)
            return await self._link(job, source)
        except (StorageUnavailable, TimeoutError) as unavailable:
            if not last_try:
                raise StorageUnavailable from unavailable
            reason = "Storage is unavailable"
            log.error("track.linked", segment_id=str(job.segment_id), reason=reason)
            return await self._link(job, source)
        outcome = await self.database.record_track(
            job.segment_id,
            job.callback_token,
            path,
            download_url=source.url,
            loudness_lufs=sound.loudness_lufs,
            true_peak_dbtp=sound.true_peak_dbtp,
            sound_end_seconds=sound.sound_end_seconds,
            track_id=source.id,
            duration_seconds=source.announced_s or sound.seconds,
        )
        if outcome == "gone":
            await self.storage.delete([path])
        return "stored" if outcome == "completed" else outcome

    async def _fetch_confirmed(
        self, source: _Source, record: _Record, file: Path
    ) -> tuple[Download, Sound]:
        """Fetch a track. Suno's record is asked about a host that is not on the list, here or
        where a redirect leads; only an address that it names itself is followed.
        """
        if not source.trusted:
            await record.read()
            if source.url not in record.named:
                raise UrlUnconfirmed(source.url)
        try:
            return await self.fetch_music(source.url, file, source.announced_s, record.named)
        except UrlUnconfirmed as unconfirmed:
            await record.read()
            if unconfirmed.url not in record.named:
                raise
            return await self.fetch_music(source.url, file, source.announced_s, record.named)

    async def _link(self, job: TrackJob, source: _Source) -> str:
        outcome = await self.database.record_track(
            job.segment_id,
            job.callback_token,
            None,
            final_url=source.url,
            track_id=source.id,
            duration_seconds=source.announced_s,
        )
        return "linked" if outcome == "completed" else outcome

    async def _give_up(self, job: TrackJob, tries: _Tries) -> str:
        """No track is to be had of this task: only a new one can help, or nothing can."""
        if tries.unavailable is not None:
            why = {"message": tries.unavailable.message}
            return await self._fail(job, "track_away", why, again=True)
        if tries.unusable is not None:
            why = {"message": tries.unusable.message}
            return await self._fail(job, "track_unavailable", why, again=True)
        assert tries.refused is not None, "every try that gave no track was noted"
        return await self._fail(job, "url_refused", {"host": tries.refused.host}, again=False)

    async def _fail(self, job: TrackJob, reason: str, why: dict[str, Any], *, again: bool) -> str:
        log.warning("track.failed", segment_id=str(job.segment_id), reason=reason, **why)
        return await self.database.fail_segment(
            job.segment_id, job.callback_token, reason, why, again=again
        )

    async def restore(self, segment: FoundSegment) -> Restored:
        """Store a track again, from wherever it can still be had.

        See docs/runbook.md#failed-to-sign-url.

        'linked': the track is still at its own address, and is played from there. 'unavailable':
        another time. 'lost': no address of it is left, and Suno, asked, knows none.

        Raises SunoQuotaFull.
        """
        queries = self.queries
        with self.temporary_files.folder() as folder:
            file = folder / "track"
            try:
                found = await self._fetch_again(segment, file)
            except TrackHostUnavailable:
                await queries.record_unrestored(segment.id, lost=False)
                return "unavailable"
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
                    await self.storage.store(path, file, download.content_type)
            except (TrackNotStorable, StorageUnavailable, TimeoutError):
                await queries.record_restored(segment.id, None, url)
                return "linked"
        if await queries.record_restored(segment.id, path, sound=sound) == "gone":
            await self.storage.delete([path])
        log.info("track.restored", segment_id=str(segment.id))
        return "stored"

    async def _fetch_again(
        self, segment: FoundSegment, file: Path
    ) -> tuple[str, tuple[Download, Sound] | None] | None:
        """The first address that still gives the music; nothing beside it where it is too large to
        keep. TrackHostUnavailable if one may do so later.
        """
        unavailable: TrackHostUnavailable | None = None
        async for url in self._addresses(segment):
            try:
                # Every one of them was confirmed when it was kept, or Suno names it now.
                return url, await self.fetch_music(url, file, None, frozenset({url}))
            except TrackTooLarge:
                return url, None
            except TrackHostUnavailable as error:
                unavailable = error
            except (TrackUnusable, UrlRefused) as error:
                log.info("track.not_restored", segment_id=str(segment.id), reason=error.message)
        if unavailable is not None:
            raise unavailable
        return None

    async def _addresses(self, segment: FoundSegment) -> AsyncIterator[str]:
        """The addresses that are known, then what Suno names when it is asked.

        TrackHostUnavailable when Suno does not say: what it may still have is not lost.
        """
        known = [url for url in (segment.download_url, segment.final_url) if url]
        for url in dict.fromkeys(known):
            yield url
        for track in await self._ask_for_tracks(segment):
            is_ours = segment.track_id is None or track.id == segment.track_id
            if is_ours and track.download_url and track.download_url not in known:
                yield track.download_url

    async def _ask_for_tracks(self, segment: FoundSegment) -> tuple[SunoTrack, ...]:
        if segment.task_id is None:
            return ()
        try:
            event = await look_up(self.database, self.suno, segment.task_id)
        except SunoRefused as refused:
            if refused.kind == "account":
                raise TrackHostUnavailable(refused.message) from refused
            return ()
        except (SunoUnavailable, SunoOutcomeUnknown) as silent:
            raise TrackHostUnavailable(silent.message) from silent
        if event.stage == "pending":
            raise TrackHostUnavailable("Suno does not say where the track is")
        return event.tracks


def why_not_whole(sound: Sound, announced_s: float | None) -> str | None:
    """Why a file that plays is not the track that Suno announced; None when it is."""
    if sound.silent:
        return "the track is silent throughout"
    expected_s = min(announced_s or 0, LISTENED_S_MAX)
    if sound.seconds < WHOLE_SHARE_MIN * expected_s:
        return f"{sound.seconds:.0f} s of the announced {expected_s:.0f} s came"
    if sound.sound_end_seconds is not None and expected_s:
        tail_s = sound.seconds - max(sound.sound_end_seconds, expected_s)
        if tail_s > SILENT_TAIL_S_MAX:
            return f"{tail_s:.0f} s of silence follow the announced {expected_s:.0f} s"
    return None


def _delivered(job: TrackJob) -> Iterator[_Source]:
    """The task's tracks as `complete` named them: the one that was heard, then the other."""
    yield _Source(job.track_id, job.download_url, job.trusted, job.announced_seconds)
    for other in job.others:
        yield _Source(other.id, other.download_url, other.trusted, other.duration_seconds)


def _wait_for_it(job: TrackJob, tries: _Tries, *, last_try: bool) -> None:
    """Raises TrackHostUnavailable while the track that was heard may still come; another is second
    best.
    """
    if last_try:
        return
    if tries.unavailable is not None:
        raise tries.unavailable
    if tries.not_yet and _too_early_s(job) > 0:
        raise TrackHostUnavailable("the track is not there yet")


def _wait_before_a_new_task(job: TrackJob, tries: _Tries, *, last_try: bool) -> None:
    """Raises TrackHostUnavailable while it is too early to buy the music anew."""
    if tries.unavailable is not None and not last_try:
        raise tries.unavailable
    if tries.not_yet and _too_early_s(job) > 0:
        raise TrackHostUnavailable("the track is not there yet", wait_s=_too_early_s(job))


def _too_early_s(job: TrackJob) -> float:
    """For how many seconds still a missing file may be on its way."""
    return NOT_YET_S - (NOT_YET_S if job.delivered_s is None else job.delivered_s)


async def _fresh(job: TrackJob, record: _Record, tries: _Tries) -> list[_Source]:
    """What Suno's record names: the track that was heard, even there; others where they are new."""
    try:
        tracks = await record.read()
    except TrackHostUnavailable as unavailable:
        tries.note(unavailable)
        return []
    found = [
        _Source(track.id, track.download_url, True, track.duration_seconds)
        for track in tracks
        if track.download_url
        and (job.track_id in (None, track.id) or track.download_url not in tries.urls)
    ]
    return sorted(found, key=lambda source: source.id != job.track_id)
