"""parcours-xl-runner: a run is put in hand, at once (runbook: Edge Functions, 5)."""

from uuid import UUID

import pydantic
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from parcours_xl.functions.house import house_of
from parcours_xl.http.asking import require_access
from parcours_xl.http.bodies import read_body


class RunnerRequest(pydantic.BaseModel):
    """The run to start, or to resume after a failure."""

    runId: UUID  # noqa: N815


async def runner(request: Request) -> Response:
    """Have every segment of a run composed, one after the other, in the background."""
    house = house_of(request)
    require_access(request, house.outside.auth, house.settings.runner_access)
    body = await read_body(request, RunnerRequest)
    run = await house.outside.database.start_run(body.runId)
    house.wake_worker()
    return JSONResponse(
        {
            "ok": True,
            "runId": str(run.run_id),
            "segments": run.segments,
            "pending": run.pending,
            "totalDuration": run.total_seconds,
        },
        202,
    )
