"""The rows of auth.users and auth.identities, and how Auth shows them."""

import re
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from parcours_dev.supabase.auth.errors import invalid
from parcours_dev.supabase.connections import Connection, Row, fetch_all, fetch_one
from parcours_dev.supabase.timestamps import rfc3339

EMAIL = re.compile(r"[A-Za-z0-9_.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
EMAIL_CHARACTERS_MAX = 255
MOMENTS = ("invited_at", "email_confirmed_at", "confirmed_at", "last_sign_in_at", "banned_until")

User = dict[str, Any]


def normal_email(email: str) -> str:
    """An address in lower case; raises AuthError when it is none."""
    if len(email) > EMAIL_CHARACTERS_MAX:
        raise invalid("An email address is too long")
    if not EMAIL.fullmatch(email):
        raise invalid("Unable to validate email address: invalid format")
    return email.lower()


async def add_user(
    connection: Connection,
    *,
    user_id: UUID | None = None,
    email: str | None = None,
    password_hash: str | None = None,
    app_metadata: User | None = None,
    user_metadata: User | None = None,
) -> UUID:
    """Add a user, who is anonymous without an address. It is not confirmed yet.

    Raises psycopg.errors.UniqueViolation when the address or the id is taken.
    """
    user_id = user_id or uuid4()
    providers = {"provider": "email", "providers": ["email"]} if email else {}
    await connection.execute(
        """
        insert into auth.users (
          instance_id, id, aud, role, email, encrypted_password, confirmation_token,
          recovery_token, email_change_token_new, email_change, raw_app_meta_data,
          raw_user_meta_data, created_at, updated_at, is_anonymous
        ) values (
          '00000000-0000-0000-0000-000000000000', %s, 'authenticated', 'authenticated', %s, %s,
          '', '', '', '', %s, %s, now(), now(), %s
        )
        """,
        (
            user_id,
            email,
            password_hash,
            Jsonb(providers | (app_metadata or {})),
            Jsonb(user_metadata or {}),
            email is None,
        ),
    )
    if email:
        await _keep_identity(connection, user_id, email)
    return user_id


async def confirm_email(connection: Connection, user_id: UUID) -> None:
    """Take the address of a user as theirs."""
    await connection.execute(
        """
        update auth.users
           set email_confirmed_at = now(), updated_at = now(),
               raw_user_meta_data =
                 coalesce(raw_user_meta_data, '{}') || '{"email_verified": true}'
         where id = %s
        """,
        (user_id,),
    )


async def change_email(connection: Connection, user_id: UUID, email: str) -> None:
    """Give a user an address, confirmed at once; who was anonymous is so no longer.

    Raises psycopg.errors.UniqueViolation when the address is taken.
    """
    await connection.execute(
        """
        update auth.users
           set email = %s, is_anonymous = false,
               raw_app_meta_data =
                 raw_app_meta_data || '{"provider": "email", "providers": ["email"]}'
         where id = %s
        """,
        (email, user_id),
    )
    await _keep_identity(connection, user_id, email)
    await confirm_email(connection, user_id)


async def change_password(connection: Connection, user_id: UUID, password_hash: str) -> None:
    """Replace a user's password."""
    await connection.execute(
        "update auth.users set encrypted_password = %s, updated_at = now() where id = %s",
        (password_hash, user_id),
    )


async def merge_metadata(connection: Connection, user_id: UUID, changes: User) -> None:
    """Change a user's own metadata key by key; null forgets a key."""
    forgotten = [key for key, value in changes.items() if value is None]
    await connection.execute(
        """
        update auth.users
           set raw_user_meta_data = (coalesce(raw_user_meta_data, '{}') || %s) - %s::text[],
               updated_at = now()
         where id = %s
        """,
        (Jsonb(changes), forgotten, user_id),
    )


async def soft_delete(connection: Connection, user_id: UUID) -> None:
    """Keep the user's row and nothing personal in it; once is enough.

    As in supabase/auth: the address becomes a hash that nobody can sign in with.
    """
    await connection.execute(
        """
        update auth.users
           set email = encode(sha256((id || coalesce(email, ''))::bytea), 'hex'),
               phone = case when phone is not null
                            then encode(sha256((id || phone)::bytea), 'hex') end,
               encrypted_password = null, email_change = '', phone_change = '',
               confirmation_token = '', recovery_token = '', email_change_token_current = '',
               email_change_token_new = '', phone_change_token = '',
               raw_user_meta_data = '{}', raw_app_meta_data = '{}', deleted_at = now()
         where id = %s and deleted_at is null
        """,
        (user_id,),
    )
    await connection.execute(
        """
        update auth.identities
           set identity_data = '{}', provider_id = encode(sha256(provider_id::bytea), 'hex')
         where user_id = %s
        """,
        (user_id,),
    )


async def ban(connection: Connection, user_id: UUID, hours: int) -> None:
    """Let the user neither sign in nor continue a session for so long; 0 ends a ban."""
    await connection.execute(
        """
        update auth.users
           set banned_until = case when %(hours)s > 0
                                   then now() + make_interval(hours => %(hours)s) end,
               updated_at = now()
         where id = %(user_id)s
        """,
        {"user_id": user_id, "hours": hours},
    )


async def find_by_email(connection: Connection, email: str) -> Row | None:
    """The user of an address, with the password hash."""
    return await fetch_one(
        connection, "select * from auth.users where email = %s and not is_sso_user", email.lower()
    )


async def find_by_id(connection: Connection, user_id: UUID) -> Row | None:
    """One user, with the password hash."""
    return await fetch_one(connection, "select * from auth.users where id = %s", user_id)


async def show_user(connection: Connection, user_id: UUID) -> User:
    """A user as clients see them."""
    row = await find_by_id(connection, user_id)
    assert row is not None, "only a user who was found is shown"
    moments = {name: rfc3339(row[name]) for name in MOMENTS if row[name]}
    return {
        "id": str(row["id"]),
        "aud": row["aud"],
        "role": row["role"],
        "email": row["email"] or "",
        "phone": row["phone"] or "",
        **moments,
        "app_metadata": row["raw_app_meta_data"] or {},
        "user_metadata": row["raw_user_meta_data"] or {},
        "identities": await _show_identities(connection, user_id),
        "created_at": rfc3339(row["created_at"]),
        "updated_at": rfc3339(row["updated_at"]),
        "is_anonymous": row["is_anonymous"],
    }


async def _keep_identity(connection: Connection, user_id: UUID, email: str) -> None:
    claims = {"sub": str(user_id), "email": email, "email_verified": False, "phone_verified": False}
    await connection.execute(
        """
        insert into auth.identities (
          provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at
        ) values (%s, %s, %s, 'email', now(), now(), now())
        on conflict (provider_id, provider) do update
          set identity_data = excluded.identity_data, updated_at = now()
        """,
        (str(user_id), user_id, Jsonb(claims)),
    )


async def _show_identities(connection: Connection, user_id: UUID) -> list[User]:
    rows = await fetch_all(
        connection, "select * from auth.identities where user_id = %s order by created_at", user_id
    )
    return [
        {
            "identity_id": str(row["id"]),
            "id": row["provider_id"],
            "user_id": str(row["user_id"]),
            "identity_data": row["identity_data"],
            "provider": row["provider"],
            "last_sign_in_at": rfc3339(row["last_sign_in_at"]),
            "created_at": rfc3339(row["created_at"]),
            "updated_at": rfc3339(row["updated_at"]),
            "email": row["email"],
        }
        for row in rows
    ]
