"""What callers send and get: read within limits, answered as JSON, errors in one shape.

A request that is not as documented is a clear 400, 408 or 413. An error answer always has `error`,
and never internals. Names are camelCase outside and snake_case inside.
"""

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.errors import ParcoursError, PermanentError, RetryableError


def _trim(value: object) -> object:
    return value.strip() if isinstance(value, str) and len(value) <= ID_CHARS_MAX else value


ID_CHARS_MAX = 100
"""Of an id with the blanks around it, as `psql -t` prints them."""

Id = Annotated[UUID, BeforeValidator(_trim)]


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


BODY_BYTES_MAX = 65_536
BODY_S_MAX = 30

Model = TypeVar("Model", bound=pydantic.BaseModel)


class BadRequest(PermanentError):
    """The request is not as documented. details: one entry a fault, and at least one."""

    def __init__(self, message: str, details: Sequence[Fault] = ()):
        super().__init__(message)
        self.details = list(details) or [Fault(field="", message=message)]


async def read_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object of at most 64 KiB."""
    return await read_bounded_object(request, BODY_BYTES_MAX, BODY_S_MAX)


async def read_bounded_object(
    request: Request, bytes_max: int, seconds_max: float
) -> dict[str, Any]:
    """The body as a JSON object, of at most so many bytes that come in so many seconds.

    Raises PermanentError (408, 413) or BadRequest (400).
    """
    # Starlette's own max_body_size answers in plain text; every answer here is JSON.
    body = bytearray()
    try:
        async with asyncio.timeout(seconds_max):
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise PermanentError(f"the body is over {bytes_max} bytes", status=413)
    except TimeoutError:
        raise PermanentError(f"the body did not come within {seconds_max} s", status=408) from None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None
    if not isinstance(value, dict):
        raise BadRequest("the body is not a JSON object")
    return value


async def read_body(request: Request, model: type[Model]) -> Model:
    """The body as one of the documented shapes."""
    try:
        return model.model_validate(await read_object(request))
    except pydantic.ValidationError as error:
        raise describe(error) from None


def read_uuid(request: Request, name: str) -> UUID:
    """A UUID of the query string."""
    value = request.query_params.get(name)
    try:
        return UUID(str(_trim(value or "")))
    except ValueError:
        fault = "is missing" if value is None else "is not a UUID"
        details = [Fault(field=name, message=fault)]
        raise BadRequest(f"the parameter {name} {fault}", details) from None


def describe(error: pydantic.ValidationError) -> BadRequest:
    """A broken shape as the documented answer; what was sent is not repeated."""
    details = [
        Fault(field=".".join(map(str, fault["loc"])), message=fault["msg"])
        for fault in error.errors(include_url=False, include_input=False)
    ]
    return BadRequest("the request is not as documented", details)


WAIT_S_UNKNOWN = 2


async def respond_with_error(_: Request, error: Exception) -> Response:
    """PermanentError and RetryableError, with Retry-After where waiting helps."""
    assert isinstance(error, ParcoursError)
    headers = {}
    if isinstance(error, RetryableError):
        headers["Retry-After"] = str(max(1, math.ceil(error.wait_s or WAIT_S_UNKNOWN)))
    details = error.details if isinstance(error, BadRequest) else None
    body = ErrorResponse(error=error.message, code=error.code, details=details)
    return json_response(body, error.status, headers)


async def respond_with_http_error(_: Request, error: Exception) -> Response:
    """Starlette's own answers (404, 405 with Allow) in the documented shape."""
    assert isinstance(error, HTTPException)
    return json_response(ErrorResponse(error=error.detail), error.status_code, error.headers)
