"""Trouble as an answer: always JSON, always with `error`, never with internals."""

import math

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from parcours_xl.http.bodies import BadRequest
from parcours_xl.http.shapes import ErrorAnswer, answer
from parcours_xl.trouble import Postponed, Trouble

WAIT_S_UNKNOWN = 2


async def answer_trouble(_: Request, trouble: Exception) -> Response:
    """Refused and Postponed, with Retry-After where waiting helps."""
    assert isinstance(trouble, Trouble)
    headers = {}
    if isinstance(trouble, Postponed):
        headers["Retry-After"] = str(max(1, math.ceil(trouble.wait_s or WAIT_S_UNKNOWN)))
    details = trouble.details if isinstance(trouble, BadRequest) else None
    body = ErrorAnswer(error=trouble.message, code=trouble.code, details=details)
    return answer(body, trouble.status, headers)


async def answer_http_exception(_: Request, error: Exception) -> Response:
    """Starlette's own answers (404, 405 with Allow) in the documented shape."""
    assert isinstance(error, HTTPException)
    return answer(ErrorAnswer(error=error.detail), error.status_code, error.headers)
