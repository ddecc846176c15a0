"""The rows of storage.buckets."""

from dataclasses import dataclass
from typing import Any

from parcours_dev.supabase.connections import Connection, Row, fetch_all, fetch_one
from parcours_dev.supabase.storage.errors import invalid_mime_type, no_such_bucket
from parcours_dev.supabase.timestamps import rfc3339

# The project's limit, above any bucket's: 50 MiB, as in a new hosted project.
PROJECT_FILE_BYTES_MAX = 52_428_800


@dataclass(frozen=True)
class Limits:
    """What a bucket takes."""

    file_bytes_max: int
    mime_types: list[str]

    def check_mime_type(self, declared: str) -> None:
        """Raise StorageError unless a declared type is on the list, if there is one.

        `audio/*` stands for every kind of audio. The declaration is all that counts: nobody looks
        into the file (https://supabase.com/docs/guides/storage/buckets/fundamentals).
        """
        family = declared.split("/")[0] + "/*"
        if self.mime_types and declared not in self.mime_types and family not in self.mime_types:
            raise invalid_mime_type(declared)


def limits_of(bucket: Row) -> Limits:
    """The limits of a bucket; the project's own when it sets none."""
    file_bytes_max = bucket["file_size_limit"]
    if file_bytes_max is None:
        file_bytes_max = PROJECT_FILE_BYTES_MAX
    return Limits(min(file_bytes_max, PROJECT_FILE_BYTES_MAX), bucket["allowed_mime_types"] or [])


async def find_bucket(connection: Connection, bucket_id: str) -> Row:
    """One bucket, if whoever acts may see it; else raises StorageError."""
    found = await fetch_one(connection, "select * from storage.buckets where id = %s", bucket_id)
    if found is None:
        raise no_such_bucket()
    return found


async def list_buckets(connection: Connection) -> list[Row]:
    """Every bucket that whoever acts may see."""
    return await fetch_all(connection, "select * from storage.buckets order by name")


async def add_bucket(connection: Connection, bucket: dict[str, Any]) -> None:
    """Add a bucket; raises psycopg.Error when the name is taken, or the caller may not."""
    await connection.execute(
        """
        insert into storage.buckets (
          id, name, owner_id, public, file_size_limit, allowed_mime_types
        ) values (
          %(id)s, %(name)s, %(owner_id)s, %(public)s, %(file_size_limit)s, %(allowed_mime_types)s
        )
        """,
        bucket,
    )


async def delete_bucket(connection: Connection, bucket_id: str) -> bool:
    """Delete a bucket; raises psycopg.Error while it has objects. False: not for the caller."""
    deleted = await connection.execute("delete from storage.buckets where id = %s", (bucket_id,))
    return deleted.rowcount > 0


def show_bucket(row: Row) -> dict[str, Any]:
    """A bucket as clients see it; storage3 insists on an owner that is a text."""
    return {
        "id": row["id"],
        "name": row["name"],
        "owner": str(row["owner"] or ""),
        "public": row["public"],
        "type": row["type"],
        "file_size_limit": row["file_size_limit"],
        "allowed_mime_types": row["allowed_mime_types"],
        "created_at": rfc3339(row["created_at"]),
        "updated_at": rfc3339(row["updated_at"]),
    }
