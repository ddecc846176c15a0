"""What every handler of Storage works with: storing, finding, signing and deleting objects."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import jwt
from psycopg.errors import UniqueViolation
from starlette.requests import Request

from parcours_dev.supabase.connections import Connection, Connections, Row
from parcours_dev.supabase.keyring import Claims, Keyring
from parcours_dev.supabase.storage import objects
from parcours_dev.supabase.storage.access import SERVICE, Caller, act_as
from parcours_dev.supabase.storage.buckets import find_bucket, limits_of
from parcours_dev.supabase.storage.errors import (
    StorageError,
    already_exists,
    invalid_jwt,
    no_such_bucket,
    too_large,
)
from parcours_dev.supabase.storage.files import Files, Written
from parcours_dev.supabase.storage.objects import Key, NewObject
from parcours_dev.supabase.storage.uploads import Upload
from parcours_dev.supabase.timestamps import rfc3339


@dataclass(frozen=True)
class Storage:
    """The project's keys, its database and its files."""

    keyring: Keyring
    connections: Connections
    files: Files

    @asynccontextmanager
    async def acting_as(self, caller: Caller) -> AsyncIterator[Connection]:
        """A transaction in which policies see somebody."""
        async with self.connections.transaction() as connection:
            await act_as(connection, caller)
            yield connection

    async def store(self, caller: Caller, key: Key, upload: Upload, *, upsert: bool) -> Row:
        """Store an upload, in place of what was there if `upsert`; its row.

        Readers see the old object or the new one, never a part of either.
        Raises StorageError when the bucket's limits or the policies refuse it.
        """
        async with self.acting_as(SERVICE) as connection:
            limits = limits_of(await find_bucket(connection, key.bucket_id))
        limits.check_mime_type(upload.mime_type)
        if upload.declared_bytes is not None and upload.declared_bytes > limits.file_bytes_max:
            raise too_large()
        await self._rehearse(caller, key, upload, upsert=upsert)
        version = str(uuid4())
        try:
            written = await self.files.write(version, upload.chunks, limits.file_bytes_max)
            new = NewObject(key, version, _describe(upload, written), upload.user_metadata)
            async with self.connections.transaction() as connection:
                replaced = await self._write(connection, caller, new, upsert=upsert)
                await act_as(connection, SERVICE)
                row = await objects.get_object(connection, key)
        except BaseException:
            self.files.remove(version)
            raise
        if replaced:
            self.files.retire(replaced)
        return row

    async def _rehearse(self, caller: Caller, key: Key, upload: Upload, *, upsert: bool) -> None:
        # Before the file travels, which may be 50 MB for nothing.
        metadata = {"mimetype": upload.mime_type, "contentLength": upload.declared_bytes}
        new = NewObject(key, "1", metadata, upload.user_metadata)
        async with (
            self.connections.transaction() as connection,
            connection.transaction(force_rollback=True),
        ):
            await self._write(connection, caller, new, upsert=upsert)

    async def _write(
        self, connection: Connection, caller: Caller, new: NewObject, *, upsert: bool
    ) -> str | None:
        try:
            return await objects.write_object(connection, caller, new, upsert=upsert)
        except UniqueViolation as error:
            raise already_exists("KeyAlreadyExists") from error

    async def find(self, caller: Caller | None, key: Key) -> Row:
        """An object's row, if the caller may read it, or its bucket is public.

        Without a caller, a bucket that is not public is none at all.
        """
        async with self.acting_as(SERVICE) as connection:
            bucket = await find_bucket(connection, key.bucket_id)
            if not bucket["public"]:
                if caller is None:
                    raise no_such_bucket()
                await act_as(connection, caller)
            return await objects.get_object(connection, key)

    async def delete(self, caller: Caller, bucket_id: str, names: list[str]) -> list[Row]:
        """Delete what the caller may delete of some objects; their rows."""
        async with self.acting_as(caller) as connection:
            rows = await objects.delete_objects(connection, bucket_id, names)
        for version in filter(None, (row["version"] for row in rows)):
            self.files.retire(version)
        return rows

    async def sign(self, caller: Caller, key: Key, seconds: int) -> str:
        """A relative URL by which anybody may read an object for a while."""
        async with self.acting_as(caller) as connection:
            await objects.get_object(connection, key)
        return self.sign_found(key, seconds)

    def sign_found(self, key: Key, seconds: int) -> str:
        """The URL of an object that the caller was seen to be able to read."""
        now = int(time.time())
        claims = {"url": str(key), "scope": "download", "iat": now, "exp": now + seconds}
        return f"/object/sign/{key}?token={self.keyring.sign_url(claims)}"

    async def find_signed(self, key: Key, token: str) -> tuple[Row, Claims]:
        """The object of a signed URL, and its token's claims; raises StorageError."""
        try:
            claims = self.keyring.verify_url(token)
        except jwt.ExpiredSignatureError as error:
            raise invalid_jwt('"exp" claim timestamp check failed') from error
        except jwt.InvalidTokenError as error:
            raise invalid_jwt(str(error)) from error
        if claims.get("url") != str(key) or claims.get("scope") != "download":
            raise StorageError(400, "InvalidSignature", "Invalid signature")
        async with self.acting_as(SERVICE) as connection:
            return await objects.get_object(connection, key), claims


def storage_of(request: Request) -> Storage:
    """The Storage that a request came to."""
    storage = request.app.state.storage
    assert isinstance(storage, Storage)
    return storage


def _describe(upload: Upload, written: Written) -> dict[str, Any]:
    return {
        "eTag": f'"{written.md5}"',
        "size": written.size_bytes,
        "mimetype": upload.mime_type,
        "cacheControl": upload.cache_control,
        "lastModified": rfc3339(datetime.now(UTC)),
        "contentLength": written.size_bytes,
        "httpStatusCode": 200,
    }
