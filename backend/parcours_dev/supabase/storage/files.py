"""The contents of objects on the disk: one file a version, named by the version alone."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio

from parcours_dev.supabase.storage.errors import too_large

# Longer than it takes to open a file whose row was just read.
RETIRED_S = 10


@dataclass(frozen=True)
class Written:
    """A file that was written whole."""

    size_bytes: int
    md5: str


class Files:
    """Files are written once and never changed, so a reader gets all of one version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._retired: dict[str, asyncio.TimerHandle] = {}

    def path(self, version: str) -> Path:
        """Where a version lies, which is nowhere else whatever its row may say."""
        return self._folder / Path(version).name

    async def write(self, version: str, chunks: AsyncIterator[bytes], bytes_max: int) -> Written:
        """Write a version as it arrives; raises StorageError at the first byte too many.

        What was written until then stays for `remove`.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        size, digest = 0, hashlib.md5(usedforsecurity=False)
        async with await anyio.open_file(self.path(version), "xb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > bytes_max:
                    raise too_large()
                digest.update(chunk)
                await file.write(chunk)
        return Written(size, digest.hexdigest())

    def retire(self, version: str) -> None:
        """Remove a version soon, when nobody who read its row can still be about to open it."""
        loop = asyncio.get_running_loop()
        self._retired[version] = loop.call_later(RETIRED_S, self.remove, version)

    def remove(self, version: str) -> None:
        """Remove a version now."""
        if timer := self._retired.pop(version, None):
            timer.cancel()
        self.path(version).unlink(missing_ok=True)

    def close(self) -> None:
        """Remove what was to be removed soon."""
        for version in list(self._retired):
            self.remove(version)
