"""The JSON that callers send and get: camelCase outside, our own words inside."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from starlette.responses import Response


class RequestModel(BaseModel):
    """What a caller sends. Further fields are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")


class ResponseModel(BaseModel):
    """What a caller gets. A field with a default is left out while it has that value."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Fault(ResponseModel):
    """One thing that is wrong with a request."""

    field: str
    message: str


class ErrorResponse(ResponseModel):
    """Every answer that is not a success. code: Suno's own. requestId: what to report to us."""

    error: str
    details: list[Fault] | None = None
    code: int | None = None
    request_id: str | None = None


def json_response(
    body: ResponseModel, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The body as JSON."""
    text = body.model_dump_json(by_alias=True, exclude_defaults=True)
    return Response(text, status, headers, media_type="application/json")
