"""The users of the project: their accounts, and what Parcours XL holds of them (GDPR)."""

from typing import Any
from uuid import UUID, uuid4

import httpx
from supabase_auth import AsyncGoTrueClient
from supabase_auth.errors import AuthApiError, AuthError

from parcours_xl.clients.auth import AuthUnavailable
from parcours_xl.clients.database import ResultModel, SqlFunctions
from parcours_xl.clients.supabase_errors import Verdict, judge_auth
from parcours_xl.errors import PermanentError


class FoundUser(ResultModel):
    """Who is meant. has_account: false for somebody deleted of whom something is left."""

    id: UUID
    has_account: bool
    email: str | None = None
    created_at: str | None = None


class Erased(ResultModel):
    """Runs that were erased, whose files are to go. remaining: runs that are still there."""

    run_ids: list[UUID]
    remaining: int


class PersonalData(ResultModel):
    """A page of what is held of a user. runs: each with its segments, events and keys."""

    parcours_xl_enabled: bool | None
    runs: list[dict[str, Any]]


class Users:
    """Under the service role.

    Every method raises PermanentError and SupabaseUnavailable as Database does.
    """

    def __init__(self, rest_url: str, key: str, http: httpx.AsyncClient, auth: AsyncGoTrueClient):
        self._call = SqlFunctions(rest_url, key, http).call
        self._auth = auth

    async def find(self, name: str) -> FoundUser:
        """By id or e-mail address. Raises PermanentError (404 nobody, 409 several)."""
        return FoundUser.model_validate(await self._call("find_user", p_name=name))

    async def read(self, user_id: UUID, after: UUID | None, limit: int) -> PersonalData:
        """Runs behind an id, in the order of their ids."""
        answer = await self._call(
            "read_personal_data",
            p_user_id=str(user_id),
            p_limit=limit,
            p_after=None if after is None else str(after),
        )
        return PersonalData.model_validate(answer)

    async def read_auth_log(self, user_id: UUID) -> list[dict[str, Any]] | None:
        """What Auth has written down of their sign-ins; None where it cannot be read."""
        answer = await self._call("read_auth_log", p_user_id=str(user_id))
        return None if answer is None else list(answer)

    async def erase(self, user_id: UUID, limit: int) -> Erased:
        """So many runs with all that hangs on them; the account stays."""
        answer = await self._call("erase_user", p_user_id=str(user_id), p_limit=limit)
        return Erased.model_validate(answer)

    async def create_account(self) -> tuple[UUID, str, str]:
        """A new user whose address nobody has to confirm: id, address, password.

        AuthUnavailable.
        """
        email, password = f"smoke-{uuid4().hex}@example.com", uuid4().hex
        try:
            answer = await self._auth.admin.create_user(
                {"email": email, "password": password, "email_confirm": True}
            )
        except (AuthError, httpx.HTTPError) as error:
            raise _translate_error(error) from error
        return UUID(answer.user.id), email, password

    async def delete_account(self, user_id: UUID) -> None:
        """The account, and with it everything of theirs. Raises AuthUnavailable."""
        try:
            await self._auth.admin.delete_user(str(user_id))
        except (AuthError, httpx.HTTPError) as error:
            raise _translate_error(error) from error


def _translate_error(error: Exception) -> AuthUnavailable | PermanentError:
    if isinstance(error, AuthApiError) and judge_auth(error.status, error.code) is Verdict.OURS:
        return PermanentError(f"Auth refuses: {error.message}")
    return AuthUnavailable()
