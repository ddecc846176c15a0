"""The project's database: made like a hosted one, and copied for tests."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from parcours_dev.errors import LocalError
from parcours_dev.supabase.postgres import SUPERUSER
from parcours_dev.supabase.project import LocalProject

BOOTSTRAP = Path(__file__).with_name("bootstrap")
PARTS = ("roles.sql", "schemas.sql", "auth.sql", "storage.sql")
"""Roles are the whole cluster's; the rest is made in each database."""
LOGIN_ROLES = ("postgres", "authenticator", "supabase_auth_admin", "supabase_storage_admin")

# The comment on the database that says what it was made from.
MADE_FROM = "embedded supabase "


def bootstrap_database(project: LocalProject) -> None:
    """Give a new database the roles, schemas and queues of a hosted project, all or nothing.

    Raises LocalError when it was made by another version of these files.
    """
    parts = [(BOOTSTRAP / name).read_text() for name in PARTS]
    queues = files("pgmq").joinpath("sql", "pgmq.sql").read_text()
    made_from = MADE_FROM + hashlib.sha256("".join([*parts, queues]).encode()).hexdigest()[:16]
    with psycopg.connect(project.database_url(SUPERUSER)) as connection:
        found = _comment(connection)
        if found == made_from:
            return
        if found.startswith(MADE_FROM):
            raise LocalError(
                f"The database in {project.state_dir} was made by another version of Parcours XL: "
                "start with --fresh, which forgets what is in it."
            )
        for part in parts:
            connection.execute(part)
        _install_queues(connection, queues)
        _set_passwords(connection, project.database_password)
        connection.execute(
            sql.SQL("comment on database postgres is {}").format(sql.Literal(made_from))
        )


def copy_database(project: LocalProject, name: str, *, template: str) -> str:
    """Make a database equal to another that nobody is connected to (about 10 ms); answer its name.

    Raises psycopg.errors.ObjectInUse while somebody is connected to the template.
    """
    statement = sql.SQL("create database {} template {} owner postgres strategy file_copy")
    with _administration(project) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return name


@contextmanager
def temporary_database(project: LocalProject, template: str) -> Iterator[str]:
    """The name of a copy that is removed at the end."""
    name = copy_database(project, f"test_{uuid4().hex}", template=template)
    try:
        yield name
    finally:
        drop_database(project, name)


def drop_database(project: LocalProject, name: str) -> None:
    """Remove a copied database, and whoever is connected to it."""
    statement = sql.SQL("drop database if exists {} with (force)")
    with _administration(project) as connection:
        connection.execute(statement.format(sql.Identifier(name)))


def _administration(project: LocalProject) -> psycopg.Connection:
    # From template1, so that `postgres` itself can be copied.
    return psycopg.connect(project.database_url(SUPERUSER, "template1"), autocommit=True)


def _comment(connection: psycopg.Connection) -> str:
    found = connection.execute(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = 'postgres'"
    ).fetchone()
    return (found and found[0]) or ""


def _install_queues(connection: psycopg.Connection, queues: str) -> None:
    """pgmq's SQL without its extension, owned by postgres as Supabase Queues are."""
    connection.execute("create schema pgmq authorization postgres")
    connection.execute("set local role postgres")
    connection.execute(queues)
    connection.execute("reset role")


def _set_passwords(connection: psycopg.Connection, password: str) -> None:
    for role in LOGIN_ROLES:
        statement = sql.SQL("alter role {} password {}")
        connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))
