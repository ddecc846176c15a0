"""A run is created: the brief is written, fitted, and stored with its segments."""

import time
from contextlib import suppress
from uuid import UUID

import anyio
import structlog

from parcours_xl import tracing
from parcours_xl.clients.brief_writer import BriefNotWritten, BriefWriter, TokensSpent
from parcours_xl.clients.database import Database, Demand, NewRun, RunCreated, SupabaseUnavailable
from parcours_xl.domain.brief import Brief, curated_brief
from parcours_xl.domain.emotion import EmotionState
from parcours_xl.domain.preset import Preset
from parcours_xl.domain.prompts import suno_style

LEAVE_S_MAX = 2

log = structlog.get_logger(__name__)


async def create_run(
    database: Database,
    writer: BriefWriter,
    demand: Demand,
    preset: Preset,
    emotion: EmotionState,
    asked_at: float | None = None,
) -> RunCreated:
    """The user's new run, or the earlier one of a repeated Idempotency-Key.

    asked_at: when the request arrived (time.monotonic): from then on the listener waits.
    Raises RetryableError (429) over the daily quota, PermanentError (422) for a key of another
    request, or (403) for a user whom the rollout has not reached.
    """
    admission = await database.admit_run(demand)
    if admission.run is not None:
        return admission.run
    assert admission.place is not None, "an admission is a run or a place"
    # Whatever ends the create before the run is there, its place is free for the next one.
    try:
        run = await _write_run(writer, demand, preset, emotion)
        if asked_at is not None:
            run.metadata["waited_s"] = round(time.monotonic() - asked_at, 1)
        created = await database.create_run(demand, run, admission.place)
    except BaseException:
        await _leave(database, admission.place)
        raise
    tracing.note_run(created.run_id)
    return created


async def _leave(database: Database, place: UUID) -> None:
    with anyio.move_on_after(LEAVE_S_MAX, shield=True), suppress(SupabaseUnavailable):
        await database.leave_place(place)


async def _write_run(
    writer: BriefWriter, demand: Demand, preset: Preset, emotion: EmotionState
) -> NewRun:
    brief, origin = await _write_brief(writer, preset, emotion)
    metadata = origin | {
        "title": brief.title,
        "brief": brief.text.model_dump(),
        "emotion": emotion.emotion or preset.emotion,
        "intensity": emotion.intensity,
    }
    if trace := tracing.current():
        # Whatever is done for the run from now on belongs to the trace of its create.
        metadata["trace"] = trace
    segments = [
        {
            "prompt": suno_style(preset, plan.prompt),
            "title": plan.title,
            "planned_seconds": plan.planned_seconds,
        }
        for plan in brief.segments
    ]
    return NewRun(demand.user_id, preset.key, brief.text.fr, metadata, segments)


async def _write_brief(
    writer: BriefWriter, preset: Preset, emotion: EmotionState
) -> tuple[Brief, dict[str, object]]:
    """A brief, and where it comes from: the preset's own is always there."""
    spent = TokensSpent()
    origin: dict[str, object]
    try:
        brief, model = await writer.write(preset, emotion, spent)
        origin = {"brief_source": "openai", "brief_model": model}
    except BriefNotWritten as why:
        log.warning("brief.curated", reason=why.reason, preset=preset.key)
        brief = curated_brief(preset, bounds=writer.bounds)
        origin = {"brief_source": "curated", "brief_reason": why.reason}
    return brief, origin | ({"openai_tokens": spent.total} if spent.total else {})
