"""ParcoursError as an answer: always JSON, always with `error`, never with internals."""

import math

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.api.request_parsing import BadRequest
from parcours_xl.api.schemas import ErrorResponse, json_response
from parcours_xl.errors import ParcoursError, RetryableError

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
