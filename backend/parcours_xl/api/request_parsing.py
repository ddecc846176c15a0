"""What a caller sent, read within limits; anything else is a clear 400, 408 or 413."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

import pydantic
from starlette.requests import Request

from parcours_xl.api.schemas import Fault
from parcours_xl.errors import PermanentError

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
    # Starlette's own max_body_size answers in plain text; every answer here is JSON.
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S_MAX):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    raise PermanentError(f"the body is over {BODY_BYTES_MAX} bytes", status=413)
    except TimeoutError:
        raise PermanentError(f"the body did not come within {BODY_S_MAX} s", status=408) from None
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
        return UUID(value or "")
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
