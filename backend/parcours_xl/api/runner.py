"""parcours-xl-runner: a run is started, and its logs (docs/specification.md#parcours-xl-runner)."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from parcours_xl.api.authentication import find_user, require_access
from parcours_xl.api.schemas import (
    BadRequest,
    Id,
    RequestModel,
    ResponseModel,
    json_response,
    read_body,
    read_uuid,
)
from parcours_xl.api.state import app_state
from parcours_xl.clients.database import RunStarted
from parcours_xl.domain.periods import read_moment
from parcours_xl.errors import PermanentError
from parcours_xl.services.event_lines import write_line


class RunnerRequest(RequestModel):
    """The run to start, or to resume after a failure."""

    run_id: Id


class RunnerResponse(ResponseModel):
    """pending: segments not yet complete. totalDuration: the whole journey, in seconds."""

    ok: Literal[True]
    run_id: UUID
    segments: int
    pending: int
    total_duration: int


async def runner(request: Request) -> Response:
    """Have every segment of a run composed, one after the other, in the background."""
    state = app_state(request)
    require_access(request, state.clients.auth, state.settings.runner_access)
    body = await read_body(request, RunnerRequest)
    run = await _start(request, body.run_id)
    state.wake_worker()
    return json_response(
        RunnerResponse(
            ok=True,
            run_id=run.run_id,
            segments=run.segments,
            pending=run.pending,
            total_duration=run.total_seconds,
        ),
        202,
    )


async def _start(request: Request, run_id: UUID) -> RunStarted:
    clients = app_state(request).clients
    try:
        return await clients.database.start_run(run_id)
    except PermanentError as refused:
        # A cancelled run: only now does it matter who asks.
        user_id = await find_user(request, clients.auth) if refused.status == 409 else None
        if user_id is None:
            raise
        return await clients.database.start_run(run_id, user_id)


LINES_USUAL, LINES_MAX = 200, 1000


async def runner_logs(request: Request) -> Response:
    """Events, oldest first; text for curl, JSON for programs. Needs the service-role key."""
    state = app_state(request)
    require_access(request, state.clients.auth, "service_role")
    events = await state.clients.queries.read_logs(
        _read_run(request), since=_read_since(request), limit=_read_limit(request)
    )
    if _wants_text(request):
        return PlainTextResponse("".join(f"{write_line(event)}\n" for event in events))
    return JSONResponse(
        {
            "events": [
                {
                    "id": event.id,
                    "at": event.at.isoformat(),
                    "what": event.what,
                    "runId": str(event.run_id),
                    "segmentId": event.segment_id and str(event.segment_id),
                    "segmentIndex": event.segment_index,
                    "detail": event.detail,
                }
                for event in events
            ]
        }
    )


def _read_run(request: Request) -> UUID | None:
    return read_uuid(request, "runId") if "runId" in request.query_params else None


def _read_since(request: Request) -> datetime | None:
    text = request.query_params.get("since")
    if text is None:
        return None
    try:
        return read_moment(text, datetime.now(UTC))
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"the parameter since: {error}") from None


def _read_limit(request: Request) -> int:
    text = request.query_params.get("limit", str(LINES_USUAL))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LINES_MAX):
        raise BadRequest(f"the parameter limit is a number from 1 to {LINES_MAX}")
    return int(text)


def _wants_text(request: Request) -> bool:
    accepted = request.headers.get("accept", "*/*")
    if accepted == "*/*":
        return request.headers.get("user-agent", "").startswith("curl/")
    return "text/plain" in accepted
