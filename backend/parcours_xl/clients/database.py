"""Typed calls of our SQL functions (supabase/migrations), one transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import httpx
import structlog
from pydantic import TypeAdapter, ValidationError

from parcours_xl.clients.database_results import (
    STEP,
    TRACK_JOB,
    Admission,
    Claim,
    EraseJob,
    Job,
    Question,
    RunCancelled,
    RunCreated,
    RunStarted,
    Step,
    TrackJob,
)
from parcours_xl.clients.sql_functions import AttemptsUsedUp as AttemptsUsedUp
from parcours_xl.clients.sql_functions import LimitedFunctions
from parcours_xl.clients.sql_functions import SunoQuotaFull as SunoQuotaFull
from parcours_xl.clients.sql_functions import SupabaseUnavailable as SupabaseUnavailable
from parcours_xl.clients.suno_events import SunoEvent

GENERATION_QUEUE, TRACKS_QUEUE = "parcours_generation", "parcours_tracks"

log = structlog.get_logger(__name__)

AnyJob = TypeVar("AnyJob", bound=Job)


@dataclass(frozen=True, slots=True)
class NewRun:
    """Everything create_run stores. segments: prompt and metadata of each, in order."""

    user_id: UUID
    preset_key: str
    brief: str
    metadata: dict[str, Any]
    segments: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Demand:
    """What one user asked for, and the key under which they may ask again.

    quotas: what admit_run holds them to (Settings.quotas). rollout: 'all', or 'flags' when only
    the users of feature_flags may create runs.
    """

    user_id: UUID
    quotas: dict[str, Any]
    idempotency_key: str | None
    request: dict[str, Any]
    rollout: str = "all"

    def as_arguments(self) -> dict[str, Any]:
        return {
            "p_user_id": str(self.user_id),
            "p_quotas": self.quotas,
            "p_idempotency_key": self.idempotency_key,
            "p_request": self.request,
            "p_rollout": self.rollout,
        }


class Database:
    """The functions of the state machine, called under the service role.

    Every method raises PermanentError or RetryableError where the SQL function says so (PTxxx), and
    SupabaseUnavailable when it cannot be reached or is overloaded.
    """

    def __init__(self, rest_url: str, key: str, http: httpx.AsyncClient, limits: dict[str, Any]):
        functions = LimitedFunctions(rest_url, key, http, limits)
        self._call, self._call_limited = functions.call, functions.call_limited

    async def admit_run(self, demand: Demand) -> Admission:
        """The earlier run of a repeated key, or a place for a new one."""
        return Admission.model_validate(await self._call("admit_run", **demand.as_arguments()))

    async def leave_place(self, place: UUID) -> None:
        await self._call("leave_place", p_place=str(place))

    async def create_run(
        self, demand: Demand, run: NewRun, place: UUID | None = None
    ) -> RunCreated:
        answer = await self._call(
            "create_run",
            **demand.as_arguments(),
            p_preset_key=run.preset_key,
            p_brief=run.brief,
            p_metadata=run.metadata,
            p_segments=run.segments,
            p_place=_text(place),
        )
        return RunCreated.model_validate(answer)

    async def start_run(self, run_id: UUID, user_id: UUID | None = None) -> RunStarted:
        """user_id: who asks, where that matters; only the owner has a cancelled run resumed."""
        answer = await self._call_limited(
            "start_run", p_run_id=str(run_id), p_user_id=_text(user_id)
        )
        return RunStarted.model_validate(answer)

    async def cancel_run(self, run_id: UUID, user_id: UUID | None = None) -> RunCancelled:
        """Nothing more is bought for the run. user_id: who asks; None for an operator."""
        answer = await self._call("cancel_run", p_run_id=str(run_id), p_user_id=_text(user_id))
        return RunCancelled.model_validate(answer)

    async def release_run(self, run_id: UUID) -> bool:
        return bool(await self._call("release_run", p_run_id=str(run_id)))

    async def next_steps(self, quantity: int, lease_s: int) -> list[Step]:
        answer = await self._call("next_steps", p_quantity=quantity, p_lease_s=lease_s)
        return _read_jobs(STEP, answer, GENERATION_QUEUE)

    async def claim_segment(
        self,
        segment_id: UUID | None = None,
        run_id: UUID | None = None,
        segment_index: int | None = None,
    ) -> Claim:
        answer = await self._call_limited(
            "claim_segment",
            p_segment_id=_text(segment_id),
            p_run_id=_text(run_id),
            p_segment_index=segment_index,
        )
        return Claim.model_validate(answer)

    async def reserve_suno_request(self) -> int:
        """A slot for a question that concerns no attempt."""
        return int(
            await self._call_limited(
                "reserve_suno_request",
            )
        )

    async def reserve_question(self, segment_id: UUID, token: UUID) -> Question:
        """Whether Suno may be asked about an attempt now. Raises SunoQuotaFull."""
        answer = await self._call_limited(
            "reserve_question",
            p_segment_id=str(segment_id),
            p_token=str(token),
        )
        return Question.model_validate(answer)

    async def answer_suno_request(self, slot: int) -> None:
        await self._call("answer_suno_request", p_slot=slot)

    async def record_task(self, segment_id: UUID, token: UUID, task_id: str) -> str:
        return str(
            await self._call(
                "record_task",
                p_segment_id=str(segment_id),
                p_token=str(token),
                p_task_id=task_id,
            )
        )

    async def record_refusal(
        self, segment_id: UUID, token: UUID, kind: str, code: int | None, message: str
    ) -> str:
        return str(
            await self._call_limited(
                "record_refusal",
                p_segment_id=str(segment_id),
                p_token=str(token),
                p_kind=kind,
                p_code=code,
                p_message=message,
            )
        )

    async def retry_segment(self, segment_id: UUID, token: UUID | None = None) -> str:
        return str(
            await self._call_limited(
                "retry_segment",
                p_segment_id=str(segment_id),
                p_token=_text(token),
            )
        )

    async def check_callback(self, segment_id: UUID, token: UUID) -> None:
        """Raise PermanentError (401) as record_callback would for this segment and token."""
        await self._call("check_callback", p_segment_id=str(segment_id), p_token=str(token))

    async def record_callback(self, segment_id: UUID, token: UUID, event: SunoEvent) -> bool:
        """Whether the event changed anything; False when it was repeated, late or regressing."""
        answer = await self._call(
            "record_callback",
            p_segment_id=str(segment_id),
            p_token=str(token),
            p_event=event.as_json(),
        )
        return bool(answer["outcome"] == "ok")

    async def take_track_jobs(
        self, quantity: int, lease_s: int, reserved: int = 0
    ) -> list[TrackJob | EraseJob]:
        """Due jobs. reserved: so many of the quantity for nobody who asks for much."""
        answer = await self._call(
            "take_track_jobs", p_quantity=quantity, p_lease_s=lease_s, p_reserved=reserved
        )
        return _read_jobs(TRACK_JOB, answer, TRACKS_QUEUE)

    async def record_erasures(self, run_ids: Sequence[UUID]) -> None:
        """The files of these erased runs are gone."""
        await self._call("record_erasures", p_run_ids=[str(run_id) for run_id in run_ids])

    async def record_track(
        self,
        segment_id: UUID,
        token: UUID,
        storage_path: str | None,
        *,
        final_url: str | None = None,
        download_url: str | None = None,
        loudness_lufs: float | None = None,
        true_peak_dbtp: float | None = None,
        sound_end_seconds: float | None = None,
        track_id: str | None = None,
        duration_seconds: float | None = None,
    ) -> str:
        """track_id: the track that was kept, where it may be another than the one delivered."""
        return str(
            await self._call(
                "record_track",
                p_segment_id=str(segment_id),
                p_token=str(token),
                p_storage_path=storage_path,
                p_final_url=final_url,
                p_download_url=download_url,
                p_loudness_lufs=loudness_lufs,
                p_true_peak_dbtp=true_peak_dbtp,
                p_sound_end_seconds=sound_end_seconds,
                p_track_id=track_id,
                p_duration_seconds=duration_seconds,
            )
        )

    async def fail_segment(
        self,
        segment_id: UUID,
        token: UUID,
        reason: str,
        detail: dict[str, Any] | None = None,
        *,
        again: bool = False,
    ) -> str:
        return str(
            await self._call(
                "fail_segment",
                p_segment_id=str(segment_id),
                p_token=str(token),
                p_reason=reason,
                p_detail=detail or {},
                p_again=again,
            )
        )

    async def find_track(self, segment_id: UUID, user_id: UUID) -> str:
        """Where the owner's track is kept in the bucket."""
        return str(
            await self._call("find_track", p_segment_id=str(segment_id), p_user_id=str(user_id))
        )

    async def postpone_job(
        self, queue: str, job: Job, seconds: int, *, handed_back: bool = False
    ) -> bool:
        """Keep a job longer, or hand it back sound; False when the receipt is no longer good."""
        return bool(
            await self._call(
                "postpone_job",
                p_queue=queue,
                p_msg_id=job.msg_id,
                p_read_ct=job.read_ct,
                p_seconds=seconds,
                p_handed_back=handed_back,
            )
        )

    async def finish_job(self, queue: str, job: Job) -> bool:
        return bool(
            await self._call(
                "finish_job", p_queue=queue, p_msg_id=job.msg_id, p_read_ct=job.read_ct
            )
        )


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _read_jobs(adapter: TypeAdapter[AnyJob], answer: list[Any], queue: str) -> list[AnyJob]:
    """The jobs that can be read, each by itself: one that cannot must not hold up the others.

    Its lease ends by itself, and SQL sets it aside when that has happened too often (take_due).
    """
    jobs: list[AnyJob] = []
    for job in answer:
        try:
            jobs.append(adapter.validate_python(job))
        except ValidationError as error:
            wrong = sorted({".".join(map(str, one["loc"])) for one in error.errors()})
            log.error("job.unreadable", queue=queue, msg_id=job.get("msg_id"), fields=wrong)
    return jobs
