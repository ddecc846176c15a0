"""The two tables and feature_flags are as documented (docs/specification.md#database)."""

from typing import Any, LiteralString

import psycopg
import pytest

from tests.sql.journeys import Journey
from tests.sql.world import World

NOW, NO_METADATA, NEW_ID = "now()", "'{}'::jsonb", "gen_random_uuid()"

# name -> type, may be null, default. Written down from there; NOT NULL and defaults are
# what a working system adds.
COLUMNS: dict[str, dict[str, tuple[str, bool, str | None]]] = {
    "parcours_runs": {
        "id": ("uuid", False, NEW_ID),
        "user_id": ("uuid", False, None),
        "preset_key": ("text", False, None),
        "status": ("text", False, "'creating'::text"),
        "brief": ("text", True, None),
        "suds_start": ("integer", True, None),
        "suds_mid": ("integer", True, None),
        "suds_end": ("integer", True, None),
        "metadata": ("jsonb", False, NO_METADATA),
        "created_at": ("timestamp with time zone", False, NOW),
        "updated_at": ("timestamp with time zone", False, NOW),
    },
    "parcours_segments": {
        "id": ("uuid", False, NEW_ID),
        "run_id": ("uuid", False, None),
        "segment_index": ("integer", False, None),
        "prompt": ("text", False, None),
        "status": ("text", False, "'queued'::text"),
        # Not in the table's description, but read by the troubleshooting query.
        "suno_task_id": ("text", True, None),
        "preview_url": ("text", True, None),
        "final_url": ("text", True, None),
        "storage_path": ("text", True, None),
        "duration_seconds": ("integer", True, None),
        "callback_token": ("uuid", True, NEW_ID),
        "metadata": ("jsonb", False, NO_METADATA),
        "created_at": ("timestamp with time zone", False, NOW),
    },
    "feature_flags": {
        "user_id": ("uuid", False, None),
        "parcours_xl_enabled": ("boolean", True, "false"),
    },
}

PARTIAL = {"idx_segments_storing", "idx_segments_linked"}

# name -> the columns, and whether they are unique together.
INDEXES: dict[str, dict[str, tuple[str, bool]]] = {
    "parcours_runs": {
        "parcours_runs_pkey": ("id", True),
        "idx_runs_user": ("user_id", False),
        "idx_runs_status": ("status", False),
        "idx_runs_user_created": ("user_id, created_at", False),
        "idx_runs_created": ("created_at, user_id", False),
    },
    "parcours_segments": {
        "parcours_segments_pkey": ("id", True),
        "u_segments_run_idx": ("run_id, segment_index", True),
        "idx_segments_status": ("status", False),
        "idx_segments_storing": ("id", False),
        "idx_segments_linked": ("id", False),
    },
    "feature_flags": {"feature_flags_pkey": ("user_id", True)},
}

# How PostgreSQL words what the tables promise; the values are tried below.
CONSTRAINTS: dict[str, list[str]] = {
    "parcours_runs": [
        "CHECK ((status = ANY (ARRAY['creating'::text, 'ready'::text, 'failed'::text])))",
        "CHECK (((suds_end >= 0) AND (suds_end <= 10)))",
        "CHECK (((suds_mid >= 0) AND (suds_mid <= 10)))",
        "CHECK (((suds_start >= 0) AND (suds_start <= 10)))",
        "PRIMARY KEY (id)",
    ],
    "parcours_segments": [
        "CHECK ((status = ANY (ARRAY['queued'::text, 'generating'::text, 'first'::text,"
        " 'complete'::text, 'failed'::text])))",
        "FOREIGN KEY (run_id) REFERENCES parcours_runs(id) ON DELETE CASCADE",
        "PRIMARY KEY (id)",
    ],
    "feature_flags": ["PRIMARY KEY (user_id)"],
}

TABLES = tuple(COLUMNS)
JOURNEY_TABLES = ("parcours_runs", "parcours_segments")


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_the_documented_columns_and_no_others(world: World, table: str) -> None:
    found = world.postgres.rows(
        "select column_name, data_type, is_nullable = 'YES' as may_be_null, column_default"
        "  from information_schema.columns"
        " where table_schema = 'public' and table_name = %s order by ordinal_position",
        table,
    )
    named = [(row["column_name"], *list(row.values())[1:]) for row in found]
    assert named == [(name, *facts) for name, facts in COLUMNS[table].items()]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_the_documented_indexes_and_no_others(world: World, table: str) -> None:
    found = world.postgres.rows(
        "select cls.relname, idx.indisunique,"
        "       idx.indpred is null and idx.indexprs is null as plain,"
        "       (select string_agg(attname, ', ' order by place)"
        "          from unnest(idx.indkey::int[]) with ordinality as key (number, place)"
        "          join pg_attribute on attrelid = idx.indrelid and attnum = number) as columns"
        "  from pg_index as idx join pg_class as cls on cls.oid = idx.indexrelid"
        " where idx.indrelid = %s::regclass",
        f"public.{table}",
    )
    assert {row["relname"] for row in found if not row["plain"]} == PARTIAL & set(INDEXES[table])
    assert {row["relname"]: (row["columns"], row["indisunique"]) for row in found} == INDEXES[table]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_promises_what_is_documented_and_nothing_else(world: World, table: str) -> None:
    found = world.postgres.rows(
        # 'n' are the NOT NULLs, which PostgreSQL 18 counts among the constraints.
        "select pg_get_constraintdef(oid) as promise from pg_constraint"
        " where conrelid = %s::regclass and contype <> 'n'",
        f"public.{table}",
    )
    assert sorted(row["promise"] for row in found) == sorted(CONSTRAINTS[table])


def test_nothing_refers_to_the_users_of_auth(world: World) -> None:
    found = world.postgres.rows(
        "select conrelid::regclass from pg_constraint"
        " where contype = 'f' and confrelid = 'auth.users'::regclass"
        "   and connamespace <> 'auth'::regnamespace"
    )
    assert found == []


@pytest.mark.parametrize(
    ("table", "triggers"),
    [
        (
            "parcours_runs",
            {
                "check_transition",
                "touch_updated_at",
                "note_erasures",
                "refuse_unusable_account",
                "append_only_whole",
            },
        ),
        ("parcours_segments", {"check_transition"}),
        ("feature_flags", set()),
    ],
)
def test_a_table_has_these_triggers_alone(world: World, table: str, triggers: set[str]) -> None:
    found = world.postgres.rows(
        "select tgname from pg_trigger where tgrelid = %s::regclass and not tgisinternal",
        f"public.{table}",
    )
    assert {row["tgname"] for row in found} == triggers


@pytest.mark.parametrize("status", ["creating", "ready", "failed"])
def test_a_run_may_be_in_each_documented_status(world: World, status: str) -> None:
    assert _insert_run(world, status=status)


@pytest.mark.parametrize("status", ["queued", "generating", "first", "complete", "failed"])
def test_a_segment_may_be_in_each_documented_status(world: World, status: str) -> None:
    run_id = _insert_run(world)
    world.postgres.do(
        "insert into public.parcours_segments (run_id, segment_index, prompt, status)"
        " values (%s, 0, 'piano', %s)",
        run_id,
        status,
    )


@pytest.mark.parametrize("status", ["complete", "queued", "", "READY"])
def test_a_run_is_in_no_other_status(world: World, status: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        _insert_run(world, status=status)


@pytest.mark.parametrize("status", ["ready", "creating", "", "First"])
def test_a_segment_is_in_no_other_status(world: World, status: str) -> None:
    run_id = _insert_run(world)
    with pytest.raises(psycopg.errors.CheckViolation):
        world.postgres.do(
            "insert into public.parcours_segments (run_id, segment_index, prompt, status)"
            " values (%s, 0, 'piano', %s)",
            run_id,
            status,
        )


@pytest.mark.parametrize("column", ["suds_start", "suds_mid", "suds_end"])
def test_a_suds_is_nought_to_ten_or_not_told(world: World, column: str) -> None:
    for value in (0, 10, None):
        assert _insert_run(world, **{column: value})
    for value in (-1, 11):
        with pytest.raises(psycopg.errors.CheckViolation):
            _insert_run(world, **{column: value})


def test_a_new_run_needs_its_user_and_preset_alone(world: World) -> None:
    run = world.postgres.row("select * from public.parcours_runs where id = %s", _insert_run(world))
    assert run["status"] == "creating"
    assert run["metadata"] == {}
    assert run["created_at"] == run["updated_at"]


def test_a_new_segment_is_queued_with_a_token_of_its_own(world: World) -> None:
    run_id = _insert_run(world)
    insert: LiteralString = (
        "insert into public.parcours_segments (run_id, segment_index, prompt)"
        " values (%s, %s, 'piano') returning *"
    )
    one, two = (world.postgres.row(insert, run_id, index) for index in range(2))
    assert one["status"] == "queued"
    assert one["metadata"] == {}
    assert one["callback_token"] != two["callback_token"] is not None


def test_a_run_has_one_segment_a_place(world: World, journey: Journey) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation, match="u_segments_run_idx"):
        world.postgres.do(
            "insert into public.parcours_segments (run_id, segment_index, prompt)"
            " values (%s, 1, 'piano')",
            journey.id,
        )


def test_a_change_of_a_run_moves_its_updated_at(world: World, journey: Journey) -> None:
    before = journey.run
    world.postgres.do("update public.parcours_runs set suds_mid = 4 where id = %s", journey.id)
    assert journey.run["updated_at"] > before["updated_at"]
    assert journey.run["created_at"] == before["created_at"]


def test_nobody_sets_updated_at_by_hand(world: World, journey: Journey) -> None:
    world.postgres.do(
        "update public.parcours_runs set updated_at = '2001-01-01' where id = %s", journey.id
    )
    assert journey.run["updated_at"].year > 2001


def test_erasing_a_run_erases_everything_about_it(world: World, journey: Journey) -> None:
    journey.start()
    journey.first()
    world.postgres.do("delete from public.parcours_runs where id = %s", journey.id)
    left = world.postgres.row(
        "select (select count(*) from public.parcours_segments) as segments,"
        "       (select count(*) from public.parcours_events) as events,"
        "       (select count(*) from parcours.active_runs) as in_hand"
    )
    assert left == {"segments": 0, "events": 0, "in_hand": 0}


def _insert_run(world: World, **values: Any) -> Any:
    columns = {"user_id": "00000000-0000-4000-8000-00000000000a", "preset_key": "00"} | values
    insert = (
        f"insert into public.parcours_runs ({', '.join(columns)})"
        f" values ({', '.join(['%s'] * len(columns))}) returning id"
    )
    [row] = world.postgres.connection.execute(insert.encode(), list(columns.values())).fetchall()
    return row["id"]
