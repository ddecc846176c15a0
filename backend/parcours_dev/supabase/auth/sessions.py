"""Sessions: one a sign-in, continued by refresh tokens that are good once.

As in supabase/auth: a client that lost the answer may use its token once more, within
REUSE_S of its use, or for as long as the token that replaced it has not been used itself.
"""

import re
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid4

from parcours_dev.supabase.auth.errors import AuthError, invalid
from parcours_dev.supabase.connections import Connection, Row, fetch_one
from parcours_dev.supabase.keyring import Claims

ACCESS_TOKEN_S = 3600
REFRESH_TOKEN_CHARACTERS = 12
REFRESH_TOKEN = re.compile(r"[a-z0-9]{12}")
REUSE_S = 10
"""For how long a used refresh token is taken again (hosted: REFRESH_TOKEN_REUSE_INTERVAL)."""

Scope = Literal["global", "local", "others"]
SCOPES: dict[str, Scope] = {"global": "global", "local": "local", "others": "others"}


@dataclass(frozen=True)
class Session:
    """A signed-in user, and the one refresh token that continues the session."""

    session_id: UUID
    user_id: UUID
    refresh_token: str


async def open_session(connection: Connection, user_id: UUID, user_agent: str | None) -> Session:
    """Sign a user in."""
    session_id = uuid4()
    await connection.execute(
        """
        insert into auth.sessions (id, user_id, created_at, updated_at, aal, user_agent)
        values (%s, %s, now(), now(), 'aal1', %s)
        """,
        (session_id, user_id, user_agent),
    )
    await connection.execute(
        "update auth.users set last_sign_in_at = now(), updated_at = now() where id = %s",
        (user_id,),
    )
    return await _add_refresh_token(connection, session_id, user_id, parent="")


async def continue_session(connection: Connection, refresh_token: str) -> Session | None:
    """Exchange a refresh token for a new one. None: it was used before, and too long ago.

    A used token in other hands means that one of the two is a thief, so the whole session ends:
    none of its refresh tokens is good any more. Raises AuthError when there is no such token, or
    its user is banned.
    """
    if not REFRESH_TOKEN.fullmatch(refresh_token):
        raise invalid("Refresh token is not valid", code="validation_failed")
    found = await fetch_one(
        connection,
        f"""
        select *, updated_at > now() - interval '{REUSE_S} seconds' as reusable
          from auth.refresh_tokens where token = %s for update
        """,  # noqa: S608
        refresh_token,
    )
    if found is None:
        message = "Invalid Refresh Token: Refresh Token Not Found"
        raise invalid(message, code="refresh_token_not_found")
    session_id, user_id = found["session_id"], UUID(found["user_id"])
    await refuse_banned(connection, user_id, "Invalid Refresh Token: User Banned")
    if found["revoked"]:
        successor = await _find_successor(connection, session_id, refresh_token)
        if successor is not None:
            return Session(session_id, user_id, successor)
        if not found["reusable"]:
            await _revoke_all(connection, session_id)
            return None
    await _revoke_all(connection, session_id)
    await connection.execute(
        """
        update auth.sessions set refreshed_at = now() at time zone 'utc', updated_at = now()
         where id = %s
        """,
        (session_id,),
    )
    return await _add_refresh_token(connection, session_id, user_id, parent=refresh_token)


async def refuse_banned(connection: Connection, user_id: UUID, message: str) -> None:
    """Raise AuthError while the user is banned."""
    found = await fetch_one(
        connection, "select banned_until > now() as banned from auth.users where id = %s", user_id
    )
    if found and found["banned"]:
        raise invalid(message, code="user_banned")


async def _find_successor(connection: Connection, session_id: UUID, token: str) -> str | None:
    """The token that replaced this one, while it has not been used itself."""
    found = await fetch_one(
        connection,
        """
        select token from auth.refresh_tokens
         where session_id = %s and parent = %s and not revoked
         order by id desc limit 1
        """,
        session_id,
        token,
    )
    return found["token"] if found else None


async def _revoke_all(connection: Connection, session_id: UUID) -> None:
    await connection.execute(
        """
        update auth.refresh_tokens set revoked = true, updated_at = now()
         where session_id = %s and not revoked
        """,
        (session_id,),
    )


def already_used() -> AuthError:
    """The refusal of a refresh token that was used before."""
    message = "Invalid Refresh Token: Already Used"
    return invalid(message, code="refresh_token_already_used")


async def end_sessions(
    connection: Connection, user_id: UUID, session_id: UUID | None, scope: Scope
) -> None:
    """Sign a user out: of this session, of the others, or of all."""
    await connection.execute(
        """
        delete from auth.sessions
         where user_id = %(user_id)s
           and case %(scope)s
                 when 'local' then id = %(session_id)s
                 when 'others' then id <> %(session_id)s
                 else true
               end
        """,
        {"user_id": user_id, "session_id": session_id, "scope": scope},
    )


async def is_open(connection: Connection, session_id: UUID) -> bool:
    """Whether a session has not been signed out of."""
    found = await fetch_one(connection, "select from auth.sessions where id = %s", session_id)
    return found is not None


def access_claims(user: Row, session_id: UUID, issuer: str, opened_at: datetime) -> Claims:
    """What an access token says of its user, for the next `ACCESS_TOKEN_S` seconds."""
    issued_at = int(datetime.now(UTC).timestamp())
    method = "anonymous" if user["is_anonymous"] else "password"
    return {
        "iss": issuer,
        "sub": str(user["id"]),
        "aud": user["aud"],
        "exp": issued_at + ACCESS_TOKEN_S,
        "iat": issued_at,
        "email": user["email"] or "",
        "phone": user["phone"] or "",
        "app_metadata": user["raw_app_meta_data"] or {},
        "user_metadata": user["raw_user_meta_data"] or {},
        "role": user["role"],
        "aal": "aal1",
        "amr": [{"method": method, "timestamp": int(opened_at.timestamp())}],
        "session_id": str(session_id),
        "is_anonymous": user["is_anonymous"],
    }


async def _add_refresh_token(
    connection: Connection, session_id: UUID, user_id: UUID, parent: str
) -> Session:
    alphabet = string.ascii_lowercase + string.digits
    token = "".join(secrets.choice(alphabet) for _ in range(REFRESH_TOKEN_CHARACTERS))
    await connection.execute(
        """
        insert into auth.refresh_tokens (
          token, user_id, revoked, parent, session_id, created_at, updated_at
        ) values (%s, %s, false, %s, %s, now(), now())
        """,
        (token, str(user_id), parent, session_id),
    )
    return Session(session_id, user_id, token)
