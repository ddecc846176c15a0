"""parcours-xl-callback: Suno reports progress (docs/specification.md#parcours-xl-callback)."""

from typing import Any, Literal

import pydantic
from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.adapters.hosts import TrackHosts
from parcours_xl.adapters.suno_codes import Vendor
from parcours_xl.adapters.suno_events import SunoEvent, parse_callback, reports_error
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
    """Acknowledge one callback after one database round trip (an error: two); the rest is a job."""
    house = house_of(request)
    segment_id, token = read_uuid(request, "segment"), read_uuid(request, "token")
    body = await read_object(request)
    if reports_error(body):
        # Its message is searched for tokens: never before the sender is known.
        await house.outside.database.check_callback(segment_id, token)
    event = _read_event(body, house.outside.hosts, house.settings.suno_vendor)
    changed = await house.outside.database.record_callback(segment_id, token, event)
    if event.stage in STAGES_WITH_WORK:
        house.wake_worker()
    return answer(CallbackAnswer(ok=True, skipped=not changed))


def _read_event(body: dict[str, Any], hosts: TrackHosts, vendor: Vendor) -> SunoEvent:
    try:
        return parse_callback(body, hosts, vendor)
    except pydantic.ValidationError as error:
        raise describe(error) from None
