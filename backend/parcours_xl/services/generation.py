"""One attempt of one segment: submitted to Suno, asked about."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import anyio
import structlog

from parcours_xl.clients.database import Claim, Database, SupabaseUnavailable
from parcours_xl.clients.suno import Order, Suno, SunoOutcomeUnknown, SunoRefused, SunoUnavailable
from parcours_xl.clients.suno_events import SunoEvent
from parcours_xl.domain.presets import UnknownPreset, find_preset
from parcours_xl.domain.prompts import clean_prompt, prompts_for
from parcours_xl.errors import ParcoursError, RetryableError

RECORD_TRIES_MAX, RECORD_PAUSE_S = 8, 1.0
RECORD_PAUSE_GROWTH = 1.5
"""Pauses of 1, 1.5, 2.3 … 11.4 s, 32 s in all: less than UNANSWERED_S (90 s), after which another
task is bought in place of one that nobody knows of."""

log = structlog.get_logger(__name__)


class CreditsSpent(RetryableError):
    """The day's credits are spent: the journey waits, and goes on by itself."""

    status = 429

    def __init__(self, wait_s: float | None):
        super().__init__(self.__doc__ or "", wait_s=wait_s)


async def submit_segment(
    database: Database,
    suno: Suno,
    callback_base: str,
    *,
    segment_id: UUID | None = None,
    run_id: UUID | None = None,
    segment_index: int | None = None,
) -> Claim:
    """Claim a segment and have Suno compose it; the claim, with its task, or why it was skipped.

    Raises PermanentError (404) for an unknown segment, SunoQuotaFull, AttemptsUsedUp or
    CreditsSpent (429), and SunoRefused, SunoUnavailable or SunoOutcomeUnknown as Suno answers: that
    is recorded first.
    """
    claim = await database.claim_segment(segment_id, run_id, segment_index)
    if claim.outcome == "skipped":
        return claim
    if claim.outcome == "waits":
        raise CreditsSpent(claim.wait_s)
    assert claim.slot is not None, "a claim holds a slot of the quota"
    assert claim.callback_token is not None, "a claim is an attempt, and its token"
    token = claim.callback_token
    try:
        async with _answering(database, claim.slot):
            order = _order(claim, callback_base)
            if order is None:
                await database.fail_segment(claim.segment_id, token, "prompts_used_up")
                raise SunoRefused("every prompt of this segment", code=400, kind="for_good")
            task_id = await suno.submit(order)
    except (SunoRefused, SunoUnavailable) as refusal:
        await database.record_refusal(
            claim.segment_id, token, refusal.kind, refusal.code, refusal.message
        )
        raise
    except SunoOutcomeUnknown:
        log.warning("suno.outcome_unknown", segment_id=str(claim.segment_id))
        raise
    await _record_task(database, claim.segment_id, token, task_id)
    return claim.model_copy(update={"task_id": task_id})


async def submit_first_segment(
    database: Database, suno: Suno, callback_base: str, run_id: UUID
) -> None:
    """Submit a run's first segment before anybody has asked the runner.

    Never fails: what keeps Suno from it is recorded as it is for any submission, and the runner
    goes on from there.
    """
    try:
        await submit_segment(database, suno, callback_base, run_id=run_id, segment_index=0)
    except ParcoursError as error:
        log.warning("segment.not_submitted_early", run_id=str(run_id), reason=error.message)


async def ask_about_segment(
    database: Database, suno: Suno, segment_id: UUID, token: UUID, task_id: str
) -> bool:
    """Ask Suno what has become of an attempt; what it says is recorded as a callback would be.

    Whether that was anything new. Raises SunoQuotaFull (429), PermanentError (401) when it is over.
    """
    event = await ask(database, suno, segment_id, token, task_id)
    if event is None:
        return False
    changed = await database.record_callback(segment_id, token, event)
    return changed and event.stage != "pending"


async def ask(
    database: Database, suno: Suno, segment_id: UUID, token: UUID, task_id: str
) -> SunoEvent | None:
    """Suno's record of an attempt's task; 'pending' when it gives none.

    None when the attempt has no question left, or is over. Raises SunoQuotaFull.
    """
    try:
        return await ask_within_budget(database, suno, segment_id, token, task_id)
    except (SunoRefused, SunoUnavailable, SunoOutcomeUnknown) as error:
        log.warning("suno.query_failed", reason=error.message)
        return SunoEvent("pending", "record_info", task_id)


async def ask_within_budget(
    database: Database, suno: Suno, segment_id: UUID, token: UUID, task_id: str
) -> SunoEvent | None:
    """The same, for whom no answer is not the same as nothing new.

    Raises SunoQuotaFull, SunoRefused, SunoUnavailable or SunoOutcomeUnknown.
    """
    question = await database.reserve_question(segment_id, token)
    if question.slot is None:
        log.info("suno.query_skipped", segment_id=str(segment_id), why=question.outcome)
        return None
    async with _answering(database, question.slot):
        return await suno.ask(task_id)


async def look_up(database: Database, suno: Suno, task_id: str) -> SunoEvent:
    """Suno's record of a task of which no attempt is left: its music is there, or lost.

    Raises SunoQuotaFull, SunoRefused, SunoUnavailable or SunoOutcomeUnknown.
    """
    slot = await database.reserve_suno_request()
    async with _answering(database, slot):
        return await suno.ask(task_id)


def _order(claim: Claim, callback_base: str) -> Order | None:
    """What to submit. None when Suno has refused every prompt that there is for the segment."""
    try:
        preset = find_preset(claim.preset_key)
    except UnknownPreset:  # a run of another implementation
        preset = None
    prompts = prompts_for(claim.prompt, preset, claim.segment_index)
    if claim.refused_prompts >= len(prompts):
        return None
    callback_url = f"{callback_base}?segment={claim.segment_id}&token={claim.callback_token}"
    return Order(
        prompts[claim.refused_prompts],
        clean_prompt(claim.title),
        claim.planned_seconds,
        callback_url,
    )


@asynccontextmanager
async def _answering(database: Database, slot: int) -> AsyncIterator[None]:
    """Say when Suno has answered, however it did: the slot is free one window later."""
    try:
        yield
    finally:
        try:
            await database.answer_suno_request(slot)
        except SupabaseUnavailable:
            log.warning("suno.slot_not_released", slot=slot)


async def _record_task(database: Database, segment_id: UUID, token: UUID, task_id: str) -> None:
    """A task is paid for: its id is not given up at the first hiccup of the database."""
    for tries in range(1, RECORD_TRIES_MAX + 1):
        try:
            await database.record_task(segment_id, token, task_id)
            return
        except SupabaseUnavailable:
            if tries == RECORD_TRIES_MAX:
                raise
            await anyio.sleep(RECORD_PAUSE_S * RECORD_PAUSE_GROWTH ** (tries - 1))
