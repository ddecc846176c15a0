"""Who is asking: a signed-in user, or somebody who holds the service-role key."""

from typing import Protocol
from uuid import UUID

from starlette.requests import Request

from parcours_xl.errors import PermanentError
from parcours_xl.settings import Access


class Auth(Protocol):
    """What can tell a user and the service role from everybody else."""

    async def verify_user(self, token: str) -> UUID: ...

    def is_service_role(self, *credentials: str) -> bool: ...


async def require_user(request: Request, auth: Auth) -> UUID:
    """The signed-in user's id; 401 otherwise."""
    return await auth.verify_user(read_bearer(request))


async def find_user(request: Request, auth: Auth) -> UUID | None:
    """The signed-in user's id, on a route where signing in is optional."""
    try:
        return await auth.verify_user(read_bearer(request))
    except PermanentError:
        return None


def require_access(request: Request, auth: Auth, access: Access) -> None:
    """Admit everybody to a public function, else only the service role."""
    if access == "public":
        return
    if not auth.is_service_role(read_bearer(request), request.headers.get("apikey", "")):
        raise PermanentError("this needs the service-role key", status=401)


def read_bearer(request: Request) -> str:
    """The bearer token; empty when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
