"""Typed calls of the SQL functions behind the reserve (docs/specification.md#reserve)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import httpx
import pydantic

from parcours_xl.clients.database import LimitedFunctions


class _Result(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")


class ReserveClaim(_Result):
    """What claim_reserve answers. reason, wait_s: why it waits, and how long in seconds."""

    outcome: Literal["claimed", "full", "waits"]
    id: UUID | None = None
    callback_token: UUID | None = None
    segment_index: int = 0
    slot: int | None = None
    reason: Literal["listeners", "quota", "credits"] | None = None
    wait_s: float = 0


class OpenTask(_Result):
    """A task whose music is not known yet. suno_task_id: None while nobody knows it."""

    id: UUID
    suno_task_id: str | None
    age_s: float


class OpenPiece(_Result):
    """A piece whose file is to be stored."""

    id: UUID
    path: str
    task_id: str | None
    suno_track_id: str
    download_url: str
    tries: int


class DroppedPiece(_Result):
    """A piece whose file is to be deleted."""

    id: UUID
    path: str


class ReserveWork(_Result):
    """What is to be done, oldest first."""

    tasks: list[OpenTask]
    pieces: list[OpenPiece]
    erase: list[DroppedPiece]


class ReservePiece(_Result):
    """A piece as the operator sees it. missing: ready, and its file is not in Storage."""

    id: UUID
    status: Literal["storing", "ready"]
    seconds: float | None
    loudness_lufs: float | None
    created_at: datetime
    missing: bool


class PresetStock(_Result):
    """What the reserve holds of one preset. composing: tasks under way."""

    preset_key: str
    composing: int
    pieces: list[ReservePiece]

    @property
    def ready(self) -> int:
        return sum(piece.status == "ready" and not piece.missing for piece in self.pieces)


class ReserveState(_Result):
    """The whole reserve. spent: credits; failed: tasks; both of the last 24 hours."""

    spent: int
    failed: int
    presets: list[PresetStock]

    def of(self, preset_key: str) -> PresetStock:
        for stock in self.presets:
            if stock.preset_key == preset_key:
                return stock
        return PresetStock(preset_key=preset_key, composing=0, pieces=[])


class GivenPiece(_Result):
    """A piece for a listener. path: below the bucket."""

    id: UUID
    path: str
    seconds: float
    loudness_lufs: float | None


class Reserve:
    """The reserve's tables, under the service role.

    Every method raises PermanentError or RetryableError where the SQL function says so, and
    SupabaseUnavailable when it cannot be reached.
    """

    def __init__(self, rest_url: str, key: str, http: httpx.AsyncClient, limits: Mapping[str, Any]):
        functions = LimitedFunctions(rest_url, key, http, limits)
        self._call, self._call_limited = functions.call, functions.call_limited

    async def read(self) -> ReserveState:
        return ReserveState.model_validate(await self._call("read_reserve"))

    async def claim(
        self, preset_key: str, per_preset: int, prompts: int, days: float, share: float
    ) -> ReserveClaim:
        """Begin a task of a preset, if its stock, the quota and the credits allow it.

        per_preset: how many pieces it should hold, younger than so many days; prompts: how many
        the preset has; share: of the Suno quota, 0 to 1. Raises SunoQuotaFull.
        """
        answer = await self._call_limited(
            "claim_reserve",
            p_preset_key=preset_key,
            p_per_preset=per_preset,
            p_prompts=prompts,
            p_days=days,
            p_share=share,
        )
        return ReserveClaim.model_validate(answer)

    async def record_task(self, task_id: UUID, suno_task_id: str) -> str:
        """'ok', or 'late' when the task is over or is known by another id."""
        return str(
            await self._call("record_reserve_task", p_id=str(task_id), p_task_id=suno_task_id)
        )

    async def fail_task(self, task_id: UUID, reason: str, *, refused: bool) -> None:
        """refused: Suno took no credits for it."""
        await self._call("fail_reserve_task", p_id=str(task_id), p_reason=reason, p_refused=refused)

    async def add_pieces(self, task_id: UUID, tracks: Sequence[Mapping[str, str]]) -> None:
        """The tracks of a task, each with `id` and `download_url`, are pieces to be stored."""
        await self._call("add_reserve_pieces", p_id=str(task_id), p_tracks=list(tracks))

    async def read_work(self) -> ReserveWork:
        answer = await self._call("read_reserve_work")
        return ReserveWork.model_validate(answer)

    async def record_piece(
        self, piece_id: UUID, seconds: float, loudness_lufs: float | None
    ) -> str:
        """'ready', or 'gone' when it was dropped meanwhile."""
        return str(
            await self._call(
                "record_reserve_piece",
                p_id=str(piece_id),
                p_seconds=seconds,
                p_loudness_lufs=loudness_lufs,
            )
        )

    async def fail_piece(self, piece_id: UUID, tries_max: int) -> str:
        """'again', or 'dropped' after so many tries."""
        return str(await self._call("fail_reserve_piece", p_id=str(piece_id), p_tries=tries_max))

    async def drop_piece(self, piece_id: UUID, after_s: float = 0) -> None:
        """Give a piece to nobody any more; its file goes after so long. PermanentError (404)."""
        await self._call("drop_reserve_piece", p_id=str(piece_id), p_after_s=after_s)

    async def drop_old(self, preset_key: str, per_preset: int, days: float, after_s: float) -> int:
        """Drop the oldest pieces over their age that younger ones replace; how many."""
        return int(
            await self._call(
                "drop_old_reserve",
                p_preset_key=preset_key,
                p_per_preset=per_preset,
                p_days=days,
                p_after_s=after_s,
            )
        )

    async def forget_piece(self, piece_id: UUID) -> None:
        """The file of this dropped piece is deleted."""
        await self._call("forget_reserve_piece", p_id=str(piece_id))

    async def give(self, user_id: UUID, preset_key: str, seconds: float) -> list[GivenPiece]:
        """Ready pieces for this listener, heard least recently first, together so long."""
        answer = await self._call(
            "give_reserve", p_user_id=str(user_id), p_preset_key=preset_key, p_seconds=seconds
        )
        return [GivenPiece.model_validate(piece) for piece in answer]
