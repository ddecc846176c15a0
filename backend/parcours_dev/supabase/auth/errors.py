"""What Auth refuses, in the words and the two shapes of supabase/auth."""

import logging
from typing import Any

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse

log = logging.getLogger(__name__)

API_VERSION = "x-supabase-api-version"
# From this version on, `code` is the name of the error; before, it was the HTTP status.
NAMED_CODES_SINCE = "2024-01-01"


class AuthError(Exception):
    """A request that Auth refuses, with the error code clients tell it by."""

    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


def invalid(message: str, code: str = "validation_failed") -> AuthError:
    """A request that could never do (400)."""
    return AuthError(400, code, message)


def unprocessable(code: str, message: str, **details: Any) -> AuthError:
    """A request that is well-formed, but not to be granted (422)."""
    return AuthError(422, code, message, **details)


def forbidden(code: str, message: str) -> AuthError:
    """A token that does not admit to this route (403)."""
    return AuthError(403, code, message)


def render_error(request: Request, error: Exception) -> JSONResponse:
    """The answer to a request that Auth refused."""
    assert isinstance(error, AuthError)
    headers = {"x-sb-error-code": error.code}
    version = request.headers.get(API_VERSION, "")
    if version >= NAMED_CODES_SINCE:
        body = {"code": error.code, "message": error.message, **error.details}
        headers[API_VERSION] = NAMED_CODES_SINCE
    else:
        body = {"code": error.status, "error_code": error.code, "msg": error.message}
        body |= error.details
    return JSONResponse(body, error.status, headers)


def render_database_error(request: Request, error: Exception) -> JSONResponse:
    """The answer when the database is unavailable (503), or does what nobody expected (500)."""
    log.error("%s %s: %s", request.method, request.url.path, error)
    unavailable = isinstance(error, psycopg.OperationalError)
    status, message = (503, "Database is unavailable") if unavailable else (500, "Database error")
    return render_error(request, AuthError(status, "unexpected_failure", message))
