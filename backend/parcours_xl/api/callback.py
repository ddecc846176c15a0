"""parcours-xl-callback: Suno reports progress (docs/specification.md#parcours-xl-callback)."""

from typing import Any, Literal

import pydantic
from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.api.schemas import ResponseModel, describe, json_response, read_object, read_uuid
from parcours_xl.api.state import app_state
from parcours_xl.clients.hosts import TrackHosts
from parcours_xl.clients.suno_codes import Vendor
from parcours_xl.clients.suno_events import SunoEvent, parse_callback, reports_error

STAGES_WITH_WORK = ("complete", "error")
"""After these there is something to store, to ask or to try again; a preview asks for nothing."""


class CallbackResponse(ResponseModel):
    """skipped: the report was repeated, late or regressing, and changed nothing."""

    ok: Literal[True]
    skipped: bool = False


async def callback(request: Request) -> Response:
    """Acknowledge one callback after one database round trip (an error: two); the rest is a job."""
    state = app_state(request)
    segment_id, token = read_uuid(request, "segment"), read_uuid(request, "token")
    body = await read_object(request)
    if reports_error(body):
        # Its message is searched for tokens: never before the sender is known.
        await state.clients.database.check_callback(segment_id, token)
    event = _read_event(body, state.clients.hosts, state.settings.suno_vendor)
    changed = await state.clients.database.record_callback(segment_id, token, event)
    if event.stage in STAGES_WITH_WORK:
        state.wake_worker()
    return json_response(CallbackResponse(ok=True, skipped=not changed))


def _read_event(body: dict[str, Any], hosts: TrackHosts, vendor: Vendor) -> SunoEvent:
    try:
        return parse_callback(body, hosts, vendor)
    except pydantic.ValidationError as error:
        raise describe(error) from None
