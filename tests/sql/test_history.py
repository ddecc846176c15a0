"""delete_history: what is old is rolled up and deleted, and the report stays the same."""

from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import pytest
from psycopg.types.json import Jsonb

from parcours_xl.operations.report.report import Figures
from tests.sql.callers import OWNER, refused
from tests.sql.journeys import Journey
from tests.sql.scenarios import ScenarioEvent, tell
from tests.sql.test_report import TARGETS, piece
from tests.sql.world import World

DAYS = 30
NOW = datetime.now(UTC)
OLD = (NOW - timedelta(days=DAYS + 10)).replace(minute=50, second=0, microsecond=0)
"""Ten minutes before an hour ends: what happens of a run spans two hours of the report."""
ALL_TIME = {"from": OLD - timedelta(days=1), "to": NOW}
RUN = [(1.0, "run.started"), (900.0, "run.ready")]


def figures(world: World, **span: datetime) -> Figures:
    answer = world.service.call("report_slice", **(ALL_TIME | span), targets=TARGETS)
    return Figures.read(answer)


def delete_history(world: World, **arguments: Any) -> dict[str, int]:
    wanted = {"days": DAYS, "targets": TARGETS} | arguments
    return dict(world.service.call("delete_history", **wanted))


def count(world: World, table: LiteralString) -> int:
    return int(world.postgres.value("select count(*) from " + table))


def failed_once(at: float) -> list[ScenarioEvent]:
    """A segment whose first attempt failed, just before the hour ended."""
    return [
        (at, "segment.claimed", {"attempt": 1}),
        (at + 5, "segment.refused", {"code": 430}),
        (at + 8, "segment.claimed", {"attempt": 1}),
        (at + 20, "segment.failed", {"reason": "suno_error", "attempt": 1, "again": True}),
        (at + 21, "segment.requeued"),
        (at + 22, "segment.claimed", {"attempt": 2}),
        (at + 56, "segment.first", {"source": "callback"}),
        (at + 180, "segment.delivered", {"source": "record_info"}),
        (at + 182, "segment.complete", {"stored": False}),
    ]


def tell_history(world: World) -> None:
    """Runs of many days, from before the limit to now."""
    for day in range(0, DAYS + 10, 2):
        start = OLD + timedelta(days=day)
        tell(world, piece(at=2), failed_once(590), run=RUN, start=start)
        tell(world, [(3, "segment.claimed", {"attempt": 1})], status="failed", start=start)


def test_the_report_is_the_same_before_and_after(world: World) -> None:
    tell_history(world)
    before = figures(world)
    first_half = {"to": OLD + timedelta(days=6, minutes=10)}  # a whole hour
    half = figures(world, **first_half)
    events = count(world, "public.parcours_events")
    # An hour at a time, and some events at a time, as a backlog is worked off.
    while True:
        deleted = delete_history(world, hours=1, limit=7)
        assert deleted["hours"] <= 1 and deleted["events"] <= 7
        assert figures(world) == before
        if not any(deleted.values()):
            break
    assert figures(world, **first_half) == half
    assert half.submissions < before.submissions and half.runs_measured < before.runs_measured
    assert 0 < count(world, "public.parcours_events") < events
    oldest = world.postgres.value("select min(happened_at) from public.parcours_events")
    assert oldest > NOW - timedelta(days=DAYS + 3)


def test_each_hour_is_reported_once_however_a_time_is_cut(world: World) -> None:
    tell_history(world)
    whole = figures(world)
    delete_history(world, hours=100)
    edges = [OLD - timedelta(days=1) + timedelta(minutes=37 * 60 * n + 13) for n in range(40)]
    edges = [edge for edge in edges if edge < NOW]
    cuts = zip([ALL_TIME["from"], *edges], [*edges, NOW], strict=True)
    pieces = [figures(world, **{"from": start, "to": end}) for start, end in cuts]
    assert sum(pieces, Figures()) == whole


def test_a_run_that_is_not_over_is_still_known_to_be_started(world: World) -> None:
    run_id = tell(world, status="creating", start=OLD)
    tell(world, status="ready", start=OLD + timedelta(days=4))
    delete_history(world)
    kept = world.postgres.rows("select what from public.parcours_events where run_id = %s", run_id)
    assert [row["what"] for row in kept] == ["run.started"]


def test_what_is_not_rolled_up_is_not_deleted_by_hand(world: World) -> None:
    tell(world, piece(), run=RUN, start=OLD)
    with refused("PT409"):
        world.postgres.do("delete from public.parcours_events where true")
    tell(world, piece(), run=RUN, start=NOW - timedelta(days=1))
    delete_history(world)
    with refused("PT409"):
        world.postgres.do("delete from public.parcours_events where true")
    with refused("PT409"):
        world.postgres.do("update public.parcours_events set what = 'x' where true")


def test_keys_that_are_over_are_deleted(world: World) -> None:
    run_id = tell(world, start=NOW)
    for hours in (1, 25, 26):
        world.postgres.do(
            "insert into parcours.creations (user_id, idempotency_key, request, run_id, created_at)"
            " values (%s, %s, %s, %s, now() - make_interval(hours => %s))",
            OWNER,
            str(hours),
            Jsonb({}),
            run_id,
            hours,
        )
    assert delete_history(world, limit=1)["keys"] == 1
    assert delete_history(world)["keys"] == 1
    assert world.postgres.value("select idempotency_key from parcours.creations") == "1"


def test_what_counts_for_a_day_is_deleted_after_it(world: World, journey: Journey) -> None:
    journey.start()
    journey.claimed()
    counted: tuple[LiteralString, ...] = ("parcours.submissions", "parcours.recent_creations")
    for hours, left in ((23, 1), (25, 0)):
        world.let_pass(3600 * hours - (0 if hours == 23 else 3600 * 23))
        delete_history(world)
        assert [count(world, table) for table in counted] == [left, left]


@pytest.mark.parametrize("queue", ["pgmq.a_parcours_generation", "pgmq.a_parcours_tracks"])
def test_no_archive_of_done_jobs_grows(world: World, queue: LiteralString) -> None:
    # Nothing of ours archives: a job that is done is deleted.
    sources = world.postgres.rows(
        "select prosrc from pg_proc where pronamespace in"
        " ('public'::regnamespace, 'parcours'::regnamespace) and prosrc like '%%pgmq.archive%%'"
    )
    assert sources == []
    assert count(world, queue) == 0
