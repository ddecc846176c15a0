"""Typed calls of the SQL functions that operators use, one transaction each."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

import httpx
import pydantic

from parcours_xl.clients.database import LimitedFunctions

if TYPE_CHECKING:
    from parcours_xl.clients.audio import Sound

Found = TypeVar("Found")


class _Result(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")


class LoggedEvent(_Result):
    """One line of parcours_events. segment_index: the segment's place in the run, from 0."""

    id: int
    at: datetime
    what: str
    run_id: UUID
    segment_id: UUID | None = None
    segment_index: int | None = None
    detail: dict[str, Any]


class QueueHealth(_Result):
    """due: jobs that a worker may take now; oldest_s: how long the oldest waits, in seconds.

    failing: jobs that have failed and are tried again, the first of them for failing_s seconds.
    """

    queue: str
    depth: int
    due: int
    oldest_s: float
    failing: int = 0
    failing_s: float = 0


class TopUser(_Result):
    """runs: how many they created."""

    user_id: UUID
    runs: int


class Day(_Result):
    """What the last 24 hours have come to, all users together."""

    runs: int
    credits: int


class SentAgain(_Result):
    """Jobs that had been set aside: sent again, or dropped because nobody can read them."""

    sent: int
    dropped: int


class ReserveStock(_Result):
    """Pieces of one preset in the reserve. missing: those that should be ready and have no file."""

    ready: int
    missing: int


class Gauges(_Result):
    """What alerts look at beside the report. maintenance_due_at: when the next round is due.

    reserve: by preset, those that have any piece; reserve_failed: its tasks of the last 24 hours
    that gave none; reserve_claimed_at: when its last task began.

    jobs_unreadable: of those given up, how many nobody could read. day: the last 24 hours.
    """

    credits: float | None
    credits_read_at: datetime | None
    account_refused_at: datetime | None
    jobs_given_up: int
    jobs_unreadable: int
    day: Day
    maintenance_due_at: datetime | None
    reserve: dict[str, ReserveStock] = {}
    reserve_failed: int = 0
    reserve_claimed_at: datetime | None = None


class DeletedHistory(_Result):
    """What was old: hours of events rolled up, events and idempotency keys deleted."""

    hours: int
    events: int
    keys: int


class PendingNotification(_Result):
    """An alert of whose beginning, or end, nobody has been told."""

    id: int
    name: str
    says: str
    began_at: datetime
    ended_at: datetime | None
    told_began: bool


class Measurement(_Result):
    """An event as Prometheus counts it (read_measurements in SQL says what the fields mean)."""

    what: str
    label: str
    first: bool
    attempt_first: bool
    listener_s: float | None
    suno_s: float | None


class Measurements(_Result):
    """Events behind an id, oldest first. after: where to go on."""

    after: int
    rows: list[Measurement]


class FoundSegment(_Result):
    """A segment that the doctor looks at. Its token is a secret.

    refused: what Suno said of the last prompt that it would not compose. since: when it failed, was
    claimed or became complete. code, message: Suno's own, of the failure.
    """

    id: UUID
    run_id: UUID
    segment_index: int
    callback_token: UUID | None
    task_id: str | None
    track_id: str | None
    storage_path: str | None
    final_url: str | None
    download_url: str | None
    lost: bool
    reason: str | None
    attempts: int
    refused: str | None = None
    since: datetime | None = None
    code: int | None = None
    message: str | None = None


class FoundRun(_Result):
    """A run that the doctor looks at."""

    id: UUID
    created_at: datetime
    since: datetime | None = None


class Scan(_Result, Generic[Found]):
    """A part of a long look. next: where to go on; None at the end."""

    looked: int
    next: str | None
    found: list[Found]


class RetriedSegment(_Result):
    """outcome: 'queued', 'under_way', 'storing', 'complete' or 'exhausted'."""

    id: UUID
    segment_index: int
    outcome: str


class Retried(_Result):
    """What has become of a run, or of one segment of it."""

    run_id: UUID
    segments: list[RetriedSegment]


class OperationsQueries:
    """What operators see and do, under the service role.

    Every method raises PermanentError or RetryableError where the SQL function says so, and
    SupabaseUnavailable when it cannot be reached.
    """

    def __init__(self, rest_url: str, key: str, http: httpx.AsyncClient, limits: dict[str, Any]):
        functions = LimitedFunctions(rest_url, key, http, limits)
        self._call, self._call_limited = functions.call, functions.call_limited

    async def erase_departed(self) -> int:
        """Erase what is left of users who are gone and whom no trigger told of: how many."""
        return int(await self._call("erase_departed"))

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

    async def read_measurements(self, after: int | None) -> Measurements:
        """The next events behind an id; without one, only where to begin."""
        answer = await self._call("read_measurements", p_after=after)
        return Measurements.model_validate(answer)

    async def report_top_users(self, since: datetime) -> list[TopUser]:
        """The users with the most runs, at most ten."""
        answer = await self._call("report_top_users", p_since=since.isoformat())
        return [TopUser.model_validate(user) for user in answer]

    async def acquire_maintenance(self, holder: str, every_s: float, lease_s: float) -> bool:
        """Whether this worker does the maintenance now, which one at a time does."""
        return bool(
            await self._call(
                "acquire_maintenance", p_holder=holder, p_every_s=every_s, p_lease_s=lease_s
            )
        )

    async def release_maintenance(self, holder: str) -> bool:
        return bool(await self._call("release_maintenance", p_holder=holder))

    async def delete_history(self, days: int, targets: dict[str, Any]) -> DeletedHistory:
        """Roll up what is older than `days`, and delete it: a little at a time."""
        answer = await self._call("delete_history", p_days=days, p_targets=targets)
        return DeletedHistory.model_validate(answer)

    async def record_credits(self, credits_left: float) -> None:
        await self._call("record_credits", p_credits=credits_left)

    async def read_gauges(self, since: datetime) -> Gauges:
        return Gauges.model_validate(await self._call("read_snapshot", p_since=since.isoformat()))

    async def record_alerts(self, firing: list[dict[str, str]]) -> list[PendingNotification]:
        """Record the alerts that fire now ({name, says}); what is to be sent, oldest first."""
        answer = await self._call("update_alerts", p_firing=firing)
        return [PendingNotification.model_validate(alert) for alert in answer]

    async def record_notified(self, alert_id: int, *, ended: bool) -> None:
        await self._call("record_notification", p_id=alert_id, p_ended=ended)

    async def find_segments(self, kind: str, after: UUID | None, limit: int) -> list[FoundSegment]:
        """Segments that are 'stuck', 'unstored', 'not_stored' or 'failed', behind an id."""
        answer = await self._call_limited(
            "find_segments",
            p_kind=kind,
            p_after=None if after is None else str(after),
            p_limit=limit,
        )
        return [FoundSegment.model_validate(segment) for segment in answer]

    async def find_runs(self, kind: str, after: UUID | None, limit: int) -> list[FoundRun]:
        """Runs that are 'unheld', 'never_started' or 'ownerless', behind an id."""
        answer = await self._call_limited(
            "find_runs",
            p_kind=kind,
            p_after=None if after is None else str(after),
            p_limit=limit,
        )
        return [FoundRun.model_validate(run) for run in answer]

    async def scan_segments(self, after: str | None, limit: int) -> Scan[FoundSegment]:
        """Complete segments without their file, among the next ones behind an id."""
        answer = await self._call("scan_segments", p_after=after, p_limit=limit)
        return Scan[FoundSegment].model_validate(answer)

    async def scan_files(self, after: str | None, limit: int) -> Scan[str]:
        """Files that no segment knows, among the next ones behind a path."""
        answer = await self._call("scan_files", p_after=after or "", p_limit=limit)
        return Scan[str].model_validate(answer)

    async def count_scans(self) -> dict[str, int]:
        """About how many 'segments' and 'files' there are to scan."""
        return dict(await self._call("count_scans"))

    async def read_migrations(self) -> list[str] | None:
        """The versions that were applied; None where nobody keeps them."""
        return await self._call("read_migrations")  # type: ignore[no-any-return]

    async def inspect_access(self) -> list[str]:
        """What is not as it should be with tables, policies, functions and the bucket."""
        return list(await self._call("inspect_access"))

    async def hold_again(self, run_id: UUID) -> bool:
        """Have somebody look after a run again; False when somebody does."""
        return bool(
            await self._call_limited(
                "reactivate_run",
                p_run_id=str(run_id),
            )
        )

    async def retry(self, run_or_segment_id: UUID) -> Retried:
        """A new attempt of whatever failed or is stuck. Raises PermanentError (404, 409)."""
        answer = await self._call_limited(
            "retry",
            p_id=str(run_or_segment_id),
        )
        return Retried.model_validate(answer)

    async def store_again(self, segment_id: UUID, token: UUID) -> str:
        """Send a lost job again: 'sent', 'failed' (a new attempt comes), or 'late'."""
        return str(
            await self._call("requeue_track", p_segment_id=str(segment_id), p_token=str(token))
        )

    async def record_restored(
        self,
        segment_id: UUID,
        storage_path: str | None,
        final_url: str | None = None,
        *,
        sound: "Sound | None" = None,
    ) -> str:
        return str(
            await self._call(
                "record_restored",
                p_segment_id=str(segment_id),
                p_storage_path=storage_path,
                p_final_url=final_url,
                p_loudness_lufs=sound.loudness_lufs if sound else None,
                p_true_peak_dbtp=sound.true_peak_dbtp if sound else None,
                p_sound_end_seconds=sound.sound_end_seconds if sound else None,
            )
        )

    async def record_unrestored(self, segment_id: UUID, *, lost: bool) -> None:
        await self._call("record_unrestored", p_segment_id=str(segment_id), p_lost=lost)

    async def send_again(self, limit: int = 100) -> SentAgain:
        """Send jobs that were given up again."""
        return SentAgain.model_validate(await self._call("requeue_dead_letters", p_limit=limit))
