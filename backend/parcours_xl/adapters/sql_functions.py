"""Calls of our SQL functions through PostgREST, under the service role."""

from typing import Any

import httpx
import structlog
from postgrest import AsyncPostgrestClient
from postgrest.exceptions import APIError as APIError

from parcours_xl.trouble import Postponed, Refused, Trouble

log = structlog.get_logger(__name__)

REQUEST_HEADER = "X-Parcours-Request"
"""Tells the database which request or job is behind a call: events and jobs are stamped with it."""


class SupabaseAway(Postponed):
    """The service cannot reach its database right now. Please try again."""

    def __init__(self) -> None:
        super().__init__(self.__doc__ or "")


class SunoQuotaFull(Postponed):
    """All workers together ask Suno as often as it allows."""


class AttemptsUsedUp(Postponed):
    """A segment, or every segment of a run, has been tried as often as it may be."""


HINTS = {"suno_quota": SunoQuotaFull, "attempts": AttemptsUsedUp}
"""What an SQL function says beside PT429."""


class SqlFunctions:
    """One call is one transaction.

    Refused or Postponed where the SQL function says so (PTxxx), SupabaseAway when it cannot be
    reached or is overloaded.
    """

    def __init__(self, rest_url: str, key: str, http: httpx.AsyncClient):
        headers = {"apikey": key}
        if not key.startswith("sb_"):  # new-style keys are no tokens
            headers["Authorization"] = f"Bearer {key}"
        self._rest = AsyncPostgrestClient(
            rest_url, headers=headers, http_client=http, retry_enabled=False
        )

    async def call(self, function: str, **arguments: Any) -> Any:
        query = self._rest.rpc(function, arguments)
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        if request_id is not None:
            query.request.headers[REQUEST_HEADER] = request_id
        try:
            response = await query.execute()
        except APIError as error:
            trouble = _translate(error)
            if isinstance(trouble, SupabaseAway):
                log.warning("supabase.away", function=function, code=error.code, why=error.message)
            raise trouble from error
        except httpx.TransportError as error:
            log.warning("supabase.away", function=function, why=type(error).__name__)
            raise SupabaseAway from error
        return response.data


def _translate(error: APIError) -> Trouble | APIError:
    code, message = str(error.code or ""), error.message or "refused"
    if code == "PT429":
        wait_s = float(error.details) if error.details else None
        return HINTS.get(error.hint or "", Postponed)(message, status=429, wait_s=wait_s)
    if code.startswith("PT"):
        return Refused(message, status=int(code[2:]))
    if _means_later(code):
        return SupabaseAway()
    return error


def _means_later(code: str) -> bool:
    """Deadlock, lock or statement time-out, no resources; or an answer that is not PostgREST's.

    Whoever answers in its place gives no code, or postgrest-py gives the HTTP status as one.
    """
    return (
        code in ("40P01", "55P03", "57014", "57P01", "57P02", "57P03")
        or code.startswith(("53", "08"))
        or code in ("PGRST000", "PGRST001", "PGRST002", "PGRST003")
        or code in ("", "429")
        or (len(code) == 3 and code.startswith("5"))
    )
