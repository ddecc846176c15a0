"""What every handler of Auth works with."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt
from starlette.requests import Request

from parcours_dev.supabase.auth import sessions, users
from parcours_dev.supabase.auth.errors import AuthError, forbidden
from parcours_dev.supabase.auth.sessions import ACCESS_TOKEN_S, Session
from parcours_dev.supabase.connections import Connection, Connections, Row, fetch_one
from parcours_dev.supabase.keyring import Claims, Keyring
from parcours_dev.supabase.project import LocalProject


@dataclass(frozen=True)
class Auth:
    """The project, its keys and its database."""

    project: LocalProject
    keyring: Keyring
    connections: Connections

    @property
    def issuer(self) -> str:
        """Who signs the access tokens."""
        return f"{self.project.url}/auth/v1"

    async def grant(self, connection: Connection, session: Session) -> dict[str, Any]:
        """The tokens of a session, and its user."""
        opened = await fetch_one(
            connection, "select created_at from auth.sessions where id = %s", session.session_id
        )
        user = await users.find_by_id(connection, session.user_id)
        assert opened and user, "a session is of a user"
        claims = sessions.access_claims(user, session.session_id, self.issuer, opened["created_at"])
        return {
            "access_token": self.keyring.sign(claims),
            "token_type": "bearer",
            "expires_in": ACCESS_TOKEN_S,
            "expires_at": claims["exp"],
            "refresh_token": session.refresh_token,
            "user": await users.show_user(connection, session.user_id),
        }


@dataclass(frozen=True)
class Caller:
    """A user whose access token was verified, and whose session is still open."""

    user: Row
    session_id: UUID | None

    @property
    def user_id(self) -> UUID:
        """Whose token it is."""
        user_id: UUID = self.user["id"]
        return user_id


def auth_of(request: Request) -> Auth:
    """The Auth that a request came to."""
    auth = request.app.state.auth
    assert isinstance(auth, Auth)
    return auth


async def identify(request: Request, connection: Connection) -> Caller:
    """Who is asking. Raises AuthError: no token, a bad one, or one of a session that ended."""
    claims = read_claims(request)
    if not claims.get("sub"):
        raise forbidden("bad_jwt", "invalid claim: missing sub claim")
    user_id = _uuid_claim(claims, "sub")
    user = await users.find_by_id(connection, user_id)
    if user is None:
        raise forbidden("user_not_found", "User from sub claim in JWT does not exist")
    session_id = _uuid_claim(claims, "session_id") if claims.get("session_id") else None
    if session_id and not await sessions.is_open(connection, session_id):
        message = "Session from session_id claim in JWT does not exist"
        raise forbidden("session_not_found", message)
    return Caller(user, session_id)


def require_admin(request: Request) -> None:
    """Let the service key through, and raise AuthError for everybody else."""
    if read_claims(request).get("role") not in ("service_role", "supabase_admin"):
        raise forbidden("not_admin", "User not allowed")


def read_claims(request: Request) -> Claims:
    """The claims of the bearer token; raises AuthError."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        message = "This endpoint requires a valid Bearer token"
        raise AuthError(401, "no_authorization", message)
    try:
        return auth_of(request).keyring.verify(token.strip())
    except jwt.InvalidTokenError as error:
        message = f"invalid JWT: unable to parse or verify signature, {error}"
        raise forbidden("bad_jwt", message) from error


def _uuid_claim(claims: Claims, name: str) -> UUID:
    try:
        return UUID(str(claims[name]))
    except ValueError as error:
        raise forbidden("bad_jwt", f"invalid claim: {name} claim must be a UUID") from error
