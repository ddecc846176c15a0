"""The migrations apply to whatever a project may look like before them."""

import psycopg
import pytest

from parcours_dev.errors import LocalError
from parcours_dev.supabase.migrations import MIGRATIONS, apply_migrations, read_migrations
from parcours_dev.supabase.postgres import SUPERUSER
from parcours_dev.supabase.project import LocalProject
from tests.sql.world import World

PUBLISHED = "select tablename from pg_publication_tables where pubname = 'supabase_realtime'"


def execute(project: LocalProject, database: str, role: str, statement: str) -> None:
    with psycopg.connect(project.database_url(role, database)) as connection:
        connection.execute(statement.encode())


def test_both_tables_are_told_to_realtime(world: World) -> None:
    told = world.postgres.rows(PUBLISHED)
    assert {row["tablename"] for row in told} == {"parcours_runs", "parcours_segments"}


def test_a_project_without_realtime_gets_the_rest(bootstrapped: LocalProject, empty: str) -> None:
    execute(bootstrapped, empty, "postgres", "drop publication supabase_realtime")
    applied = apply_migrations(bootstrapped.database_url(database=empty))
    assert applied == [migration.version for migration in read_migrations(MIGRATIONS)]


def test_flags_made_by_hand_are_kept(bootstrapped: LocalProject, empty: str) -> None:
    """As docs/specification.md#rollout-by-hand makes them, before any migration."""
    made = (
        "create table feature_flags (user_id uuid primary key,"
        " parcours_xl_enabled boolean default false);"
        "insert into feature_flags values (gen_random_uuid(), true)"
    )
    execute(bootstrapped, empty, "postgres", made)
    url = bootstrapped.database_url(database=empty)
    apply_migrations(url)
    with psycopg.connect(url) as connection:
        kept = connection.execute("select parcours_xl_enabled from feature_flags").fetchall()
        secured = connection.execute(
            "select relrowsecurity from pg_class where oid = 'public.feature_flags'::regclass"
        ).fetchall()
    assert (kept, secured) == ([(True,)], [(True,)])


def test_queues_that_are_there_need_no_extension(bootstrapped: LocalProject, empty: str) -> None:
    """Here the extension cannot be had; its schema is."""
    apply_migrations(bootstrapped.database_url(database=empty))


def test_queues_that_are_not_there_are_asked_for(bootstrapped: LocalProject, empty: str) -> None:
    execute(bootstrapped, empty, SUPERUSER, "drop schema pgmq cascade")
    with pytest.raises(LocalError, match=r'_queues failed.*extension "pgmq" is not available'):
        apply_migrations(bootstrapped.database_url(database=empty))


def test_older_projects_grants_by_default_open_nothing(
    bootstrapped: LocalProject, empty: str
) -> None:
    """Projects made before 2026 grant every new table and function to every API role."""
    execute(
        bootstrapped,
        empty,
        "postgres",
        "alter default privileges in schema public"
        " grant all on tables to anon, authenticated, service_role;"
        "alter default privileges in schema public"
        " grant all on functions to anon, authenticated, service_role;"
        "alter default privileges in schema public"
        " grant all on sequences to anon, authenticated, service_role;",
    )
    url = bootstrapped.database_url(database=empty)
    apply_migrations(url)
    with psycopg.connect(url) as connection:
        granted = connection.execute(
            "select distinct table_name, grantee, privilege_type"
            "  from information_schema.role_table_grants where table_schema = 'public'"
            "   and grantee in ('anon', 'authenticated')"
        ).fetchall()
        callable_ = connection.execute(
            "select proname from pg_proc where pronamespace = 'public'::regnamespace"
            "   and (has_function_privilege('anon', oid, 'execute')"
            "        or has_function_privilege('authenticated', oid, 'execute'))"
        ).fetchall()
        rewriting = connection.execute(
            "select privilege_type from information_schema.role_table_grants"
            " where table_name = 'parcours_events' and grantee = 'service_role'"
        ).fetchall()
    assert sorted(granted) == [
        ("parcours_runs", "authenticated", "SELECT"),
        ("parcours_segments", "authenticated", "SELECT"),
    ]
    assert callable_ == []
    assert rewriting == [("SELECT",)]
