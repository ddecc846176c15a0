"""The logs of one run, read to the end or followed."""

import asyncio
import sys
from datetime import datetime
from uuid import UUID

from parcours_xl.clients.operations_queries import LoggedEvent, OperationsQueries
from parcours_xl.errors import RetryableError
from parcours_xl.services.event_lines import write_line

PAGE, LOOK_S, RETRY_PAUSE_S = 500, 1.0, 5.0


async def show_logs(
    queries: OperationsQueries, run_id: UUID, since: datetime | None, *, follow: bool, as_json: bool
) -> bool:
    """Print a run's events, oldest first; whether there were any. Raises RetryableError."""
    after = await _print_new(queries, run_id, since, 0, as_json=as_json)
    # The events of a run are written under its lock: their ids come in order, none is missed.
    while follow and (after or since):
        await asyncio.sleep(LOOK_S)
        try:
            after = await _print_new(queries, run_id, since, after, as_json=as_json)
        except RetryableError as error:
            print(f"parcours: {error.message}", file=sys.stderr)
            await asyncio.sleep(RETRY_PAUSE_S)
    return bool(after)


async def _print_new(
    queries: OperationsQueries, run_id: UUID, since: datetime | None, after: int, *, as_json: bool
) -> int:
    """Print what came after an event; the id of the last one."""
    while True:
        events = await queries.read_logs(run_id, since=since, after=after, limit=PAGE)
        for event in events:
            print(_as_json(event) if as_json else write_line(event), flush=True)
            after = event.id
        if len(events) < PAGE:
            return after


def _as_json(event: LoggedEvent) -> str:
    return event.model_dump_json()
