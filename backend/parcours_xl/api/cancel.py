"""parcours-xl-cancel: the owner stops a run (docs/specification.md#parcours-xl-cancel)."""

from typing import Literal
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.api.authentication import require_user
from parcours_xl.api.schemas import Id, RequestModel, ResponseModel, json_response, read_body
from parcours_xl.api.state import app_state
from parcours_xl.domain.states import RunStatus


class CancelRequest(RequestModel):
    """The run to give up."""

    run_id: Id


class CancelResponse(ResponseModel):
    """How many segments were given up, are still under way, and are complete."""

    ok: Literal[True]
    run_id: UUID
    status: RunStatus
    cancelled: int
    under_way: int
    complete: int


async def cancel(request: Request) -> Response:
    """Compose no more of one's own run; what is under way is still stored."""
    state = app_state(request)
    user_id = await require_user(request, state.clients.auth)
    body = await read_body(request, CancelRequest)
    run = await state.clients.database.cancel_run(body.run_id, user_id)
    state.wake_worker()
    return json_response(
        CancelResponse(
            ok=True,
            run_id=run.run_id,
            status=RunStatus(run.status),
            cancelled=run.cancelled,
            under_way=run.under_way,
            complete=run.complete,
        )
    )
