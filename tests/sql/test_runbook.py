"""Every statement of docs/specification.md#runbook-sql runs, and tells what it is meant to tell."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from parcours_dev.supabase.project import LocalProject
from tests.sql.callers import OWNER, STRANGER, Row
from tests.sql.journeys import DOWNLOAD, STREAM, Journey, create_journey, creation
from tests.sql.world import World

SPECIFICATION = Path(__file__).parents[2] / "docs" / "specification.md"


def read_statements() -> dict[str, list[str]]:
    """The statements of each section, in order. What the page leaves open stays open."""
    page = SPECIFICATION.read_text().partition("\n## Runbook SQL\n")[2].partition("\n## ")[0]
    sections: dict[str, list[str]] = {}
    for part in page.split("\n### ")[1:]:
        title, _, text = part.partition("\n")
        blocks = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
        sections[title] = [sql for block in blocks for sql in block.split(";") if sql.strip()]
    return sections


STATEMENTS = read_statements()
FIRST_LATENCY, STATUS_SHARES, TOP_USERS = STATEMENTS["Tracking"]
[STUCK_SEGMENTS] = STATEMENTS["Stuck segments"]
CHECK_PATH, RESTORE_URL = STATEMENTS["Tracks that cannot be signed"]
RUN_STATUS, FIRST_SEGMENT = STATEMENTS["One run"]
CREATE_FLAGS, SWITCH_ON = STATEMENTS["Rollout by hand"]


def run(world: World, sql: str, **blanks: Any) -> list[Row]:
    """What a person at psql reads. Only what the page leaves open is filled in."""
    for blank, value in blanks.items():
        for form in (f"<{blank}>", f"${blank.upper()}"):
            sql = sql.replace(form, str(value))
    cursor = world.postgres.connection.execute(sql.encode())
    return cursor.fetchall() if cursor.description else []


def test_the_mean_latency_of_first(world: World, journey: Journey) -> None:
    for index, seconds in enumerate((30, 40)):
        attempt = journey.first(index)
        world.postgres.do(
            "update public.parcours_segments"
            "   set created_at = (metadata->>'first_received_at')::timestamptz"
            "                    - make_interval(secs => %s)"
            " where id = %s",
            seconds,
            attempt.segment_id,
        )
    [answer] = run(world, FIRST_LATENCY)
    assert float(answer["avg_first_latency_seconds"]) == pytest.approx(35)


def test_the_share_of_each_status(world: World, journey: Journey) -> None:
    journey.complete(0)
    journey.failed(1)
    shares = {row["status"]: float(row["percent"]) for row in run(world, STATUS_SHARES)}
    assert shares == pytest.approx({"complete": 100 / 3, "failed": 100 / 3, "queued": 100 / 3})


def test_the_users_with_the_most_runs_of_the_week(world: World) -> None:
    create_journey(world)
    world.let_pass(8 * 24 * 3600)
    for user_id, runs in ((OWNER, 2), (STRANGER, 3)):
        for _ in range(runs):
            world.service.call("create_run", **creation(user_id=user_id))
    assert run(world, TOP_USERS) == [
        {"user_id": STRANGER, "run_count": 3},
        {"user_id": OWNER, "run_count": 2},
    ]


def test_the_segments_that_are_stuck(world: World, journey: Journey) -> None:
    stuck = journey.submitted(0)
    journey.first(1)
    world.let_pass(301)
    create_journey(world).submitted(0)
    [found] = run(world, STUCK_SEGMENTS)
    assert (found["id"], found["run_id"]) == (stuck.segment_id, journey.id)
    assert (found["status"], found["suno_task_id"]) == ("generating", stuck.task_id)
    assert found["metadata"]["attempts"] == 1


def test_where_a_segment_s_track_is(world: World, journey: Journey) -> None:
    attempt = journey.complete()
    [found] = run(world, CHECK_PATH, segment_id=attempt.segment_id)
    assert found == {
        "id": attempt.segment_id,
        "storage_path": journey.path(attempt.segment_id),
        "final_url": None,
        "preview_url": STREAM.format("A"),
    }


def test_the_address_of_a_track_that_was_not_stored_is_put_back(
    world: World, journey: Journey
) -> None:
    attempt, fresh = journey.storing(), DOWNLOAD.format("fresh")
    world.service.call("record_track", **attempt.names, storage_path=None, final_url=fresh)
    world.postgres.do("update public.parcours_segments set final_url = null")
    run(world, RESTORE_URL, segment_id=attempt.segment_id)
    assert journey.segment()["final_url"] == fresh, "the address that was good last"


def test_the_address_of_a_stored_track_is_not(world: World, journey: Journey) -> None:
    attempt = journey.complete()
    run(world, RESTORE_URL, segment_id=attempt.segment_id)
    assert journey.segment()["final_url"] is None


def test_the_smoke_test_s_questions(world: World, journey: Journey) -> None:
    assert run(world, RUN_STATUS, run_id=journey.id) == [{"status": "creating"}]
    [segment] = run(world, FIRST_SEGMENT, run_id=journey.id)
    assert segment["id"] in {journey.segment_id(index) for index in range(3)}


def test_the_table_of_flags_is_the_one_that_is_there_already(world: World) -> None:
    columns = (
        "select column_name, data_type, is_nullable, column_default, ordinal_position"
        "  from information_schema.columns where table_name = 'feature_flags'"
        "   and table_schema = %s order by ordinal_position"
    )
    keys = (
        "select contype, conkey, conname from pg_constraint"
        " where conrelid = %s::regclass and contype <> 'n'"
    )
    with world.postgres.connection.transaction(force_rollback=True):
        world.postgres.do("create schema scratch")
        world.postgres.do("set local search_path = scratch")
        run(world, CREATE_FLAGS)
        postgres = world.postgres
        assert postgres.rows(columns, "public") == postgres.rows(columns, "scratch")
        ours, theirs = (f"{schema}.feature_flags" for schema in ("public", "scratch"))
        assert postgres.rows(keys, ours) == postgres.rows(keys, theirs)


@pytest.fixture
def users(postgres: LocalProject, database: str) -> list[UUID]:
    """Four hundred users of two months ago, and one of today."""
    url = postgres.database_url("supabase_auth_admin", database)
    old = [uuid4() for _ in range(400)]
    with psycopg.connect(url, autocommit=True) as connection:
        insert = "insert into auth.users (id, created_at) values (%s, now() - %s::interval)"
        with connection.cursor() as cursor:
            cursor.executemany(insert, [(user_id, "60 days") for user_id in old])
            cursor.execute(insert, [uuid4(), "1 day"])
    return old


def test_five_in_a_hundred_of_the_older_users_are_switched_on(
    world: World, users: list[UUID]
) -> None:
    run(world, SWITCH_ON)
    flags = world.postgres.rows("select * from public.feature_flags")
    assert {flag["user_id"] for flag in flags} == set(users)
    switched_on = sum(flag["parcours_xl_enabled"] for flag in flags)
    # 20 of 400 are expected; that none or 61 are is less likely than one in a hundred million.
    assert 0 < switched_on < 61
