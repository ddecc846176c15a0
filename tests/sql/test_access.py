"""Who may see and do what with the tables: closed, but for what is granted."""

from typing import LiteralString

import pytest

from tests.sql.callers import API_CALLERS, OWNER, STRANGER, refused
from tests.sql.journeys import Journey, create_journey
from tests.sql.world import World

VERBS = ("select", "insert", "update", "delete")
CLOSED = "42501"
SHUT = (CLOSED, CLOSED, CLOSED, CLOSED)

# OWNER has one run of two segments with one event, and a flag. What each verb comes to, over the
# whole table: so many rows, or the SQLSTATE of the refusal.
MATRIX: dict[str, dict[str, tuple[int | str, ...]]] = {
    "parcours_runs": {
        "anon": SHUT,
        "owner": (1, CLOSED, CLOSED, CLOSED),
        "stranger": (0, CLOSED, CLOSED, CLOSED),
        "service_role": (1, 1, 1, 1),
    },
    "parcours_segments": {
        "anon": SHUT,
        "owner": (2, CLOSED, CLOSED, CLOSED),
        "stranger": (0, CLOSED, CLOSED, CLOSED),
        "service_role": (2, 1, 2, 2),
    },
    "parcours_events": {
        "anon": SHUT,
        "owner": SHUT,
        "stranger": SHUT,
        "service_role": (1, CLOSED, CLOSED, CLOSED),
    },
    "feature_flags": {
        "anon": SHUT,
        "owner": SHUT,
        "stranger": SHUT,
        "service_role": (1, 1, 1, 1),
    },
}

STATEMENTS: dict[str, dict[str, LiteralString]] = {
    "parcours_runs": {
        "select": "select * from public.parcours_runs",
        "insert": "insert into public.parcours_runs (user_id, preset_key)"
        " values ('00000000-0000-4000-8000-00000000000a', '00')",
        "update": "update public.parcours_runs set brief = 'mine' where true",
        "delete": "delete from public.parcours_runs where true",
    },
    "parcours_segments": {
        "select": "select * from public.parcours_segments",
        "insert": "insert into public.parcours_segments (run_id, segment_index, prompt)"
        " select id, 99, 'mine' from public.parcours_runs",
        "update": "update public.parcours_segments set prompt = 'mine' where true",
        "delete": "delete from public.parcours_segments where true",
    },
    "parcours_events": {
        "select": "select * from public.parcours_events",
        "insert": "insert into public.parcours_events (run_id, what)"
        " select id, 'mine' from public.parcours_runs",
        "update": "update public.parcours_events set what = 'mine' where true",
        "delete": "delete from public.parcours_events where true",
    },
    "feature_flags": {
        "select": "select * from public.feature_flags",
        "insert": "insert into public.feature_flags (user_id)"
        " values ('00000000-0000-4000-8000-00000000000b')",
        "update": "update public.feature_flags set parcours_xl_enabled = true where true",
        "delete": "delete from public.feature_flags where true",
    },
}

CELLS = [
    pytest.param(table, name, verb, expected, id=f"{table}-{name}-{verb}")
    for table, callers in MATRIX.items()
    for name, cells in callers.items()
    for verb, expected in zip(VERBS, cells, strict=True)
]


@pytest.fixture
def run(world: World) -> Journey:
    """OWNER's run of two segments; OWNER has Parcours XL."""
    world.postgres.do("insert into public.feature_flags (user_id) values (%s)", OWNER)
    return create_journey(world, segments=2)


def test_the_matrix_names_every_table_in_reach_of_the_api(world: World) -> None:
    tables = world.postgres.rows("select tablename from pg_tables where schemaname = 'public'")
    assert {row["tablename"] for row in tables} == set(MATRIX) == set(STATEMENTS)
    others = world.postgres.rows(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('v', 'm', 'f', 'p')"
    )
    assert others == []
    assert all(set(callers) == set(API_CALLERS) for callers in MATRIX.values())


@pytest.mark.parametrize(("table", "name", "verb", "expected"), CELLS)
def test_a_caller_may_do_this_much(
    world: World, run: Journey, table: str, name: str, verb: str, expected: int | str
) -> None:
    caller, statement = world.caller(name), STATEMENTS[table][verb]
    if isinstance(expected, str):
        with refused(expected):
            caller.do(statement)
    else:
        assert caller.do(statement) == expected


@pytest.mark.parametrize("name", ["anon", "owner", "stranger"])
@pytest.mark.parametrize("table", MATRIX)
def test_nobody_empties_a_table(world: World, run: Journey, name: str, table: str) -> None:
    with refused(CLOSED):
        world.caller(name).connection.execute(f"truncate public.{table} cascade".encode())


def test_the_owner_sees_every_column(world: World, run: Journey) -> None:
    owner = world.caller("owner")
    assert owner.rows("select * from public.parcours_runs") == [run.run]
    seen = owner.rows("select * from public.parcours_segments order by segment_index")
    assert seen == run.segments


def test_a_stranger_with_a_run_of_their_own_sees_that_one_alone(world: World, run: Journey) -> None:
    world.postgres.do(
        "insert into public.parcours_runs (user_id, preset_key) values (%s, '00')", STRANGER
    )
    [seen] = world.caller("stranger").rows("select user_id from public.parcours_runs")
    assert seen == {"user_id": STRANGER}
    assert world.caller("stranger").rows("select id from public.parcours_segments") == []


def test_a_token_without_a_user_sees_nothing(world: World, run: Journey) -> None:
    owner = world.another("owner")
    owner.connection.execute("select set_config('request.jwt.claims', '', false)")
    assert owner.rows("select id from public.parcours_runs") == []
    assert owner.rows("select id from public.parcours_segments") == []


@pytest.mark.parametrize("column", ["suds_start", "suds_mid", "suds_end"])
def test_the_owner_tells_each_suds(world: World, run: Journey, column: str) -> None:
    world.caller("owner").connection.execute(
        f"update public.parcours_runs set {column} = 7 where true"
    )
    assert run.run[column] == 7


def test_a_suds_out_of_range_is_refused_to_the_owner_too(world: World, run: Journey) -> None:
    with refused("23514"):
        world.caller("owner").do("update public.parcours_runs set suds_end = 11 where true")


def test_a_stranger_cannot_tell_the_owner_s_suds(world: World, run: Journey) -> None:
    stranger = world.caller("stranger")
    assert stranger.do("update public.parcours_runs set suds_start = 1 where true") == 0
    assert run.run["suds_start"] is None


COLUMNS_NOT_TO_WRITE = (
    *("id", "user_id", "preset_key", "status", "brief", "metadata", "created_at", "updated_at"),
)


@pytest.mark.parametrize("column", COLUMNS_NOT_TO_WRITE)
def test_the_owner_writes_no_other_column(world: World, run: Journey, column: str) -> None:
    with refused(CLOSED):
        world.caller("owner").connection.execute(
            f"update public.parcours_runs set suds_end = 1, {column} = {column} where true".encode()
        )


def test_every_table_in_reach_has_row_security(world: World) -> None:
    open_ones = world.postgres.rows(
        "select oid::regclass from pg_class where relkind in ('r', 'p') and not relrowsecurity"
        " and relnamespace::regnamespace::text in ('public', 'storage')"
    )
    assert open_ones == []


def test_our_queues_stay_closed_where_a_project_exposes_its_queues(world: World) -> None:
    found = world.postgres.rows(
        "select relname, relrowsecurity from pg_class"
        " where relnamespace = 'pgmq'::regnamespace and relname ~ '^[qa]_parcours'"
        "   and relkind = 'r' order by 1"
    )
    assert [tuple(row.values()) for row in found] == [
        ("a_parcours_generation", True),
        ("a_parcours_tracks", True),
        ("q_parcours_generation", True),
        ("q_parcours_tracks", True),
    ]


@pytest.mark.parametrize("name", API_CALLERS)
@pytest.mark.parametrize("schema", ["parcours", "pgmq", "supabase_migrations"])
def test_what_lies_behind_is_out_of_every_caller_s_reach(
    world: World, name: str, schema: str
) -> None:
    tables = world.postgres.rows("select tablename from pg_tables where schemaname = %s", schema)
    assert tables
    for table in tables:
        with refused(CLOSED):
            world.caller(name).connection.execute(
                f"select * from {schema}.{table['tablename']}".encode()
            )
