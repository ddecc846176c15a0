"""The two ways to send a file: as the body, or in a form."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from parcours_dev.supabase.storage.errors import invalid_request
from parcours_dev.supabase.storage.multipart import Form

# A refused upload is read on until here: a client that is still sending hears no answer.
DISCARDED_BYTES_MAX = 128 * 1024 * 1024
BOUNDARY_BYTES_MAX = 70  # RFC 2046, 5.1.1


@dataclass(frozen=True)
class Upload:
    """A file on its way, and what is said about it."""

    mime_type: str
    cache_control: str
    user_metadata: dict[str, Any] | None
    declared_bytes: int | None
    chunks: AsyncIterator[bytes]


async def read_upload(request: Request) -> Upload:
    """The file that a request brings; raises StorageError when it brings none."""
    content_type = request.headers.get("content-type", "application/octet-stream")
    media_type, options = parse_options_header(content_type)
    if media_type == b"multipart/form-data":
        return await _read_form(request, options.get(b"boundary", b""))
    declared = request.headers.get("content-length", "")
    return Upload(
        mime_type=content_type,
        cache_control=request.headers.get("cache-control", "no-cache"),
        user_metadata=_parse_metadata(_decode(request.headers.get("x-metadata", ""))),
        declared_bytes=int(declared) if declared.isdecimal() else None,
        chunks=request.stream(),
    )


async def discard_rest(request: Request) -> None:
    """Let a client finish sending what was refused, within limits."""
    discarded = 0
    with suppress(ClientDisconnect, RuntimeError):
        async for chunk in request.stream():
            discarded += len(chunk)
            if discarded > DISCARDED_BYTES_MAX:
                return


async def _read_form(request: Request, boundary: bytes) -> Upload:
    if not 0 < len(boundary) <= BOUNDARY_BYTES_MAX:
        raise invalid_request("Multipart: Boundary not found")
    form = Form(boundary, request.stream())
    await form.find_file()
    seconds = form.fields.get("cacheControl")
    return Upload(
        mime_type=form.fields.get("contentType") or form.file_type,
        cache_control=f"max-age={seconds}" if seconds else "no-cache",
        user_metadata=_parse_metadata(form.fields.get("metadata", "")),
        declared_bytes=None,
        chunks=form.file(),
    )


def _decode(header: str) -> str:
    with suppress(ValueError):
        return base64.b64decode(header).decode()
    return ""


def _parse_metadata(text: str) -> dict[str, Any] | None:
    with suppress(ValueError):
        metadata = json.loads(text)
        return metadata if isinstance(metadata, dict) else None
    return None
