"""Who is asking Storage, and the database as they see it."""

import json
import re
from dataclasses import dataclass

import jwt
from starlette.requests import Request

from parcours_dev.supabase.connections import Connection
from parcours_dev.supabase.keyring import Claims, Keyring
from parcours_dev.supabase.storage.errors import access_denied

BEARER = re.compile(r"^Bearer\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Caller:
    """Somebody whose token was verified, or nobody in particular."""

    claims: Claims

    @property
    def role(self) -> str:
        """The database role they act as."""
        return str(self.claims.get("role") or "anon")

    @property
    def user_id(self) -> str | None:
        """The user they are; None for the API keys."""
        return self.claims.get("sub")


SERVICE = Caller({"role": "service_role"})


def identify(request: Request, keyring: Keyring) -> Caller:
    """Who is asking; raises StorageError without a valid token."""
    header = request.headers.get("authorization", "")
    try:
        return Caller(keyring.verify(BEARER.sub("", header)))
    except jwt.InvalidTokenError as error:
        raise access_denied(str(error)) from error


async def act_as(connection: Connection, caller: Caller) -> None:
    """Be somebody from here on in the transaction, with PostgREST's settings."""
    await connection.execute(
        """
        select set_config('role', %s, true),
               set_config('request.jwt.claims', %s, true),
               set_config('storage.allow_delete_query', 'true', true)
        """,
        (caller.role, json.dumps(caller.claims)),
    )
