"""The embedded database is like a hosted project's before and after its migrations."""

import os
import pwd
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from parcours_dev.errors import LocalError
from parcours_dev.supabase import postgres as postgres_module
from parcours_dev.supabase.database import bootstrap_database, copy_database, drop_database
from parcours_dev.supabase.postgres import data_dir
from parcours_dev.supabase.project import LocalProject
from parcours_dev.supabase.stack import running_postgres

API_ROLES = ("anon", "authenticated", "service_role")


@pytest.fixture
def connection(postgres: LocalProject, fresh_database: str) -> Iterator[psycopg.Connection]:
    """As role postgres, in a database of the test's own."""
    url = postgres.database_url(database=fresh_database)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def ask(connection: psycopg.Connection, statement: str) -> list[tuple[object, ...]]:
    return connection.execute(statement.encode()).fetchall()


def test_the_project_s_own_role_is_no_superuser(connection: psycopg.Connection) -> None:
    assert ask(connection, "select current_user") == [("postgres",)]
    rights = "rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
    assert ask(connection, f"select {rights} from pg_roles where rolname = 'postgres'") == [
        (False, True, True, True, True)
    ]


def test_requests_run_as_roles_that_cannot_log_in(connection: psycopg.Connection) -> None:
    found = ask(
        connection,
        "select rolname, rolcanlogin, rolinherit, rolbypassrls from pg_roles"
        " where rolname in ('anon', 'authenticated', 'service_role', 'authenticator') order by 1",
    )
    assert found == [
        ("anon", False, False, False),
        ("authenticated", False, False, False),
        ("authenticator", True, False, False),
        ("service_role", False, False, True),
    ]


def test_slow_statements_of_clients_are_cut(postgres: LocalProject) -> None:
    with psycopg.connect(postgres.database_url("authenticator")) as connection:
        assert ask(connection, "show statement_timeout") == [("8s",)]
        settings = "select rolname, rolconfig::text from pg_roles where rolname = any("
        assert ask(connection, f"{settings}'{{anon,authenticated}}') order by 1") == [
            ("anon", "{statement_timeout=3s}"),
            ("authenticated", "{statement_timeout=8s}"),
        ]


@pytest.mark.parametrize("role", ["authenticator", "postgres", "supabase_storage_admin"])
def test_whoever_acts_for_clients_can_become_them(postgres: LocalProject, role: str) -> None:
    with psycopg.connect(postgres.database_url(role)) as connection:
        for client in API_ROLES:
            connection.execute(f"set role {client}".encode())
            assert ask(connection, "select current_user") == [(client,)]
            connection.execute("reset role")


@pytest.mark.parametrize("role", ["authenticator", "supabase_auth_admin", "supabase_storage_admin"])
def test_no_server_may_make_tables_in_public(postgres: LocalProject, role: str) -> None:
    with (
        psycopg.connect(postgres.database_url(role)) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute("create table public.mine (id int)")


@pytest.mark.parametrize("role", API_ROLES)
def test_a_new_table_is_closed_until_a_migration_grants_it(
    connection: psycopg.Connection, role: str
) -> None:
    connection.execute("create table public.closed (id int)")
    connection.execute(f"set role {role}".encode())
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute("select * from public.closed")


def test_postgres_may_not_write_to_the_schema_of_auth(connection: psycopg.Connection) -> None:
    assert ask(connection, "select count(*) from auth.users") == [(0,)]
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute("insert into auth.users (id) values (gen_random_uuid())")


def test_postgres_may_write_policies_for_stored_objects(connection: psycopg.Connection) -> None:
    connection.execute("create policy mine on storage.objects for select using (false)")


def test_who_is_asking_is_read_from_the_request(connection: psycopg.Connection) -> None:
    user = "2b1c9d3e-0000-4000-8000-000000000001"
    claims = f'{{"sub": "{user}", "role": "authenticated", "email": "a@example.org"}}'
    connection.execute("select set_config('request.jwt.claims', %s, false)", (claims,))
    asked = "select auth.uid()::text, auth.role(), auth.email(), auth.jwt() ->> 'sub'"
    assert ask(connection, asked) == [(user, "authenticated", "a@example.org", user)]


def test_queues_carry_messages_for_the_owner_of_our_functions(
    connection: psycopg.Connection,
) -> None:
    connection.execute("select pgmq.create('parcels')")
    connection.execute("""select pgmq.send('parcels', '{"kind": "store"}', 0)""")
    [(message, reads, content)] = ask(
        connection, "select msg_id, read_ct, message ->> 'kind' from pgmq.read('parcels', 30, 5)"
    )
    assert (reads, content) == (1, "store")
    assert ask(connection, "select msg_id from pgmq.read('parcels', 30, 5)") == []
    assert ask(connection, f"select msg_id from pgmq.set_vt('parcels', {message}, 0)") != []
    assert ask(connection, f"select pgmq.delete('parcels', {message}::bigint)") == [(True,)]


@pytest.mark.parametrize("role", API_ROLES)
def test_clients_have_no_way_into_the_queues(connection: psycopg.Connection, role: str) -> None:
    connection.execute(f"set role {role}".encode())
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute("select * from pgmq.list_queues()")


def test_realtime_has_its_publication_and_postgres_may_add_to_it(
    connection: psycopg.Connection,
) -> None:
    connection.execute("create table public.live (id int primary key)")
    connection.execute("alter publication supabase_realtime add table public.live")


def test_extensions_stay_out_of_public(connection: psycopg.Connection) -> None:
    assert ask(connection, "select extensions.digest('x', 'sha256') is not null") == [(True,)]
    where = "select count(*) from pg_extension where extnamespace = 'public'::regnamespace"
    assert ask(connection, where) == [(0,)]


def test_only_this_machine_reaches_it_and_only_with_the_password(postgres: LocalProject) -> None:
    with psycopg.connect(postgres.database_url()) as connection:
        assert ask(connection, "show listen_addresses") == [("127.0.0.1",)]
        assert ask(connection, "show unix_socket_directories") == [("",)]
    wrong = postgres.database_url().replace(postgres.database_password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_copies_of_a_database_know_nothing_of_each_other(postgres: LocalProject) -> None:
    copy_database(postgres, "one", template="pristine")
    copy_database(postgres, "two", template="pristine")
    with psycopg.connect(postgres.database_url(database="one")) as one:
        one.execute("create table public.only_here (id int)")
    with closing(psycopg.connect(postgres.database_url(database="two"))) as two:
        assert ask(two, "select to_regclass('public.only_here')") == [(None,)]
        # Whoever is still connected does not keep it from going.
        drop_database(postgres, "two")
    drop_database(postgres, "one")
    with pytest.raises(psycopg.OperationalError, match='database "one" does not exist'):
        psycopg.connect(postgres.database_url(database="one"))


def test_a_database_of_another_version_is_refused_not_repaired(state_dir: Path) -> None:
    with running_postgres(state_dir) as project:
        bootstrap_database(project)
        with psycopg.connect(project.database_url("supabase_admin")) as connection:
            connection.execute("comment on database postgres is 'embedded supabase 0123'")
        with pytest.raises(LocalError, match=r"made by another version of Parcours XL.*--fresh"):
            bootstrap_database(project)


def test_data_of_another_postgresql_is_refused(state_dir: Path) -> None:
    with running_postgres(state_dir):
        pass
    (data_dir(state_dir) / "PG_VERSION").write_text("16\n")
    with (
        pytest.raises(LocalError, match=r"is of PostgreSQL 16, not 17; start with --fresh"),
        running_postgres(state_dir),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="concerns root")
def test_root_s_database_is_served_by_nobody(state_dir: Path) -> None:
    with running_postgres(state_dir):
        assert (state_dir / "postgres").stat().st_uid == pwd.getpwnam("nobody").pw_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="concerns root")
def test_a_folder_closed_to_nobody_stays_closed(
    state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(postgres_module, "SHARED_DATA", state_dir / "shared")
    before = os.umask(0o077)
    try:
        with running_postgres(closed) as project:
            assert data_dir(closed).is_relative_to(state_dir / "shared")
            with psycopg.connect(project.database_url()) as connection:
                assert ask(connection, "select 1") == [(1,)]
    finally:
        os.umask(before)
    assert closed.stat().st_mode & 0o077 == 0
