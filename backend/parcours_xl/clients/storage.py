"""The private bucket of tracks: store, sign, delete (docs/specification.md#storage)."""

from pathlib import Path
from uuid import UUID

import httpx
import structlog
from storage3 import AsyncStorageClient
from storage3.exceptions import StorageApiError
from storage3.types import SignedUrlResponse

from parcours_xl.clients.database import RESET
from parcours_xl.clients.supabase_errors import STORAGE_KEY_UNKNOWN, STORAGE_REFUSES_FILE
from parcours_xl.errors import PermanentError, RetryableError

BUCKET = "parcours-tracks"
TRACK_BYTES_MAX = 52_428_800
SIGNED_S = 3600
UPLOAD_S_MAX = 120

# Storage refuses, does not answer, or somebody else answers in its place.
_STORAGE_ERRORS = (StorageApiError, httpx.TransportError, ValueError, KeyError)

log = structlog.get_logger(__name__)


class TrackNotStorable(PermanentError):
    """Storage will not take this file: it is too large, or not of an allowed kind."""

    def __init__(self) -> None:
        super().__init__(self.__doc__ or "")


class TrackGone(PermanentError):
    """The track is no longer in storage."""

    status = 404

    def __init__(self) -> None:
        super().__init__(self.__doc__ or "")


class StorageUnavailable(RetryableError):
    """Storage cannot be reached right now. Please try again."""

    def __init__(self) -> None:
        super().__init__(self.__doc__ or "")


def track_path(run_id: UUID, segment_id: UUID) -> str:
    """Where a segment's track is kept, below the bucket."""
    return f"runs/{run_id}/{segment_id}.mp3"


class TrackStorage:
    """The bucket, under the service role."""

    def __init__(self, client: AsyncStorageClient):
        self._client = client
        self._bucket = client.from_(BUCKET)

    async def reach(self) -> None:
        """Raises StorageUnavailable when there is no bucket to be had."""
        try:
            await self._client.get_bucket(BUCKET)
        except _STORAGE_ERRORS as error:
            raise _unavailable(error) from error

    async def store(self, path: str, file: Path, content_type: str) -> None:
        """Upload a file, over an earlier one. Raises TrackNotStorable or StorageUnavailable."""
        options = {"content-type": content_type, "upsert": "true", "cache-control": "3600"}
        try:
            await self._bucket.upload(path, file, options)  # type: ignore[arg-type]
        except _STORAGE_ERRORS as error:
            if _status(error) in STORAGE_REFUSES_FILE:
                raise TrackNotStorable from error
            raise _unavailable(error) from error

    async def sign(self, path: str) -> str:
        """A URL that plays the track for one hour. Raises TrackGone or StorageUnavailable."""
        try:
            signed = await self._sign_once_more(path)
        except _STORAGE_ERRORS as error:
            if _is_gone(error):
                raise TrackGone from error
            raise _unavailable(error) from error
        url = signed["signedURL"]
        if not url:
            raise StorageUnavailable
        return url

    async def _sign_once_more(self, path: str) -> SignedUrlResponse:
        """Signing changes nothing, so an idle connection that the server closes costs nothing."""
        try:
            return await self._bucket.create_signed_url(path, SIGNED_S)
        except RESET:
            return await self._bucket.create_signed_url(path, SIGNED_S)

    async def read(self, path: str) -> bytes:
        """A track, whole. Raises TrackGone or StorageUnavailable."""
        try:
            return await self._bucket.download(path)
        except _STORAGE_ERRORS as error:
            if _is_gone(error):
                raise TrackGone from error
            raise _unavailable(error) from error

    async def erase_run(self, run_id: UUID) -> int:
        """Delete everything that is kept of a run; how many files. Raises StorageUnavailable."""
        erased = 0
        left: list[str] = []
        try:
            while names := [file["name"] for file in await self._bucket.list(f"runs/{run_id}")]:
                if names == left:
                    raise StorageUnavailable
                # Fewer than were named where somebody else is erasing the same run.
                removed = await self._bucket.remove([f"runs/{run_id}/{name}" for name in names])
                erased += len(removed)
                left = names
        except _STORAGE_ERRORS as error:
            raise _unavailable(error) from error
        return erased

    async def delete(self, paths: list[str]) -> None:
        """Delete tracks; those already gone are no error. Raises StorageUnavailable."""
        try:
            await self._bucket.remove(paths)
        except _STORAGE_ERRORS as error:
            raise _unavailable(error) from error


def _status(error: Exception) -> str:
    # The real status is in the body, sometimes as text, and HTTP mostly says 400
    # (docs/vendors.md#supabase-storage).
    return str(getattr(error, "status", ""))


def _is_gone(error: Exception) -> bool:
    named = {str(getattr(error, name, "")) for name in ("code", "message")}
    return _status(error) == "404" and not STORAGE_KEY_UNKNOWN.isdisjoint(named)


def _unavailable(error: Exception) -> StorageUnavailable:
    log.warning("storage.unavailable", status=_status(error), why=type(error).__name__)
    return StorageUnavailable()
