"""Runs whose events are written down as they are to be, second by second."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from tests.sql.callers import OWNER
from tests.sql.world import World

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
"""When every story begins, unless told otherwise. It is long over."""

ScenarioEvent = tuple[float, str] | tuple[float, str, dict[str, Any]]


def tell(
    world: World,
    *segments: list[ScenarioEvent],
    run: Sequence[ScenarioEvent] = ((0, "run.started"),),
    status: str = "ready",
    owner: UUID = OWNER,
    start: datetime = START,
    waited_s: float | None = None,
    brief_source: str | None = None,
) -> UUID:
    """A run with these events: (seconds from its creation, what, details). Its id.

    waited_s, brief_source: what run.created says of create, where that is written down.
    """
    run_id = uuid4()
    world.postgres.do(
        "insert into public.parcours_runs (id, user_id, preset_key, status, created_at)"
        " values (%s, %s, '00-universel-reset', %s, %s)",
        run_id,
        owner,
        status,
        start,
    )
    said = {"waited_s": waited_s, "brief_source": brief_source}
    events: list[tuple[float, str, dict[str, Any], UUID | None]] = [
        (0, "run.created", {name: fact for name, fact in said.items() if fact is not None}, None),
        *((*_whole(entry), None) for entry in run),
    ]
    for index, entries in enumerate(segments):
        segment_id = uuid4()
        world.postgres.do(
            "insert into public.parcours_segments (id, run_id, segment_index, prompt, status)"
            " values (%s, %s, %s, 'piano', 'complete')",
            segment_id,
            run_id,
            index,
        )
        events += [(*_whole(entry), segment_id) for entry in entries]
    for seconds, what, detail, segment in sorted(events, key=lambda event: event[0]):
        world.postgres.do(
            "insert into public.parcours_events (run_id, segment_id, what, detail, happened_at)"
            " values (%s, %s, %s, %s, %s)",
            run_id,
            segment,
            what,
            Jsonb(detail),
            start + timedelta(seconds=seconds),
        )
    return run_id


def _whole(entry: ScenarioEvent) -> tuple[float, str, dict[str, Any]]:
    seconds, what, *detail = entry
    return seconds, what, detail[0] if detail else {}
