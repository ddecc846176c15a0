"""parcours-xl-callback: Suno reports progress (runbook: Edge Functions, 3)."""

from typing import Literal

import pydantic
from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.adapters.suno_events import SunoEvent, parse_callback
from parcours_xl.functions.house import house_of
from parcours_xl.http.bodies import describe, read_object, read_uuid
from parcours_xl.http.shapes import Answered, answer

STAGES_WITH_WORK = ("complete", "error")
"""After these there is something to store, to ask or to try again; a preview asks for nothing."""


class CallbackAnswer(Answered):
    """skipped: the report was repeated, late or regressing, and changed nothing."""

    ok: Literal[True]
    skipped: bool = False


async def callback(request: Request) -> Response:
    """Acknowledge one callback after one database round trip; the rest is a job."""
    house = house_of(request)
    segment_id, token = read_uuid(request, "segment"), read_uuid(request, "token")
    event = await _read_event(request)
    changed = await house.outside.database.record_callback(segment_id, token, event)
    if event.stage in STAGES_WITH_WORK:
        house.wake_worker()
    return answer(CallbackAnswer(ok=True, skipped=not changed))


async def _read_event(request: Request) -> SunoEvent:
    body = await read_object(request)
    try:
        return parse_callback(body, house_of(request).outside.hosts)
    except pydantic.ValidationError as error:
        raise describe(error) from None
