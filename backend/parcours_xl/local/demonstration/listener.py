"""A signed-in listener, with nothing but what any frontend has: the URL and the anon key."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from supabase import AsyncClient, acreate_client
from supabase_functions.errors import FunctionsHttpError

SEGMENT_COLUMNS = (
    "id, segment_index, status, preview_url, storage_path, duration_seconds, metadata, created_at"
)


@dataclass(frozen=True)
class Answer:
    """What a function answered. body: the JSON, or {"error": …}."""

    status: int
    body: dict[str, Any]


class Listener:
    """One person with one client; reads under row level security."""

    def __init__(self, client: AsyncClient):
        self._client = client

    @classmethod
    async def arrive(cls, url: str, anon_key: str) -> "Listener":
        """A visitor who has not signed in."""
        return cls(await acreate_client(url, anon_key))

    async def sign_up(self) -> str:
        """Become a new user through Auth; the user's id."""
        answer = await self._client.auth.sign_up(
            {"email": f"{uuid4().hex}@example.com", "password": uuid4().hex}
        )
        assert answer.user is not None, "Auth signs a new user up at once"
        return answer.user.id

    async def access_token(self) -> str:
        """What this listener's requests are signed with."""
        session = await self._client.auth.get_session()
        assert session is not None, "only a signed-in listener has a token"
        return session.access_token

    async def leave(self) -> None:
        """Sign out, so that no session is left behind."""
        await self._client.auth.sign_out()

    async def invoke(self, function: str, body: dict[str, Any]) -> Answer:
        """Call a function as `supabase.functions.invoke` does."""
        try:
            answer = await self._client.functions.invoke(function, {"body": body})
        except FunctionsHttpError as error:
            return Answer(error.status, {"error": error.message})
        return Answer(200, json.loads(answer) if isinstance(answer, bytes) else answer)

    async def read_run(self, run_id: str) -> dict[str, Any]:
        """The listener's own run."""
        answer = (
            await self._client.table("parcours_runs")
            .select("id, status, created_at, updated_at")
            .eq("id", run_id)
            .single()
            .execute()
        )
        return dict(answer.data)  # type: ignore[arg-type]

    async def read_segments(self, run_id: str) -> list[dict[str, Any]]:
        """The run's segments, in order."""
        answer = (
            await self._client.table("parcours_segments")
            .select(SEGMENT_COLUMNS)
            .eq("run_id", run_id)
            .order("segment_index")
            .execute()
        )
        return [dict(row) for row in answer.data]  # type: ignore[arg-type]
