"""parcours-xl-cancel: the owner gives a run up, and nothing more is bought for it."""

from uuid import UUID

import pydantic
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from parcours_xl.functions.house import house_of
from parcours_xl.http.asking import require_user
from parcours_xl.http.bodies import read_body


class CancelRequest(pydantic.BaseModel):
    """The run to give up."""

    runId: UUID  # noqa: N815


async def cancel(request: Request) -> Response:
    """Compose no more of one's own run; what is under way is still stored."""
    house = house_of(request)
    user_id = await require_user(request, house.outside.auth)
    body = await read_body(request, CancelRequest)
    run = await house.outside.database.cancel_run(body.runId, user_id)
    house.wake_worker()
    return JSONResponse(
        {
            "ok": True,
            "runId": str(run.run_id),
            "status": run.status,
            "cancelled": run.cancelled,
            "underWay": run.under_way,
            "complete": run.complete,
        }
    )
