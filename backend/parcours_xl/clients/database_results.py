"""What our SQL functions answer, as values."""

from typing import Annotated, Literal
from uuid import UUID

import pydantic

from parcours_xl.domain.bilingual import Language


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

    request_id: of the request that it comes from, where that is known.
    """

    msg_id: int
    read_ct: int
    run_id: UUID
    request_id: str | None = None


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
