"""What Storage refuses, in the words and the shape of supabase/storage."""

import logging

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse

log = logging.getLogger(__name__)

# As hosted: the true status is in the body, as text, and HTTP says 400 except for these.
OUTSPOKEN_STATUSES = (416, 500, 503, 544)


class StorageError(Exception):
    """A request that Storage refuses.

    `code` is the modern name of the error, `error` the older one that clients show.
    """

    def __init__(self, status: int, code: str, message: str, error: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.error = error or code


def no_such_bucket() -> StorageError:
    """There is no such bucket, or not for the caller."""
    return StorageError(404, "NoSuchBucket", "Bucket not found", "Bucket not found")


def no_such_key() -> StorageError:
    """There is no such object, or not for the caller."""
    return StorageError(404, "NoSuchKey", "Object not found", "not_found")


def already_exists(code: str = "ResourceAlreadyExists") -> StorageError:
    """The name is taken."""
    return StorageError(409, code, "The resource already exists", "Duplicate")


def access_denied(message: str = "Access denied") -> StorageError:
    """The caller may not do this."""
    return StorageError(403, "AccessDenied", message, "Unauthorized")


def too_large(entity: str = "object") -> StorageError:
    """More bytes than the bucket takes."""
    message = f"The {entity} exceeded the maximum allowed size"
    return StorageError(413, "EntityTooLarge", message, "Payload too large")


def invalid_mime_type(mime_type: str) -> StorageError:
    """A kind of content that the bucket does not take."""
    message = f"mime type {mime_type} is not supported"
    return StorageError(415, "InvalidMimeType", message, "invalid_mime_type")


def invalid_key(key: str) -> StorageError:
    """A name that no object may have."""
    return StorageError(400, "InvalidKey", f"Invalid key: {key}")


def invalid_request(message: str) -> StorageError:
    """A request that could never do."""
    return StorageError(400, "InvalidRequest", message)


def invalid_jwt(message: str) -> StorageError:
    """A signed URL whose token was tampered with, or has expired."""
    return StorageError(400, "InvalidJWT", message)


def invalid_range() -> StorageError:
    """A range that is malformed, of several parts, or outside the object."""
    return StorageError(416, "InvalidRange", "invalid range provided", "invalid_range")


def render_error(_: Request, error: Exception) -> JSONResponse:
    """The answer to a request that Storage refused."""
    assert isinstance(error, StorageError)
    body = {
        "statusCode": str(error.status),
        "code": error.code,
        "error": error.error,
        "message": error.message,
    }
    status = error.status if error.status in OUTSPOKEN_STATUSES else 400
    return JSONResponse(body, status)


def render_database_error(request: Request, error: Exception) -> JSONResponse:
    """The answer to what the database refused, its policies included, or could not do."""
    assert isinstance(error, psycopg.Error)
    translated = translate(error)
    if translated.status >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error)
    return render_error(request, translated)


def translate(error: psycopg.Error) -> StorageError:
    """A database error in Storage's own words."""
    match error.sqlstate:
        case "42501" if "row-level security" in str(error):
            return access_denied("new row violates row-level security policy")
        case "42501" | "22023":
            return access_denied(error.diag.message_primary or "Access denied")
        case "23505":
            return already_exists()
        case "57014":
            message = "The connection to the database timed out"
            return StorageError(544, "DatabaseTimeout", message)
    if isinstance(error, psycopg.OperationalError):
        return StorageError(503, "DatabaseError", "The database is unavailable")
    return StorageError(500, "DatabaseError", f"database error, code: {error.sqlstate}")
