"""Typed calls of the SQL functions that operators use, one transaction each."""

from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pydantic

from parcours_xl.adapters.sql_functions import SqlFunctions


class _Answer(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")


class LoggedEvent(_Answer):
    """One line of parcours_events. segment_index: the segment's place in the run, from 0."""

    id: int
    at: datetime
    what: str
    run_id: UUID
    segment_id: UUID | None = None
    segment_index: int | None = None
    detail: dict[str, Any]


class QueueHealth(_Answer):
    """due: jobs that a worker may take now; oldest_s: how long the oldest waits, in seconds."""

    queue: str
    depth: int
    due: int
    oldest_s: float


class TopUser(_Answer):
    """runs: how many they created."""

    user_id: UUID
    runs: int


class Oversight:
    """What operators see and do, under the service role.

    Every method raises Refused or Postponed where the SQL function says so, and SupabaseAway
    when it cannot be reached.
    """

    def __init__(self, rest_url: str, key: str, http: httpx.AsyncClient, limits: dict[str, Any]):
        self._call = SqlFunctions(rest_url, key, http).call
        self._limits = limits

    async def read_logs(
        self,
        run_id: UUID | None = None,
        *,
        since: datetime | None = None,
        after: int | None = None,
        limit: int = 200,
    ) -> list[LoggedEvent]:
        """Events, oldest first: the last ones, or the first since a moment or after an id."""
        answer = await self._call(
            "read_logs",
            p_run_id=None if run_id is None else str(run_id),
            p_since=None if since is None else since.isoformat(),
            p_after=after,
            p_limit=limit,
        )
        return [LoggedEvent.model_validate(event) for event in answer]

    async def read_queues(self) -> list[QueueHealth]:
        return [QueueHealth.model_validate(queue) for queue in await self._call("read_queues")]

    async def report_slice(
        self, start: datetime, end: datetime, targets: dict[str, Any]
    ) -> dict[str, Any]:
        """What a slice of time looked like (the SQL function says what is in it)."""
        answer = await self._call(
            "report_slice", p_from=start.isoformat(), p_to=end.isoformat(), p_targets=targets
        )
        return dict(answer)

    async def report_top_users(self, since: datetime) -> list[TopUser]:
        """The users with the most runs, at most ten."""
        answer = await self._call("report_top_users", p_since=since.isoformat())
        return [TopUser.model_validate(user) for user in answer]
