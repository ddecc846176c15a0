"""Probes of public addresses, called as others call them: does the right service answer?"""

from uuid import uuid4

import httpx

PROBE_S_MAX = 10


class Probes:
    """Each probe returns what is wrong with the address, or None."""

    def __init__(self, http: httpx.AsyncClient, supabase_url: str):
        self._http = http
        self._supabase_url = supabase_url

    async def callback(self, callback_base: str) -> str | None:
        """A callback for a segment that does not exist, as Suno would send it: ours says 401."""
        names = {"segment": str(uuid4()), "token": str(uuid4())}
        try:
            answer = await self._http.post(
                callback_base, params=names, json={"stage": "text"}, timeout=PROBE_S_MAX
            )
        except httpx.TimeoutException:
            return f"it does not answer within {PROBE_S_MAX} s"
        except httpx.HTTPError as error:
            return f"it cannot be reached ({type(error).__name__})"
        if answer.status_code == 401 and _has_error(answer):
            return None
        if answer.status_code == 503:
            return "the service behind it cannot reach Supabase (503)"
        return f"somebody else answers there, with {answer.status_code}"

    async def auth(self) -> str | None:
        """The keys with which users' tokens are verified."""
        url = f"{self._supabase_url}/auth/v1/.well-known/jwks.json"
        try:
            answer = await self._http.get(url, timeout=PROBE_S_MAX)
        except httpx.HTTPError as error:
            return f"Auth cannot be reached ({type(error).__name__})"
        return None if answer.status_code == 200 else f"Auth answers {answer.status_code}"


def _has_error(answer: httpx.Response) -> bool:
    try:
        body = answer.json()
    except ValueError:
        return False
    # A platform's own 401 ("verify_jwt" left on) has a code or a message, not our one word.
    return isinstance(body, dict) and set(body) == {"error"}
