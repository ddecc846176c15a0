"""The rows of storage.objects, read and written as whoever acts in the transaction."""

import re
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import sql
from psycopg.types.json import Jsonb

from parcours_dev.supabase.connections import Connection, Row, fetch_all, fetch_one
from parcours_dev.supabase.storage.access import SERVICE, Caller, act_as
from parcours_dev.supabase.storage.errors import invalid_key, no_such_key
from parcours_dev.supabase.timestamps import rfc3339

# The characters of supabase/storage's own rule.
KEY = re.compile(r"[A-Za-z0-9_/!.*'() &$@=;:+,?-]+")
SORT_COLUMNS = ("name", "updated_at", "created_at", "last_accessed_at")
LISTED_MAX = 1500


@dataclass(frozen=True)
class Key:
    """Where an object is: `name` in bucket `bucket_id`."""

    bucket_id: str
    name: str

    def __post_init__(self) -> None:
        # A name is never a path on the disk here; on a hosted project's clients it may be one.
        if not KEY.fullmatch(self.name) or {".", ".."} & {*self.name.split("/")}:
            raise invalid_key(self.name)

    def __str__(self) -> str:
        return f"{self.bucket_id}/{self.name}"


@dataclass(frozen=True)
class NewObject:
    """What is to be written about an uploaded object."""

    key: Key
    version: str
    metadata: dict[str, Any]
    user_metadata: dict[str, Any] | None


INSERT: LiteralString = """
    insert into storage.objects (
      bucket_id, name, version, owner, owner_id, metadata, user_metadata
    ) values (
      %(bucket_id)s, %(name)s, %(version)s,
      case when pg_input_is_valid(%(owner_id)s::text, 'uuid') then %(owner_id)s::text::uuid end,
      %(owner_id)s::text, %(metadata)s, %(user_metadata)s
    )
"""
OR_REPLACE: LiteralString = """
    on conflict (bucket_id, name) do update
      set version = excluded.version, owner = excluded.owner, owner_id = excluded.owner_id,
          metadata = excluded.metadata, user_metadata = excluded.user_metadata
"""


async def write_object(
    connection: Connection, caller: Caller, new: NewObject, *, upsert: bool
) -> str | None:
    """Write the row of an upload as its uploader; the version it replaces, if any.

    Raises psycopg.Error when a policy refuses it, or the name is taken and `upsert` is off.
    """
    await act_as(connection, SERVICE)
    # One writer of a name at a time, so that each knows which version it replaces.
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(new.key),)
    )
    replaced = await find_object(connection, new.key)
    await act_as(connection, caller)
    await connection.execute(
        INSERT + OR_REPLACE if upsert else INSERT,
        {
            "bucket_id": new.key.bucket_id,
            "name": new.key.name,
            "version": new.version,
            "owner_id": caller.user_id,
            "metadata": Jsonb(new.metadata),
            "user_metadata": Jsonb(new.user_metadata or {}),
        },
    )
    return replaced["version"] if replaced else None


async def find_object(connection: Connection, key: Key) -> Row | None:
    """One object, if whoever acts may see it."""
    return await fetch_one(
        connection,
        "select * from storage.objects where bucket_id = %s and name = %s",
        key.bucket_id,
        key.name,
    )


async def get_object(connection: Connection, key: Key) -> Row:
    """One object; raises StorageError when there is none that whoever acts may see."""
    found = await find_object(connection, key)
    if found is None:
        raise no_such_key()
    return found


async def delete_objects(connection: Connection, bucket_id: str, names: list[str]) -> list[Row]:
    """Delete the rows that whoever acts may delete, and hand them back."""
    return await fetch_all(
        connection,
        "delete from storage.objects where bucket_id = %s and name = any(%s) returning *",
        bucket_id,
        names,
    )


async def list_names(connection: Connection, bucket_id: str) -> list[str]:
    """The name of every object in a bucket that whoever acts may see."""
    query: LiteralString = "select name from storage.objects where bucket_id = %s"
    return [row["name"] for row in await fetch_all(connection, query, bucket_id)]


@dataclass(frozen=True)
class Listing:
    """What to list: one folder's files and folders."""

    bucket_id: str
    folder: str
    search: str
    column: str
    descending: bool
    limit: int
    offset: int


async def list_objects(connection: Connection, listing: Listing) -> list[Row]:
    """The files and folders right below a folder, folders without an id."""
    assert listing.column in SORT_COLUMNS
    order = sql.SQL("lower(name)" if listing.column == "name" else "{}, name").format(
        sql.Identifier(listing.column)
    )
    direction = sql.SQL("desc" if listing.descending else "asc")
    query = sql.SQL(
        """
        with below as (
          select *, substr(name, length(%(prefix)s) + 1) as rest from storage.objects
           where bucket_id = %(bucket_id)s
             and starts_with(lower(name), lower(%(prefix)s || %(search)s))
        ), entries as (
          select distinct split_part(rest, '/', 1) as name, null::uuid as id,
                 null::timestamptz as updated_at, null::timestamptz as created_at,
                 null::timestamptz as last_accessed_at, null::jsonb as metadata
            from below where rest like '%%/%%'
          union all
          select rest, id, updated_at, created_at, last_accessed_at, metadata
            from below where rest not like '%%/%%'
        )
        select * from entries order by {order} {direction} limit %(limit)s offset %(offset)s
        """
    ).format(order=order, direction=direction)
    folder = listing.folder.rstrip("/")
    values = {
        "prefix": f"{folder}/" if folder else "",
        "bucket_id": listing.bucket_id,
        "search": listing.search,
        "limit": min(listing.limit, LISTED_MAX),
        "offset": listing.offset,
    }
    return await (await connection.execute(query, values)).fetchall()


def show_entry(row: Row) -> dict[str, Any]:
    """A line of a listing as clients see it."""
    return {
        "name": row["name"],
        "id": str(row["id"]) if row["id"] else None,
        "updated_at": rfc3339(row["updated_at"]),
        "created_at": rfc3339(row["created_at"]),
        "last_accessed_at": rfc3339(row["last_accessed_at"]),
        "metadata": row["metadata"],
    }


def show_object(row: Row) -> dict[str, Any]:
    """An object as clients see it."""
    return show_entry(row) | {
        "bucket_id": row["bucket_id"],
        "owner": str(row["owner"] or ""),
        "owner_id": row["owner_id"] or "",
        "version": row["version"] or "",
        "user_metadata": row["user_metadata"],
    }
