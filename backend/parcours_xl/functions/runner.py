"""parcours-xl-runner: a run is put in hand, at once (docs/specification.md#parcours-xl-runner)."""

from typing import Literal
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.adapters.database_answers import RunStarted
from parcours_xl.functions.house import house_of
from parcours_xl.http.asking import find_user, require_access
from parcours_xl.http.bodies import read_body
from parcours_xl.http.shapes import Answered, Asked, answer
from parcours_xl.trouble import Refused


class RunnerRequest(Asked):
    """The run to start, or to resume after a failure."""

    run_id: UUID


class RunnerAnswer(Answered):
    """pending: segments not yet complete. totalDuration: the whole journey, in seconds."""

    ok: Literal[True]
    run_id: UUID
    segments: int
    pending: int
    total_duration: int


async def runner(request: Request) -> Response:
    """Have every segment of a run composed, one after the other, in the background."""
    house = house_of(request)
    require_access(request, house.outside.auth, house.settings.runner_access)
    body = await read_body(request, RunnerRequest)
    run = await _start(request, body.run_id)
    house.wake_worker()
    return answer(
        RunnerAnswer(
            ok=True,
            run_id=run.run_id,
            segments=run.segments,
            pending=run.pending,
            total_duration=run.total_seconds,
        ),
        202,
    )


async def _start(request: Request, run_id: UUID) -> RunStarted:
    outside = house_of(request).outside
    try:
        return await outside.database.start_run(run_id)
    except Refused as refused:
        # A cancelled run: only now does it matter who asks.
        user_id = await find_user(request, outside.auth) if refused.status == 409 else None
        if user_id is None:
            raise
        return await outside.database.start_run(run_id, user_id)
