"""parcours-xl-cancel: the owner stops a run (docs/specification.md#parcours-xl-cancel)."""

from typing import Literal
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.functions.house import house_of
from parcours_xl.http.asking import require_user
from parcours_xl.http.bodies import read_body
from parcours_xl.http.shapes import Answered, Asked, answer
from parcours_xl.journeys.states import RunStatus


class CancelRequest(Asked):
    """The run to give up."""

    run_id: UUID


class CancelAnswer(Answered):
    """How many segments were given up, are still under way, and are complete."""

    ok: Literal[True]
    run_id: UUID
    status: RunStatus
    cancelled: int
    under_way: int
    complete: int


async def cancel(request: Request) -> Response:
    """Compose no more of one's own run; what is under way is still stored."""
    house = house_of(request)
    user_id = await require_user(request, house.outside.auth)
    body = await read_body(request, CancelRequest)
    run = await house.outside.database.cancel_run(body.run_id, user_id)
    house.wake_worker()
    return answer(
        CancelAnswer(
            ok=True,
            run_id=run.run_id,
            status=RunStatus(run.status),
            cancelled=run.cancelled,
            under_way=run.under_way,
            complete=run.complete,
        )
    )
