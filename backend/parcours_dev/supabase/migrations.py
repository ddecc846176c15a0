"""Migrations, applied and remembered as the Supabase CLI does."""

import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

from parcours_dev.errors import LocalError

# Of the source tree that this package is installed from (editable).
MIGRATIONS = Path(__file__).parents[3] / "supabase" / "migrations"

# The CLI's own rule for names; other files it passes over.
FILE_NAME = re.compile(r"(?P<version>\d+)_(?P<name>.*)\.sql")

HISTORY = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text not null primary key,
  statements text[],
  name text
);
"""


@dataclass(frozen=True)
class Migration:
    """One file of the migrations folder."""

    version: str
    name: str
    content: str


def read_migrations(folder: Path) -> list[Migration]:
    """The migrations of a folder, in the order in which they apply.

    Raises LocalError when there is no such folder, or two files claim one version.
    """
    if not folder.is_dir():
        raise LocalError(f"There is no migrations folder {folder}: name one with --migrations.")
    found: dict[str, Migration] = {}
    for path in sorted(folder.iterdir()):
        named = FILE_NAME.fullmatch(path.name)
        if named is None:
            continue
        version, name = named["version"], named["name"]
        if version in found:
            raise LocalError(f"Two migrations in {folder} have the version {version}.")
        found[version] = Migration(version, name, path.read_text())
    return list(found.values())


def apply_migrations(database_url: str, folder: Path = MIGRATIONS) -> list[str]:
    """Apply what is not applied yet, one transaction a file; answer the new versions.

    Raises LocalError when a file fails, or when one that was applied is now another or gone.
    """
    migrations = read_migrations(folder)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(HISTORY)
        applied = _applied(connection)
        _check_history(applied, migrations)
        new = [migration for migration in migrations if migration.version not in applied]
        for migration in new:
            _apply(connection, migration)
        # Also when nothing is new: it costs nothing and PostgREST never knows too little.
        connection.execute("notify pgrst, 'reload schema'")
    return [migration.version for migration in new]


def _applied(connection: psycopg.Connection) -> dict[str, list[str]]:
    history = connection.execute(
        "select version, coalesce(statements, '{}') from supabase_migrations.schema_migrations"
    )
    return dict(history.fetchall())


def _check_history(applied: dict[str, list[str]], migrations: list[Migration]) -> None:
    contents = {migration.version: _bare(migration.content) for migration in migrations}
    for version, statements in applied.items():
        # Where the CLI applied a file it kept the statements one by one: those are not compared.
        changed = len(statements) == 1 and _bare(statements[0]) != contents.get(version)
        if version not in contents or changed:
            raise LocalError(
                f"Migration {version} is not what was applied to this database: "
                "start with --fresh, which forgets what is in it."
            )


def _bare(statement: str) -> str:
    return statement.strip().rstrip(";")


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    # What the file before has set in the session is not this one's to build on.
    connection.execute("reset all")
    try:
        with connection.transaction():
            connection.execute(migration.content)
            connection.execute(
                "insert into supabase_migrations.schema_migrations (version, name, statements)"
                " values (%s, %s, %s)",
                (migration.version, migration.name, [migration.content]),
            )
    except psycopg.Error as error:
        reason = error.diag.message_primary or str(error)
        raise LocalError(
            f"Migration {migration.version}_{migration.name} failed{_where(error, migration)}: "
            f"{reason}"
        ) from error


def _where(error: psycopg.Error, migration: Migration) -> str:
    position = error.diag.statement_position
    if position is None:
        return ""
    return f" at line {migration.content.count(chr(10), 0, int(position) - 1) + 1}"
