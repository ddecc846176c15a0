"""Calls of our SQL functions through PostgREST, under the service role."""

import time
from collections.abc import Mapping
from typing import Any

import httpx
import structlog
from postgrest import AsyncPostgrestClient
from postgrest.exceptions import APIError as APIError

from parcours_xl.clients.supabase_errors import FUNCTION_UNKNOWN, FunctionUnknown, Verdict, judge
from parcours_xl.clients.supabase_errors import KeyRefused as KeyRefused
from parcours_xl.clients.supabase_errors import SupabaseUnavailable as SupabaseUnavailable
from parcours_xl.errors import ParcoursError, PermanentError, RetryableError

log = structlog.get_logger(__name__)

REQUEST_HEADER = "X-Parcours-Request"
"""Tells the database which request or job is behind a call: events and jobs are stamped with it."""


KEY_REFUSED_S = 60
"""A key that has been refused for so long, and never taken meanwhile, is wrong: it is logged so."""


class SunoQuotaFull(RetryableError):
    """All workers together ask Suno as often as it allows."""


class AttemptsUsedUp(RetryableError):
    """A segment, or every segment of a run, has been tried as often as it may be."""


class LimitsUnknown(PermanentError):
    """The database does not hold the limits that a call names: they are to be written again."""


HINTS = {"suno_quota": SunoQuotaFull, "attempts": AttemptsUsedUp}
"""What an SQL function says beside PT429."""


READS = frozenset(
    {
        "check_callback",
        "count_scans",
        "find_runs",
        "find_segments",
        "find_track",
        "find_user",
        "inspect_access",
        "read_auth_log",
        "read_logs",
        "read_migrations",
        "read_personal_data",
        "read_queues",
        "read_rollout",
        "read_snapshot",
        "report_slice",
        "report_top_users",
        "scan_files",
        "scan_segments",
    }
)
"""Functions that change nothing, as SQL declares them (stable): called once more where the
connection broke before an answer."""

RESET = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
"""The connection broke before an answer came, mostly an idle one that the server closed."""


class SqlFunctions:
    """One call is one transaction.

    PermanentError or RetryableError where the SQL function says so (PTxxx), SupabaseUnavailable
    when it cannot be reached or is overloaded.
    """

    def __init__(self, rest_url: str, key: str, http: httpx.AsyncClient):
        headers = {"apikey": key}
        if not key.startswith("sb_"):  # new-style keys are no tokens
            headers["Authorization"] = f"Bearer {key}"
        self._rest = AsyncPostgrestClient(
            rest_url, headers=headers, http_client=http, retry_enabled=False
        )
        self._refused_since: float | None = None

    async def call(self, function: str, **arguments: Any) -> Any:
        query = self._rest.rpc(function, arguments)
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        if request_id is not None:
            query.request.headers[REQUEST_HEADER] = request_id
        try:
            # Not `execute`: an error of postgrest-py's does not tell the HTTP status.
            response = await self._send(function, query)
        except httpx.TransportError as error:
            log.warning("supabase.unavailable", function=function, why=type(error).__name__)
            raise SupabaseUnavailable from error
        if not response.is_success:
            raise self._translate(function, response)
        try:
            # A function that returns void is answered without a body.
            data = response.json() if response.content else None
        except (ValueError, RecursionError) as error:
            # Somebody else answers in PostgREST's place.
            log.warning("supabase.unavailable", function=function, why="no JSON")
            raise SupabaseUnavailable from error
        self._refused_since = None
        return data

    async def _send(self, function: str, query: Any) -> httpx.Response:
        try:
            return await query.request.send(httpx.Headers())  # type: ignore[no-any-return]
        except RESET:
            if function not in READS:
                raise
            return await query.request.send(httpx.Headers())  # type: ignore[no-any-return]

    def _translate(self, function: str, response: httpx.Response) -> ParcoursError | APIError:
        body = _read_error(response)
        code, message = str(body.get("code") or ""), str(body.get("message") or "refused")
        if code.startswith("PT"):
            return _translate_ours(code, message, body)
        verdict = judge(code, response.status_code)
        if verdict is Verdict.OURS:
            return APIError(body)
        log.warning(
            "supabase.unavailable",
            function=function,
            status=response.status_code,
            code=code,
            why=message,
        )
        if verdict is Verdict.KEY:
            return self._record_refusal()
        return FunctionUnknown() if code == FUNCTION_UNKNOWN else SupabaseUnavailable()

    def _record_refusal(self) -> KeyRefused:
        now = time.monotonic()
        self._refused_since = self._refused_since or now
        if now - self._refused_since > KEY_REFUSED_S:
            log.error("supabase.key_refused", seconds=round(now - self._refused_since))
        return KeyRefused()


class LimitedFunctions(SqlFunctions):
    """SQL functions that work with the service's limits.

    limits: Settings.limits. They are written once, before the first call that needs them, and named
    by their id from then on; once more when the database has forgotten them (it was restored).
    """

    def __init__(self, rest_url: str, key: str, http: httpx.AsyncClient, limits: Mapping[str, Any]):
        super().__init__(rest_url, key, http)
        self._limits = dict(limits)
        self._limits_id: int | None = None

    async def call_limited(self, function: str, **arguments: Any) -> Any:
        try:
            return await self.call(function, **arguments, p_limits_id=await self._write_limits())
        except LimitsUnknown:
            self._limits_id = None
            return await self.call(function, **arguments, p_limits_id=await self._write_limits())

    async def _write_limits(self) -> int:
        if self._limits_id is None:
            self._limits_id = int(await self.call("write_limits", p_limits=self._limits))
        return self._limits_id


def _translate_ours(code: str, message: str, body: dict[str, Any]) -> ParcoursError:
    """What an SQL function of ours says (PTxxx)."""
    if body.get("hint") == "limits":
        return LimitsUnknown(message, status=int(code[2:]))
    if code == "PT429":
        wait_s = float(body["details"]) if body.get("details") else None
        return HINTS.get(body.get("hint") or "", RetryableError)(message, status=429, wait_s=wait_s)
    return PermanentError(message, status=int(code[2:]))


def _read_error(response: httpx.Response) -> dict[str, Any]:
    """The error's fields; none of them when the answer is no JSON object."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
