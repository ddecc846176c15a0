"""Migrations apply once, in order, whole or not at all, into the Supabase CLI's own history."""

from pathlib import Path

import psycopg
import pytest

from parcours_dev.errors import LocalError
from parcours_dev.supabase.migrations import apply_migrations, read_migrations
from parcours_dev.supabase.project import LocalProject

FIRST = "create table public.first (id int);\ncreate table public.also (id int);\n"
SECOND = "alter table public.first add column name text;\n"


@pytest.fixture
def database_url(bootstrapped: LocalProject, empty: str) -> str:
    return bootstrapped.database_url(database=empty)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "20260102000000_second.sql").write_text(SECOND)
    (tmp_path / "20260101000000_first.sql").write_text(FIRST)
    return tmp_path


def query(database_url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute(statement.encode()).fetchall()


def test_files_apply_in_the_order_of_their_versions(database_url: str, folder: Path) -> None:
    assert apply_migrations(database_url, folder) == ["20260101000000", "20260102000000"]
    assert query(database_url, "select id, name from public.first") == []


def test_the_history_is_the_one_the_supabase_cli_reads(database_url: str, folder: Path) -> None:
    apply_migrations(database_url, folder)
    history = "select version, name, statements from supabase_migrations.schema_migrations"
    assert query(database_url, f"{history} order by version") == [
        ("20260101000000", "first", [FIRST]),
        ("20260102000000", "second", [SECOND]),
    ]


def test_what_is_applied_is_not_applied_again(database_url: str, folder: Path) -> None:
    apply_migrations(database_url, folder)
    (folder / "20260103000000_third.sql").write_text("create table public.third (id int);")
    assert apply_migrations(database_url, folder) == ["20260103000000"]
    assert apply_migrations(database_url, folder) == []


def test_what_migrations_make_belongs_to_postgres(database_url: str, folder: Path) -> None:
    apply_migrations(database_url, folder)
    owners = "select tableowner from pg_tables where schemaname = 'public' and tablename = 'first'"
    assert query(database_url, owners) == [("postgres",)]


def test_a_file_s_session_settings_end_with_it(database_url: str, folder: Path) -> None:
    (folder / "20260101000000_first.sql").write_text(FIRST + "set search_path = '';\n")
    (folder / "20260103000000_third.sql").write_text("create table third (id int);")
    apply_migrations(database_url, folder)
    assert query(database_url, "select * from public.third") == []


def test_a_failing_file_leaves_nothing_and_names_itself_and_its_line(
    database_url: str, folder: Path
) -> None:
    (folder / "20260103000000_third.sql").write_text(
        "create table public.third (id int);\n\nselect nothing_like_it;\n"
    )
    with pytest.raises(LocalError) as error:
        apply_migrations(database_url, folder)
    assert str(error.value) == (
        'Migration 20260103000000_third failed at line 3: column "nothing_like_it" does not exist'
    )
    assert query(database_url, "select to_regclass('public.third')") == [(None,)]
    versions = "select max(version) from supabase_migrations.schema_migrations"
    assert query(database_url, versions) == [("20260102000000",)]


@pytest.mark.parametrize("change", ["edited", "removed"])
def test_an_applied_file_that_is_another_now_is_refused(
    database_url: str, folder: Path, change: str
) -> None:
    apply_migrations(database_url, folder)
    path = folder / "20260101000000_first.sql"
    path.unlink() if change == "removed" else path.write_text(FIRST + "-- more\n")
    with pytest.raises(LocalError, match=r"20260101000000 is not what was applied .* --fresh"):
        apply_migrations(database_url, folder)


def test_a_history_written_by_the_cli_is_accepted(database_url: str, folder: Path) -> None:
    apply_migrations(database_url, folder)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "update supabase_migrations.schema_migrations set statements ="
            " array['create table public.first (id int)', 'create table public.also (id int)']"
            " where version = '20260101000000'"
        )
        connection.execute(
            "update supabase_migrations.schema_migrations set statements ="
            " array['alter table public.first add column name text']"
            " where version = '20260102000000'"
        )
    assert apply_migrations(database_url, folder) == []


def test_postgrest_is_told_to_read_the_schema_again(database_url: str, folder: Path) -> None:
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("listen pgrst")
        apply_migrations(database_url, folder)
        [told] = listener.notifies(timeout=5, stop_after=1)
    assert told.payload == "reload schema"


def test_files_that_are_no_migrations_are_passed_over(folder: Path) -> None:
    (folder / "notes.md").write_text("")
    (folder / "draft.sql").write_text("")
    assert [migration.name for migration in read_migrations(folder)] == ["first", "second"]


def test_two_files_of_one_version_are_refused(folder: Path) -> None:
    (folder / "20260101000000_twin.sql").write_text("")
    with pytest.raises(LocalError, match="have the version 20260101000000"):
        read_migrations(folder)


def test_a_missing_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"There is no migrations folder .*: name one"):
        read_migrations(tmp_path / "nowhere")
