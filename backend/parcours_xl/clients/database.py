"""Typed calls of our SQL functions (supabase/migrations), one transaction each.

PostgREST carries them, under the service role.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import httpx
import pydantic
import structlog
from postgrest import AsyncPostgrestClient
from postgrest.exceptions import APIError as APIError
from pydantic import TypeAdapter, ValidationError

from parcours_xl import telemetry, tracing
from parcours_xl.clients.suno_events import SunoEvent
from parcours_xl.clients.supabase_errors import FUNCTION_UNKNOWN, FunctionUnknown, Verdict, judge
from parcours_xl.clients.supabase_errors import KeyRefused as KeyRefused
from parcours_xl.clients.supabase_errors import SupabaseUnavailable as SupabaseUnavailable
from parcours_xl.domain.bilingual import Language
from parcours_xl.errors import ParcoursError, PermanentError, RetryableError

log = structlog.get_logger(__name__)


REQUEST_HEADER = "X-Parcours-Request"
"""Tells the database which request or job is behind a call: events and jobs are stamped with it."""


KEY_REFUSED_S = 60
"""A key that has been refused for so long, and never taken meanwhile, is wrong: it is logged so."""


class SunoQuotaFull(RetryableError):
    """All workers together ask Suno as often as it allows."""


class AttemptsUsedUp(RetryableError):
    """A segment, or every segment of a run, has been tried as often as it may be."""


class LimitsUnknown(PermanentError):
    """The database does not hold the limits that a call names: they are to be written again."""


HINTS = {"suno_quota": SunoQuotaFull, "attempts": AttemptsUsedUp}
"""What an SQL function says beside PT429."""


READS = frozenset(
    {
        "check_callback",
        "count_scans",
        "find_runs",
        "find_segments",
        "find_track",
        "find_user",
        "inspect_access",
        "read_auth_log",
        "read_logs",
        "read_measurements",
        "read_migrations",
        "read_personal_data",
        "read_queues",
        "read_reserve",
        "read_reserve_work",
        "read_rollout",
        "read_snapshot",
        "report_slice",
        "report_top_users",
        "scan_files",
        "scan_segments",
    }
)
"""Functions that change nothing, as SQL declares them (stable): called once more where the
connection broke before an answer."""

RESET = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""The connection broke before an answer came, mostly an idle one that the server closed."""


class SqlFunctions:
    """One call is one transaction.

    PermanentError or RetryableError where the SQL function says so (PTxxx), SupabaseUnavailable
    when it cannot be reached or is overloaded.
    """

    def __init__(self, rest_url: str, key: str, http: httpx.AsyncClient):
        headers = {"apikey": key}
        if not key.startswith("sb_"):  # new-style keys are no tokens
            headers["Authorization"] = f"Bearer {key}"
        self._rest = AsyncPostgrestClient(
            rest_url, headers=headers, http_client=http, retry_enabled=False
        )
        self._refused_since: float | None = None

    async def call(self, function: str, **arguments: Any) -> Any:
        query = self._rest.rpc(function, arguments)
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        if request_id is not None:
            query.request.headers[REQUEST_HEADER] = request_id
        with telemetry.call("sql", function):
            return await self._execute(function, query)

    async def _execute(self, function: str, query: Any) -> Any:
        try:
            # Not `execute`: an error of postgrest-py's does not tell the HTTP status.
            response = await self._send(function, query)
        except httpx.TransportError as error:
            log.warning("supabase.unavailable", function=function, why=type(error).__name__)
            raise SupabaseUnavailable from error
        if not response.is_success:
            raise self._translate(function, response)
        try:
            # A function that returns void is answered without a body.
            data = response.json() if response.content else None
        except (ValueError, RecursionError) as error:
            # Somebody else answers in PostgREST's place.
            log.warning("supabase.unavailable", function=function, why="no JSON")
            raise SupabaseUnavailable from error
        self._refused_since = None
        return data

    async def _send(self, function: str, query: Any) -> httpx.Response:
        try:
            return await query.request.send(httpx.Headers())  # type: ignore[no-any-return]
        except RESET:
            if function not in READS:
                raise
            return await query.request.send(httpx.Headers())  # type: ignore[no-any-return]

    def _translate(self, function: str, response: httpx.Response) -> ParcoursError | APIError:
        body = _read_error(response)
        code, message = str(body.get("code") or ""), str(body.get("message") or "refused")
        if code.startswith("PT"):
            return _translate_ours(code, message, body)
        verdict = judge(code, response.status_code)
        if verdict is Verdict.OURS:
            return APIError(body)
        log.warning(
            "supabase.unavailable",
            function=function,
            status=response.status_code,
            code=code,
            why=message,
        )
        if verdict is Verdict.KEY:
            return self._record_refusal()
        return FunctionUnknown() if code == FUNCTION_UNKNOWN else SupabaseUnavailable()

    def _record_refusal(self) -> KeyRefused:
        now = time.monotonic()
        self._refused_since = self._refused_since or now
        if now - self._refused_since > KEY_REFUSED_S:
            log.error("supabase.key_refused", seconds=round(now - self._refused_since))
        return KeyRefused()


class LimitedFunctions(SqlFunctions):
    """SQL functions that work with the service's limits.

    limits: Settings.limits. They are written once, before the first call that needs them, and named
    by their id from then on; once more when the database has forgotten them (it was restored).
    """

    def __init__(self, rest_url: str, key: str, http: httpx.AsyncClient, limits: Mapping[str, Any]):
        super().__init__(rest_url, key, http)
        self._limits = dict(limits)
        self._limits_id: int | None = None

    async def call_limited(self, function: str, **arguments: Any) -> Any:
        try:
            return await self.call(function, **arguments, p_limits_id=await self._write_limits())
        except LimitsUnknown:
            self._limits_id = None
            return await self.call(function, **arguments, p_limits_id=await self._write_limits())

    async def _write_limits(self) -> int:
        if self._limits_id is None:
            self._limits_id = int(await self.call("write_limits", p_limits=self._limits))
        return self._limits_id


def _translate_ours(code: str, message: str, body: dict[str, Any]) -> ParcoursError:
    """What an SQL function of ours says (PTxxx)."""
    if body.get("hint") == "limits":
        return LimitsUnknown(message, status=int(code[2:]))
    if code == "PT429":
        if body.get("hint") in telemetry.DAILY_LIMITS:
            telemetry.CREATES_REFUSED.labels(body["hint"]).inc()
        wait_s = float(body["details"]) if body.get("details") else None
        return HINTS.get(body.get("hint") or "", RetryableError)(message, status=429, wait_s=wait_s)
    return PermanentError(message, status=int(code[2:]))


def _read_error(response: httpx.Response) -> dict[str, Any]:
    """The error's fields; none of them when the answer is no JSON object."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


class ResultModel(pydantic.BaseModel):
    """Ignore unknown fields: a newer database may add some."""

    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")


class RunCreated(ResultModel):
    """A run as create answers it. brief: in French; briefs: by language. segments: how many."""

    run_id: UUID
    title: str | None
    brief: str | None
    briefs: dict[Language, str] | None = None
    status: str
    segments: int


class Admission(ResultModel):
    """run: the earlier run of a repeated key; else place: one is held in the quotas."""

    run: RunCreated | None = None
    place: UUID | None = None


class RunStarted(ResultModel):
    """A run in hand. pending: segments not yet complete; total_seconds: the journey's length."""

    run_id: UUID
    segments: int
    pending: int
    total_seconds: int


class RunCancelled(ResultModel):
    """A run that was given up. All counts are of segments.

    cancelled: will not be composed; under_way: will still be stored; complete: are stored.
    """

    run_id: UUID
    status: str
    cancelled: int
    under_way: int
    complete: int


class Claim(ResultModel):
    """The right to submit one attempt, when outcome is 'claimed'; 'skipped' or 'waits' otherwise.

    wait_s: for how many seconds a segment waits, when the credits of the day are spent.
    refused_prompts: how many prompts Suno has refused for this segment.
    """

    outcome: str
    status: str
    segment_id: UUID
    segment_index: int
    task_id: str | None = None
    slot: int | None = None
    wait_s: float | None = None
    callback_token: UUID | None = None
    prompt: str = ""
    title: str = ""
    planned_seconds: int = 0
    preset_key: str = ""
    refused_prompts: int = 0


class Question(ResultModel):
    """Whether Suno may be asked about an attempt: 'reserved' with a slot, 'none' or 'late'."""

    outcome: str
    slot: int | None = None


class Job(ResultModel):
    """A message of one of our queues; (msg_id, read_ct) is the receipt.

    request_id: of the request that it comes from, where that is known. trace: of the run, as a
    traceparent, where create was traced.
    """

    msg_id: int
    read_ct: int
    run_id: UUID
    request_id: str | None = None
    trace: str | None = None


class Step(Job):
    """What a run in hand needs now: 'submit', 'ask', 'retry', 'give_up' or 'settle'."""

    action: str
    segment_id: UUID | None = None
    callback_token: UUID | None = None
    task_id: str | None = None


class OtherTrack(ResultModel):
    """Another track of the same task, which is stored when the first cannot be had."""

    id: str | None = None
    download_url: str
    trusted: bool = False
    duration_seconds: float | None = None


class TrackJob(Job):
    """A delivered track to store.

    current: false when its attempt is over. gone: the segment itself has been erased.
    announced_seconds: how long Suno says that it is. delivered_s: how long ago Suno said that it
    is complete. others: the task's other tracks.
    """

    kind: Literal["store"]
    current: bool
    gone: bool = False
    segment_id: UUID
    callback_token: UUID
    task_id: str | None = None
    download_url: str
    trusted: bool
    track_id: str | None = None
    announced_seconds: float | None = None
    delivered_s: float | None = None
    others: tuple[OtherTrack, ...] = ()


class EraseJob(Job):
    """A run that has been erased, and whose files are to go. current: false when they are gone."""

    kind: Literal["erase"]
    current: bool


STEP: pydantic.TypeAdapter[Step] = pydantic.TypeAdapter(Step)
TRACK_JOB: pydantic.TypeAdapter[TrackJob | EraseJob] = pydantic.TypeAdapter(
    Annotated[TrackJob | EraseJob, pydantic.Field(discriminator="kind")]
)


GENERATION_QUEUE, TRACKS_QUEUE = "parcours_generation", "parcours_tracks"


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
class NewBrief:
    """What rewrite_run stores. segments: prompt and metadata of those after the first, in order."""

    text: str
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

    async def rewrite_run(
        self, run_id: UUID, metadata: dict[str, Any], brief: NewBrief | None = None
    ) -> RunCreated:
        """Give a run the brief that was still being written, or say in its metadata why none was.

        A cancelled run, or one whose later segments were attempted, keeps its words. The run as it
        is then. Raises PermanentError (404) for an unknown run.
        """
        answer = await self._call(
            "rewrite_run",
            p_run_id=str(run_id),
            p_metadata=metadata,
            p_brief=brief and brief.text,
            p_segments=brief and brief.segments,
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
        began_ns = time.time_ns()
        answer = await self._call(
            "record_callback",
            p_segment_id=str(segment_id),
            p_token=str(token),
            p_event=event.as_json(),
        )
        facts = {tracing.RUN_ID: answer.get("run_id", ""), "parcours.source": event.source}
        tracing.join(answer.get("trace"), f"callback {event.stage}", began_ns, **facts)
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

    Its lease ends by itself, and SQL sets it aside when that has happened too often (next_steps).
    """
    jobs: list[AnyJob] = []
    for job in answer:
        try:
            jobs.append(adapter.validate_python(job))
        except ValidationError as error:
            wrong = sorted({".".join(map(str, one["loc"])) for one in error.errors()})
            log.error("job.unreadable", queue=queue, msg_id=job.get("msg_id"), fields=wrong)
    return jobs
