"""The private bucket of tracks: store, sign, delete (runbook: "Storage")."""

from pathlib import Path
from uuid import UUID

import httpx
from storage3 import AsyncStorageClient
from storage3.exceptions import StorageApiError

from parcours_xl.trouble import Postponed, Refused

BUCKET = "parcours-tracks"
TRACK_BYTES_MAX = 52_428_800
SIGNED_S = 3600
UPLOAD_S_MAX = 120


class TrackNotStorable(Refused):
    """Storage will not take this file: it is too large, or not of an allowed kind."""


class TrackGone(Refused):
    """The track is no longer in storage."""

    status = 404

    def __init__(self) -> None:
        super().__init__(self.__doc__ or "")


class StorageAway(Postponed):
    """Storage cannot be reached right now. Please try again."""

    def __init__(self) -> None:
        super().__init__(self.__doc__ or "")


def track_path(run_id: UUID, segment_id: UUID) -> str:
    """Where a segment's track is kept, below the bucket."""
    return f"runs/{run_id}/{segment_id}.mp3"


class Tracks:
    """The bucket, under the service role."""

    def __init__(self, client: AsyncStorageClient):
        self._bucket = client.from_(BUCKET)

    async def store(self, path: str, file: Path, content_type: str) -> None:
        """Upload a file, over an earlier one. Raises TrackNotStorable or StorageAway."""
        options = {"content-type": content_type, "upsert": "true", "cache-control": "3600"}
        try:
            await self._bucket.upload(path, file, options)  # type: ignore[arg-type]
        except (StorageApiError, httpx.TransportError, TimeoutError) as error:
            raise _translate(error) from error

    async def sign(self, path: str) -> str:
        """A URL that plays the track for one hour. Raises TrackGone or StorageAway."""
        try:
            signed = await self._bucket.create_signed_url(path, SIGNED_S)
        except (StorageApiError, httpx.TransportError) as error:
            raise _translate(error) from error
        url = signed["signedURL"]
        if not url:
            raise StorageAway
        return url

    async def delete(self, paths: list[str]) -> None:
        """Delete tracks; those already gone are no trouble. Raises StorageAway."""
        try:
            await self._bucket.remove(paths)
        except (StorageApiError, httpx.TransportError) as error:
            trouble = _translate(error)
            if not isinstance(trouble, TrackGone):
                raise trouble from error


def _translate(error: Exception) -> Refused | Postponed:
    # The real status is in the body, sometimes as text; HTTP mostly says 400 (facts D4).
    status = str(getattr(error, "status", ""))
    if status == "404":
        return TrackGone()
    if status in ("413", "415", "400", "422"):
        return TrackNotStorable(f"storage refuses the file ({status})")
    return StorageAway()
