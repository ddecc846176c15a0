"""parcours-xl-runner: a run is put in hand, at once (docs/specification.md#parcours-xl-runner)."""

from typing import Literal
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.api.authentication import find_user, require_access
from parcours_xl.api.request_parsing import read_body
from parcours_xl.api.schemas import RequestModel, ResponseModel, json_response
from parcours_xl.api.state import app_state
from parcours_xl.clients.database_results import RunStarted
from parcours_xl.errors import PermanentError


class RunnerRequest(RequestModel):
    """The run to start, or to resume after a failure."""

    run_id: UUID


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
