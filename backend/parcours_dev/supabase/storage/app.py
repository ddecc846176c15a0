"""The stand-in for Storage as an application, to be mounted at /storage/v1."""

from collections.abc import Awaitable, Callable

import psycopg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parcours_dev.supabase.storage import bucket_handlers, object_handlers
from parcours_dev.supabase.storage.errors import StorageError, render_database_error, render_error
from parcours_dev.supabase.storage.service import Storage

JSON_BYTES_MAX = 1024 * 1024
OBJECT = "/{bucket}/{name:path}"

Handler = Callable[[Request], Awaitable[Response]]


def create_storage(storage: Storage) -> Starlette:
    """Every endpoint there is; supabase/storage has more."""
    app = Starlette(
        routes=[*_bucket_routes(), *_object_routes()],
        exception_handlers={
            StorageError: render_error,
            psycopg.Error: render_database_error,
            HTTPException: _render_http_error,
            ClientDisconnect: _render_disconnect,
        },
    )
    app.state.storage = storage
    return app


def _bucket_routes() -> list[Route]:
    handlers = bucket_handlers
    return [
        Route("/bucket", handlers.list_buckets, methods=["GET"]),
        _takes_json("/bucket", handlers.create_bucket),
        Route("/bucket/{bucket}", handlers.get_bucket, methods=["GET"]),
        Route("/bucket/{bucket}", handlers.delete_bucket, methods=["DELETE"]),
        _takes_json("/bucket/{bucket}/empty", handlers.empty_bucket),
    ]


def _object_routes() -> list[Route]:
    handlers = object_handlers
    return [
        Route("/object/sign" + OBJECT, handlers.download_signed, methods=["GET"]),
        _takes_json("/object/sign" + OBJECT, handlers.sign),
        _takes_json("/object/sign/{bucket}", handlers.sign_many),
        _takes_json("/object/list/{bucket}", handlers.list_folder),
        Route("/object/info" + OBJECT, handlers.info, methods=["GET"]),
        Route("/object/authenticated" + OBJECT, handlers.download_authenticated, methods=["GET"]),
        Route("/object/public" + OBJECT, handlers.download_public, methods=["GET"]),
        _takes_json("/object/{bucket}", handlers.delete_many, method="DELETE"),
        Route("/object" + OBJECT, handlers.download, methods=["GET"]),
        Route("/object" + OBJECT, handlers.upload, methods=["POST", "PUT"]),
        Route("/object" + OBJECT, handlers.delete, methods=["DELETE"]),
    ]


def _takes_json(path: str, handler: Handler, method: str = "POST") -> Route:
    return Route(path, handler, methods=[method], max_body_size=JSON_BYTES_MAX)


async def _render_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    body = {
        "statusCode": str(error.status_code),
        "code": "InvalidRequest",
        "error": error.detail,
        "message": f"{request.method} {request.url.path}: {error.detail}",
    }
    return JSONResponse(body, error.status_code, error.headers)


async def _render_disconnect(request: Request, _: Exception) -> JSONResponse:
    # For the log alone: nobody is there to read it.
    return render_error(request, StorageError(499, "Aborted", "Request aborted"))
