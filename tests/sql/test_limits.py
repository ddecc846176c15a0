"""write_limits: the service's limits, typed, checked, and named by their id."""

from typing import Any
from uuid import uuid4

import pytest

from parcours_xl.settings import Settings
from tests.sql.callers import refused
from tests.sql.journeys import Journey, create_journey, first
from tests.sql.world import LIMITS, World

COLUMNS = """
select column_name as name from information_schema.columns
 where table_schema = 'parcours' and table_name = 'limits'
   and column_name not in ('id', 'written_at')
"""
UNKNOWN = 1_000_000_000


def write(world: World, **limits: Any) -> int:
    return int(world.service.call("write_limits", limits=LIMITS | limits))


def test_the_columns_are_what_the_settings_give(world: World) -> None:
    settings = Settings(
        supabase_url="https://x.supabase.co",
        supabase_anon_key="anon",
        supabase_service_role_key="service",
        suno_api_key="key",
        callback_base="https://x.example/parcours-xl-callback",
    )
    columns = {row["name"] for row in world.postgres.rows(COLUMNS)}
    assert columns == set(settings.limits) == set(LIMITS)
    assert write(world, **settings.limits) == write(world, **settings.limits)


def test_the_same_limits_have_one_id_and_others_another(world: World) -> None:
    assert write(world) == write(world)
    assert write(world) != write(world, first_s=91)
    assert write(world, credits_daily_max=24) != write(world)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_s": 0},
        {"first_s": 250},
        {"complete_s": 300},
        {"attempts_max": 2},
        {"requests_max": 0},
        {"questions_share": 1.5},
        {"retry_s": [2, -1]},
        {"credits_daily_max": 0},
    ],
    ids=str,
)
def test_limits_that_contradict_each_other_are_refused(world: World, wrong: dict[str, Any]) -> None:
    with refused("23514"):
        write(world, **wrong)


@pytest.mark.parametrize("name", ["first_s", "retry_s", "attempts_max", "stuck_s"])
def test_a_limit_that_is_null_is_missing(world: World, name: str) -> None:
    with refused("22023") as refusal:
        write(world, **{name: None})
    assert refusal.message == f"the limit {name} is missing"


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("start_run", {"run_id": uuid4()}),
        ("claim_segment", {"segment_id": uuid4()}),
        ("reserve_suno_request", {}),
        ("reserve_question", {"segment_id": uuid4(), "token": uuid4()}),
        ("record_refusal", {"segment_id": uuid4(), "token": uuid4(), "kind": "later"}),
        ("retry_segment", {"segment_id": uuid4()}),
        ("find_segments", {"kind": "stuck"}),
        ("find_runs", {"kind": "unheld"}),
        ("reactivate_run", {"run_id": uuid4()}),
        ("retry", {"id": uuid4()}),
    ],
)
@pytest.mark.parametrize("limits_id", [UNKNOWN, None])
def test_limits_that_are_not_there_let_nothing_through(
    world: World, function: str, arguments: dict[str, Any], limits_id: int | None
) -> None:
    with refused("PT409") as refusal:
        world.service.call(function, limits_id=limits_id, **arguments)
    assert refusal.hint == "limits"


def test_limits_that_no_run_has_used_for_90_days_are_forgotten(world: World) -> None:
    journey = create_journey(world, limits={"first_s": 33})
    journey.start()
    write(world, first_s=44)
    world.postgres.do("update parcours.limits set written_at = now() - interval '91 days'")
    write(world, first_s=55)
    kept = world.postgres.rows("select first_s from parcours.limits order by first_s")
    assert [row["first_s"] for row in kept] == [33, 55]


VERSIONS = """
select (select array_agg(xmin::text order by id) from public.parcours_segments) as segments,
       (select array_agg(xmin::text order by id) from public.parcours_runs) as runs,
       (select array_agg(xmin::text order by msg_id) from pgmq.q_parcours_generation) as messages,
       (select count(*) from public.parcours_events) as events
"""


def test_a_repeated_event_writes_nothing(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.first()
    before = world.postgres.row(VERSIONS)
    for _ in range(3):
        assert journey.tell(attempt, first(attempt)) == "skipped"
    assert world.postgres.row(VERSIONS) == before


def test_a_repeated_event_waits_for_no_lock(world: World, journey: Journey) -> None:
    attempt = journey.first()
    holder = world.another("postgres")
    with holder.connection.transaction():
        holder.do("select from public.parcours_runs where id = %s for update", journey.id)
        world.service.connection.execute("set lock_timeout = '2s'")
        assert journey.tell(attempt, first(attempt)) == "skipped"
    world.service.connection.execute("reset lock_timeout")
