"""A run is created: the brief is written, fitted, and stored with its segments."""

import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import anyio
import structlog

from parcours_xl import tracing
from parcours_xl.clients.brief_writer import BriefNotWritten, BriefWriter, TokensSpent
from parcours_xl.clients.database import (
    Database,
    Demand,
    NewBrief,
    NewRun,
    RunCreated,
    SupabaseUnavailable,
)
from parcours_xl.domain.brief import Brief, SegmentPlan, curated_brief
from parcours_xl.domain.emotion import EmotionState
from parcours_xl.domain.preset import Preset
from parcours_xl.domain.prompts import suno_style

LEAVE_S_MAX = 2

log = structlog.get_logger(__name__)


BEING_WRITTEN = "being_written"
"""The metadata.brief_reason of a run whose brief is not there yet: rewrite_run looks for it."""


async def create_run(
    database: Database,
    writer: BriefWriter,
    demand: Demand,
    preset: Preset,
    emotion: EmotionState,
    asked_at: float | None = None,
    begin_first: Callable[[UUID], None] | None = None,
) -> RunCreated:
    """The user's new run, or the earlier one of a repeated Idempotency-Key.

    asked_at: when the request arrived (time.monotonic): from then on the listener waits.
    begin_first: begins the first segment of a run and returns at once. With it the run is stored
    with the preset's own brief before OpenAI is asked, and its words follow; without it nothing is
    bought before the runner is called. An earlier run is answered as it stands.
    Raises RetryableError (429) over the daily quota, PermanentError (422) for a key of another
    request, or (403) for a user whom the rollout has not reached.
    """
    admission = await database.admit_run(demand)
    if admission.run is not None:
        return admission.run
    assert admission.place is not None, "an admission is a run or a place"
    # Whatever ends the create before the run is there, its place is free for the next one.
    try:
        if begin_first is None:
            brief, origin = await _write_brief(writer, preset, emotion)
        else:
            brief = curated_brief(preset, bounds=writer.bounds)
            origin = {"brief_source": "curated", "brief_reason": BEING_WRITTEN}
        run = _new_run(demand, preset, emotion, brief, origin)
        if asked_at is not None:
            run.metadata["waited_s"] = round(time.monotonic() - asked_at, 1)
        created = await database.create_run(demand, run, admission.place)
    except BaseException:
        await _leave(database, admission.place)
        raise
    tracing.note_run(created.run_id)
    if begin_first is None:
        return created
    # From here on music may be bought: whatever fails, the run is there and is answered.
    begin_first(created.run_id)
    return await _rewrite(database, writer, preset, emotion, created, brief.segments[0])


async def _rewrite(
    database: Database,
    writer: BriefWriter,
    preset: Preset,
    emotion: EmotionState,
    created: RunCreated,
    first: SegmentPlan,
) -> RunCreated:
    """Give the run the words that OpenAI writes, or the reason why it keeps the preset's own."""
    brief, origin = await _write_brief(writer, preset, emotion, first)
    written = origin["brief_source"] == "openai"
    new = NewBrief(brief.text.fr, _segments(preset, brief)[1:]) if written else None
    try:
        return await database.rewrite_run(
            created.run_id, origin | (_words(brief) if written else {}), new
        )
    except SupabaseUnavailable as error:
        log.warning("brief.not_stored", run_id=str(created.run_id), reason=error.message)
        return created


async def _leave(database: Database, place: UUID) -> None:
    with anyio.move_on_after(LEAVE_S_MAX, shield=True), suppress(SupabaseUnavailable):
        await database.leave_place(place)


def _new_run(
    demand: Demand, preset: Preset, emotion: EmotionState, brief: Brief, origin: dict[str, object]
) -> NewRun:
    metadata = (
        origin
        | _words(brief)
        | {"emotion": emotion.emotion or preset.emotion, "intensity": emotion.intensity}
    )
    if trace := tracing.current():
        # Whatever is done for the run from now on belongs to the trace of its create.
        metadata["trace"] = trace
    return NewRun(demand.user_id, preset.key, brief.text.fr, metadata, _segments(preset, brief))


def _words(brief: Brief) -> dict[str, object]:
    """What of a brief stands in the run's metadata."""
    return {"title": brief.title, "brief": brief.text.model_dump()}


def _segments(preset: Preset, brief: Brief) -> list[dict[str, object]]:
    return [
        {
            "prompt": suno_style(preset, plan.prompt),
            "title": plan.title,
            "planned_seconds": plan.planned_seconds,
        }
        for plan in brief.segments
    ]


async def _write_brief(
    writer: BriefWriter, preset: Preset, emotion: EmotionState, first: SegmentPlan | None = None
) -> tuple[Brief, dict[str, object]]:
    """A brief, and where it comes from: the preset's own is always there."""
    spent = TokensSpent()
    origin: dict[str, object]
    try:
        brief, model = await writer.write(preset, emotion, spent, first)
        origin = {"brief_source": "openai", "brief_model": model}
    except BriefNotWritten as why:
        log.warning("brief.curated", reason=why.reason, preset=preset.key)
        brief = curated_brief(preset, bounds=writer.bounds)
        origin = {"brief_source": "curated", "brief_reason": why.reason}
    return brief, origin | ({"openai_tokens": spent.total} if spent.total else {})
