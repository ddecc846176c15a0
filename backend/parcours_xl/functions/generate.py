"""parcours-xl-generate: Suno composes one segment (runbook: Edge Functions, 2)."""

from typing import Annotated, Self
from uuid import UUID

import pydantic
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from parcours_xl.functions.house import house_of
from parcours_xl.http.asking import require_access
from parcours_xl.http.bodies import read_body
from parcours_xl.services.generation import submit_segment


class GenerateRequest(pydantic.BaseModel):
    """Which segment: segmentId, or runId with segmentIndex (from 0)."""

    segmentId: UUID | None = None  # noqa: N815
    runId: UUID | None = None  # noqa: N815
    segmentIndex: Annotated[int, pydantic.Field(strict=True, ge=0, le=1000)] | None = None  # noqa: N815

    @pydantic.model_validator(mode="after")
    def _names_a_segment(self) -> Self:
        if self.segmentId is None and (self.runId is None or self.segmentIndex is None):
            raise ValueError("segmentId is needed, or runId with segmentIndex")
        return self


async def generate(request: Request) -> Response:
    """Submit one segment to Suno, once an attempt."""
    house = house_of(request)
    require_access(request, house.outside.auth, house.settings.generate_access)
    body = await read_body(request, GenerateRequest)
    claim = await submit_segment(
        house.outside.database,
        house.outside.suno,
        house.settings.callback_base,
        segment_id=body.segmentId,
        run_id=body.runId,
        segment_index=body.segmentIndex,
    )
    skipped = {"skipped": True} if claim.outcome == "skipped" else {}
    return JSONResponse(
        {
            "success": True,
            "taskId": claim.task_id,
            "segmentId": str(claim.segment_id),
            "segmentIndex": claim.segment_index,
            "status": claim.status,
        }
        | skipped
    )
