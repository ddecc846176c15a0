"""A client of the public API, like any frontend: URL and anon key, under row level security."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from postgrest.exceptions import APIError
from supabase import AsyncClient, AsyncClientOptions, acreate_client
from supabase_auth.errors import AuthApiError, AuthError
from supabase_functions.errors import FunctionsError
from yarl import URL

from parcours_xl.clients.supabase_errors import Verdict, judge_auth
from parcours_xl.errors import PermanentError, RetryableError

ANSWER_S_MAX = 60
SEGMENT_COLUMNS = (
    "id, segment_index, status, preview_url, storage_path, duration_seconds, metadata, created_at"
)


class SignInRefused(PermanentError):
    """Auth does not sign this listener in: the address, the password or the token is wrong."""

    status = 401

    def __init__(self, why: str):
        super().__init__(f"Auth does not sign this listener in: {why}")


class DeploymentUnavailable(RetryableError):
    """The deployment does not answer a listener right now."""

    def __init__(self) -> None:
        super().__init__(self.__doc__ or "")


@dataclass(frozen=True)
class FunctionResponse:
    """What a function answered. body: the JSON, or {"error": …}."""

    status: int
    body: dict[str, Any]


class ApiClient:
    """One person with one client.

    Every method raises DeploymentUnavailable when nobody answers.
    """

    def __init__(self, client: AsyncClient, http: httpx.AsyncClient):
        self._client = client
        self._http = http

    @classmethod
    async def connect(
        cls, url: str, anon_key: str, *, token: str | None = None, functions_url: str | None = None
    ) -> "ApiClient":
        """A visitor who has not signed in, unless with an access token.

        functions_url: where the functions answer, when not at the project's own address.
        """
        http = httpx.AsyncClient(timeout=ANSWER_S_MAX)
        signed = {"Authorization": f"Bearer {token}"} if token else {}
        options = AsyncClientOptions(auto_refresh_token=False, httpx_client=http, headers=signed)
        client = await acreate_client(url, anon_key, options)
        if functions_url is not None:
            client.functions_url = URL(functions_url)
        return cls(client, http)

    async def sign_up(self) -> str:
        """Become a new user through Auth; the user's id. Raises SignInRefused."""
        credentials = {"email": f"{uuid4().hex}@example.com", "password": uuid4().hex}
        with _sign_in_errors():
            answer = await self._client.auth.sign_up(credentials)  # type: ignore[arg-type]
        assert answer.user is not None, "Auth signs a new user up at once"
        return answer.user.id

    async def sign_in(self, email: str, password: str) -> str:
        """Become a user who has an account; the user's id. Raises SignInRefused."""
        with _sign_in_errors():
            answer = await self._client.auth.sign_in_with_password(
                {"email": email, "password": password}
            )
        assert answer.user is not None, "Auth names whom it signs in"
        return answer.user.id

    async def access_token(self) -> str:
        """What this listener's requests are signed with."""
        session = await self._client.auth.get_session()
        assert session is not None, "only a signed-in listener has a token"
        return session.access_token

    async def sign_out(self) -> None:
        """Sign out, so that no session is left behind, and close every connection."""
        try:
            with _sign_in_errors():
                await self._client.auth.sign_out()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def invoke(self, function: str, body: dict[str, Any]) -> FunctionResponse:
        """Call a function as `supabase.functions.invoke` does."""
        try:
            with _transport_errors():
                answer = await self._client.functions.invoke(function, {"body": body})
        except FunctionsError as error:
            return FunctionResponse(error.status, {"error": error.message})
        return FunctionResponse(200, json.loads(answer) if isinstance(answer, bytes) else answer)

    async def read_run(self, run_id: str) -> dict[str, Any]:
        """The listener's own run."""
        asked = (
            self._client.table("parcours_runs")
            .select("id, status, created_at, updated_at, metadata")
            .eq("id", run_id)
            .single()
        )
        with _transport_errors():
            return dict((await asked.execute()).data)  # type: ignore[arg-type]

    async def read_segments(self, run_id: str) -> list[dict[str, Any]]:
        """The run's segments, in order."""
        asked = (
            self._client.table("parcours_segments")
            .select(SEGMENT_COLUMNS)
            .eq("run_id", run_id)
            .order("segment_index")
        )
        with _transport_errors():
            return [dict(row) for row in (await asked.execute()).data]  # type: ignore[arg-type]

    async def fetch(self, url: str, file: Path) -> int:
        """Stream what is behind a signed URL into a file; the HTTP status."""
        with _transport_errors(), file.open("wb") as target:
            async with self._http.stream("GET", url) as answer:
                async for part in answer.aiter_bytes():
                    target.write(part)
                return answer.status_code

    async def fetch_part(self, url: str, start: int) -> tuple[int, bytes]:
        """What is behind a signed URL from a byte on: the HTTP status, and the bytes."""
        with _transport_errors():
            answer = await self._http.get(url, headers={"Range": f"bytes={start}-"})
        return answer.status_code, answer.content


@contextmanager
def _transport_errors() -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, APIError) as error:
        raise DeploymentUnavailable from error


@contextmanager
def _sign_in_errors() -> Iterator[None]:
    try:
        yield
    except AuthApiError as error:
        ours = judge_auth(error.status, error.code) is Verdict.OURS
        raise (SignInRefused(error.message) if ours else DeploymentUnavailable()) from error
    except (AuthError, httpx.HTTPError) as error:
        raise DeploymentUnavailable from error
