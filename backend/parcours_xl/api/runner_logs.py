"""parcours-xl-runner/logs: what happened to runs (docs/specification.md#runner-logs)."""

from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from parcours_xl.api.authentication import require_access
from parcours_xl.api.request_parsing import BadRequest, read_uuid
from parcours_xl.api.state import app_state
from parcours_xl.domain.periods import read_moment
from parcours_xl.services.event_lines import write_line

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
