"""parcours-xl-generate: Suno composes one segment (docs/specification.md#parcours-xl-generate)."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.api.authentication import require_access
from parcours_xl.api.schemas import Id, RequestModel, ResponseModel, json_response, read_body
from parcours_xl.api.state import app_state
from parcours_xl.domain.states import SegmentStatus
from parcours_xl.services.generation import submit_segment


def _whole_number(value: object) -> object:
    # To JSON Schema 1.0 is an integer like 1; a text or a truth is none.
    return int(value) if isinstance(value, float) and value.is_integer() else value


class GenerateRequest(RequestModel):
    """Which segment: segmentId, or runId with segmentIndex (from 0)."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["segmentId"], "properties": {"segmentId": {"type": "string"}}},
                {
                    "required": ["runId", "segmentIndex"],
                    "properties": {
                        "runId": {"type": "string"},
                        "segmentIndex": {"type": "integer"},
                    },
                },
            ]
        }
    )

    segment_id: Id | None = None
    run_id: Id | None = None
    segment_index: (
        Annotated[int, Field(strict=True, ge=0, le=1000), BeforeValidator(_whole_number)] | None
    ) = None

    @model_validator(mode="after")
    def _names_a_segment(self) -> Self:
        if self.segment_id is None and (self.run_id is None or self.segment_index is None):
            raise ValueError("segmentId is needed, or runId with segmentIndex")
        return self


class GenerateResponse(ResponseModel):
    """skipped: the segment was under way or done already, and nothing was submitted."""

    success: Literal[True]
    task_id: str | None
    segment_id: UUID
    segment_index: int
    status: SegmentStatus
    skipped: bool = False


async def generate(request: Request) -> Response:
    """Submit one segment to Suno, once an attempt."""
    state = app_state(request)
    require_access(request, state.clients.auth, state.settings.generate_access)
    body = await read_body(request, GenerateRequest)
    claim = await submit_segment(
        state.clients.database,
        state.clients.suno,
        state.settings.callback_base,
        segment_id=body.segment_id,
        run_id=body.run_id,
        segment_index=body.segment_index,
    )
    return json_response(
        GenerateResponse(
            success=True,
            task_id=claim.task_id,
            segment_id=claim.segment_id,
            segment_index=claim.segment_index,
            status=SegmentStatus(claim.status),
            skipped=claim.outcome == "skipped",
        )
    )
