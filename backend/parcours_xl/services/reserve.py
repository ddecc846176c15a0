"""The reserve: pieces composed ahead of time from the presets' own prompts, and kept ready.

See docs/specification.md#reserve. Whatever is begun stands in the database first: a process that
dies leaves nothing but rows that say what is to be done next.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import structlog

from parcours_xl.clients.audio import Sound
from parcours_xl.clients.database import Database, SunoQuotaFull
from parcours_xl.clients.downloads import (
    TrackHostUnavailable,
    TrackTooLarge,
    TrackUnusable,
    UrlRefused,
    UrlUnconfirmed,
)
from parcours_xl.clients.reserve import OpenPiece, OpenTask, Reserve, ReserveClaim
from parcours_xl.clients.storage import (
    UPLOAD_S_MAX,
    StorageUnavailable,
    TrackNotStorable,
    TrackStorage,
)
from parcours_xl.clients.suno import Order, Suno, SunoOutcomeUnknown, SunoRefused, SunoUnavailable
from parcours_xl.domain.brief import curated_brief
from parcours_xl.domain.preset import Preset
from parcours_xl.domain.prompts import clean_prompt, suno_style
from parcours_xl.services.generation import look_up
from parcours_xl.services.track_storage import TrackService

TASK_UNKNOWN_S = 900
"""So long after a submission whose answer was lost its callback may still name the task; until then
no other is bought in its place."""
TASK_S_MAX = 1800
"""A task that has given no music by then gives none."""
PIECE_TRIES_MAX = 5
AWAY_TRIES_MAX = 1000
"""A piece is paid for: while only its host, Storage or Suno is away it is tried on, for most of a
day by the worker, so that no outage buys it again."""
HEARD_S_MAX = 4200
"""A piece that is replaced keeps its file so long: its signed address is valid for an hour."""
AWAY = (TrackHostUnavailable, StorageUnavailable, TimeoutError)
UNUSABLE = (TrackTooLarge, TrackUnusable, UrlRefused, UrlUnconfirmed, TrackNotStorable)
SUNO_AWAY = (SunoQuotaFull, SunoRefused, SunoUnavailable, SunoOutcomeUnknown)
REFUSED_WITHOUT_COST = (SunoRefused, SunoUnavailable)

log = structlog.get_logger(__name__)

Begun = Literal["submitted", "full", "waits", "refused"]


@dataclass(frozen=True, slots=True)
class Limits:
    """per_preset: pieces of each preset; days: their age at most; share: of the Suno quota."""

    per_preset: int
    days: float
    share: float


@dataclass(frozen=True, slots=True)
class ReserveService:
    """Composes, stores, renews and deletes the pieces of the reserve."""

    reserve: Reserve
    database: Database
    suno: Suno
    storage: TrackStorage
    tracks: TrackService
    callback_base: str

    async def go_on(self) -> Counter[str]:
        """Go on with all that was begun; how much of each is done.

        'composed', 'failed': tasks; 'stored', 'dropped': pieces; 'erased': files; 'open': what is
        still under way. Raises SupabaseUnavailable.
        """
        done: Counter[str] = Counter()
        for task in (await self.reserve.read_work()).tasks:
            done[await self._read_task(task)] += 1
        work = await self.reserve.read_work()
        for piece in work.pieces:
            done[await self._store(piece)] += 1
        for dropped in work.erase:
            await self.storage.delete([dropped.path])
            await self.reserve.forget_piece(dropped.id)
            done["erased"] += 1
        return done

    async def begin(self, preset: Preset, limits: Limits) -> tuple[Begun, ReserveClaim | None]:
        """Have Suno compose one task more of a preset, where that is allowed now.

        How that went, and the claim that says why it waits. Raises SupabaseUnavailable.
        """
        prompts = len(preset.segments)
        await self.reserve.drop_old(preset.key, limits.per_preset, limits.days, HEARD_S_MAX)
        try:
            claim = await self.reserve.claim(
                preset.key, limits.per_preset, prompts, limits.days, limits.share
            )
        except SunoQuotaFull as full:
            return "waits", ReserveClaim(outcome="waits", reason="quota", wait_s=full.wait_s or 1)
        if claim.outcome != "claimed":
            return claim.outcome, claim
        assert claim.id and claim.slot is not None, "a claim names its task and its slot"
        try:
            suno_task_id = await self.suno.submit(self._order(preset, claim))
        except REFUSED_WITHOUT_COST as refusal:
            await self.reserve.fail_task(claim.id, refusal.message, refused=True)
            log.warning("reserve.refused", preset=preset.key, reason=refusal.message)
            return "refused", claim
        except SunoOutcomeUnknown as unknown:
            # Its callback may still name the task; see TASK_UNKNOWN_S.
            log.warning("reserve.outcome_unknown", preset=preset.key, reason=unknown.message)
            return "submitted", claim
        finally:
            await self.database.answer_suno_request(claim.slot)
        await self.reserve.record_task(claim.id, suno_task_id)
        return "submitted", claim

    async def drop(self, piece_id: UUID) -> None:
        """Delete one piece, and its file. Raises PermanentError (404) for an unknown one."""
        await self.reserve.drop_piece(piece_id)
        await self.go_on()

    def _order(self, preset: Preset, claim: ReserveClaim) -> Order:
        plan = curated_brief(preset).segments[claim.segment_index]
        url = f"{self.callback_base}?segment={claim.id}&token={claim.callback_token}"
        return Order(
            suno_style(preset, plan.prompt), clean_prompt(plan.title), plan.planned_seconds, url
        )

    async def _read_task(self, task: OpenTask) -> str:
        """Ask Suno what has become of a task."""
        if task.suno_task_id is None:
            return await self._give_up(task, "no_answer", TASK_UNKNOWN_S)
        try:
            event = await look_up(self.database, self.suno, task.suno_task_id)
        except SUNO_AWAY:
            return await self._give_up(task, "suno_away", TASK_S_MAX)
        if event.stage == "error":
            reason = event.error.message if event.error else "suno_error"
            await self.reserve.fail_task(task.id, reason, refused=False)
            return "failed"
        tracks = [
            {"id": track.id, "download_url": track.download_url}
            for track in event.tracks
            if track.id and track.download_url
        ]
        if event.stage != "complete" or not tracks:
            return await self._give_up(task, "timeout", TASK_S_MAX)
        await self.reserve.add_pieces(task.id, tracks)
        return "composed"

    async def _give_up(self, task: OpenTask, reason: str, after_s: float) -> str:
        if task.age_s < after_s:
            return "open"
        await self.reserve.fail_task(task.id, reason, refused=False)
        return "failed"

    async def _store(self, piece: OpenPiece) -> str:
        """Fetch a piece, measure it, and keep it; what cannot be had is dropped in the end.

        Suno's record may name another address by now (docs/specification.md#reserve).
        """
        try:
            try:
                sound = await self._keep(piece, piece.download_url)
            except UNUSABLE:
                url = await self._fresh_address(piece)
                if url is None or url == piece.download_url:
                    raise
                sound = await self._keep(piece, url)
        except (*AWAY, *SUNO_AWAY) as error:
            return await self._try_later(piece, error, AWAY_TRIES_MAX)
        except UNUSABLE as error:
            return await self._try_later(piece, error, PIECE_TRIES_MAX)
        seconds = sound.sound_end_seconds or sound.seconds
        outcome = await self.reserve.record_piece(piece.id, seconds, sound.loudness_lufs)
        if outcome == "gone":
            await self.storage.delete([piece.path])
            return "dropped"
        log.info("reserve.stored", piece=str(piece.id))
        return "stored"

    async def _keep(self, piece: OpenPiece, url: str) -> Sound:
        """Raises one of AWAY or UNUSABLE."""
        with self.tracks.temporary_files.folder() as folder:
            file = folder / "track"
            # Suno's own record named the address.
            download, sound = await self.tracks.fetch_music(url, file, None, frozenset({url}))
            async with asyncio.timeout(UPLOAD_S_MAX):
                await self.storage.store(piece.path, file, download.content_type)
        return sound

    async def _fresh_address(self, piece: OpenPiece) -> str | None:
        """What Suno's record says now; None where it has no such track. Raises one of SUNO_AWAY."""
        if piece.task_id is None:
            return None
        event = await look_up(self.database, self.suno, piece.task_id)
        tracks = {track.id: track.download_url for track in event.tracks}
        return tracks.get(piece.suno_track_id)

    async def _try_later(self, piece: OpenPiece, error: Exception, tries_max: int) -> str:
        log.warning("reserve.not_stored", piece=str(piece.id), reason=type(error).__name__)
        outcome = await self.reserve.fail_piece(piece.id, tries_max)
        return "open" if outcome == "again" else outcome
