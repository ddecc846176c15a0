"""Handlers of Storage for objects."""

import re
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

import psycopg
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from parcours_dev.supabase.connections import Row
from parcours_dev.supabase.storage import objects, params
from parcours_dev.supabase.storage.access import SERVICE, Caller, identify
from parcours_dev.supabase.storage.errors import StorageError, access_denied, invalid_range
from parcours_dev.supabase.storage.objects import Key, Listing
from parcours_dev.supabase.storage.params import read_params
from parcours_dev.supabase.storage.service import storage_of
from parcours_dev.supabase.storage.uploads import discard_rest, read_upload
from parcours_dev.supabase.timestamps import rfc3339

# Longer numbers are beyond any file.
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


async def upload(request: Request) -> Response:
    """Store a new object; POST with `x-upsert: true`, and PUT, also replace."""
    upsert = request.method == "PUT" or request.headers.get("x-upsert") == "true"
    storage = storage_of(request)
    try:
        caller, key = identify(request, storage.keyring), _key(request)
        row = await storage.store(caller, key, await read_upload(request), upsert=upsert)
    except (StorageError, psycopg.Error):
        await discard_rest(request)
        raise
    return JSONResponse({"Id": str(row["id"]), "Key": str(key)})


async def download(request: Request) -> Response:
    """Send an object to somebody who may read it; everybody may if its bucket is public."""
    return _send(request, await storage_of(request).find(_anybody(request), _key(request)))


async def download_authenticated(request: Request) -> Response:
    """The same for the holder of a valid token only."""
    storage = storage_of(request)
    caller = identify(request, storage.keyring)
    return _send(request, await storage.find(caller, _key(request)))


async def download_public(request: Request) -> Response:
    """The same for public buckets only."""
    return _send(request, await storage_of(request).find(None, _key(request)))


async def download_signed(request: Request) -> Response:
    """Send an object to whoever has its signed URL."""
    storage = storage_of(request)
    token = request.query_params.get("token", "")
    row, claims = await storage.find_signed(_key(request), token)
    return _send(request, row, expires=formatdate(claims["exp"], usegmt=True))


async def info(request: Request) -> Response:
    """What is known of an object."""
    row = await storage_of(request).find(_anybody(request), _key(request))
    metadata = row["metadata"] or {}
    return JSONResponse(
        {
            "id": str(row["id"]),
            "name": row["name"],
            "version": row["version"],
            "bucket_id": row["bucket_id"],
            "size": metadata.get("size"),
            "content_type": metadata.get("mimetype"),
            "cache_control": metadata.get("cacheControl"),
            "etag": metadata.get("eTag"),
            "metadata": row["user_metadata"],
            "last_modified": rfc3339(row["updated_at"]),
            "created_at": rfc3339(row["created_at"]),
        }
    )


async def sign(request: Request) -> Response:
    """A URL by which anybody may read one object for `expiresIn` seconds."""
    storage = storage_of(request)
    caller = identify(request, storage.keyring)
    asked = await read_params(request, params.Signing)
    url = await storage.sign(caller, _key(request), asked.expiresIn)
    return JSONResponse({"signedURL": url})


async def sign_many(request: Request) -> Response:
    """The same for several objects; each that cannot be read has its own error."""
    storage = storage_of(request)
    caller = identify(request, storage.keyring)
    asked = await read_params(request, params.SigningMany)
    keys = [Key(request.path_params["bucket"], path) for path in asked.paths]
    answers: list[dict[str, Any]] = []
    async with storage.acting_as(caller) as connection:
        for key in keys:
            answer = {"path": key.name, "signedURL": None, "error": None}
            if await objects.find_object(connection, key):
                answer["signedURL"] = storage.sign_found(key, asked.expiresIn)
            else:
                answer["error"] = "Either the object does not exist or you do not have access to it"
            answers.append(answer)
    return JSONResponse(answers)


async def list_folder(request: Request) -> Response:
    """The files and folders of one folder."""
    storage = storage_of(request)
    caller = identify(request, storage.keyring)
    asked = await read_params(request, params.Folder)
    listing = Listing(
        bucket_id=request.path_params["bucket"],
        folder=asked.prefix,
        search=asked.search or "",
        column=asked.sortBy.column,
        descending=asked.sortBy.order == "desc",
        limit=asked.limit,
        offset=asked.offset,
    )
    async with storage.acting_as(caller) as connection:
        rows = await objects.list_objects(connection, listing)
    return JSONResponse([objects.show_entry(row) for row in rows])


async def delete_many(request: Request) -> Response:
    """Delete the objects whose full names are given as `prefixes`; those deleted."""
    storage = storage_of(request)
    caller = identify(request, storage.keyring)
    asked = await read_params(request, params.Deletion)
    rows = await storage.delete(caller, request.path_params["bucket"], asked.prefixes)
    return JSONResponse([objects.show_object(row) for row in rows])


async def delete(request: Request) -> Response:
    """Delete one object."""
    storage = storage_of(request)
    caller, key = identify(request, storage.keyring), _key(request)
    await storage.find(SERVICE, key)
    if not await storage.delete(caller, key.bucket_id, [key.name]):
        raise access_denied()
    return JSONResponse({"message": "Successfully deleted"})


def _key(request: Request) -> Key:
    return Key(request.path_params["bucket"], request.path_params["name"])


def _anybody(request: Request) -> Caller | None:
    try:
        return identify(request, storage_of(request).keyring)
    except StorageError:
        return None


def _send(request: Request, row: Row, expires: str | None = None) -> Response:
    path = storage_of(request).files.path(row["version"] or "")
    if not path.is_file():
        raise StorageError(404, "NoSuchKey", "The resource was not found", "Not found")
    metadata = row["metadata"]
    headers = {"etag": metadata["eTag"], "x-robots-tag": "none"}
    headers |= {"expires": expires} if expires else {"cache-control": metadata["cacheControl"]}
    if request.headers.get("if-none-match") == metadata["eTag"]:
        return Response(status_code=304, headers=headers)
    if "download" in request.query_params:
        headers["content-disposition"] = _disposition(request.query_params["download"])
    if (asked := request.headers.get("range")) is not None:
        _check_range(asked, path.stat().st_size)
    # A stored page must not run as one under the project's own origin.
    media_type = metadata["mimetype"].replace("text/html", "text/plain")
    return _WholeOrRange(path, headers=headers, media_type=media_type)


class _WholeOrRange(FileResponse):
    """A file or a part of it. Storage does not know If-Range: a range is a range."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"if-range"]
        await super().__call__({**scope, "headers": headers}, receive, send)


def _check_range(asked: str, size: int) -> None:
    """Raise StorageError for all but one range within the file: Storage knows no other."""
    found = _RANGE.fullmatch(asked)
    first, last = found.groups() if found else ("", "")
    if not (first or last) or size == 0:
        raise invalid_range()
    if not first and int(last) == 0:
        raise invalid_range()
    if first and (int(first) >= size or (last and int(last) < int(first))):
        raise invalid_range()


def _disposition(filename: str) -> str:
    encoded = quote(filename, safe="")
    return (
        f"attachment; filename={encoded}; filename*=UTF-8''{encoded}" if encoded else "attachment"
    )
