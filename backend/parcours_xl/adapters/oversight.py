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


class Signs(_Answer):
    """What alerts look at beside the report. caretaker_due_at: when somebody is to look again."""

    credits: float | None
    credits_read_at: datetime | None
    account_refused_at: datetime | None
    jobs_given_up: int
    caretaker_due_at: datetime | None


class Untold(_Answer):
    """An alert of whose beginning, or end, nobody has been told."""

    id: int
    name: str
    says: str
    began_at: datetime
    ended_at: datetime | None
    told_began: bool


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

    async def take_turn(self, name: str, holder: str, every_s: float, lease_s: float) -> bool:
        """Whether this worker does, now, what one worker at a time does every so often."""
        return bool(
            await self._call(
                "take_turn",
                p_name=name,
                p_holder=holder,
                p_every_s=every_s,
                p_lease_s=lease_s,
            )
        )

    async def end_turn(self, name: str, holder: str) -> bool:
        return bool(await self._call("end_turn", p_name=name, p_holder=holder))

    async def record_gauge(self, name: str, value: float) -> None:
        await self._call("record_gauge", p_name=name, p_value=value)

    async def read_signs(self, since: datetime) -> Signs:
        return Signs.model_validate(await self._call("read_signs", p_since=since.isoformat()))

    async def note_alerts(self, burning: list[dict[str, str]]) -> list[Untold]:
        """Keep what burns now ({name, says}); what is to be told, oldest first."""
        answer = await self._call("note_alerts", p_burning=burning)
        return [Untold.model_validate(alert) for alert in answer]

    async def record_told(self, alert_id: int, *, ended: bool) -> None:
        await self._call("record_told", p_id=alert_id, p_ended=ended)
