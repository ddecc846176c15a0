"""A PostgreSQL in a container, made into what a hosted project is before its first migration."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg import sql
from testcontainers.core.container import DockerContainer

from parcours_dev.supabase.database import (
    BOOTSTRAP,
    LOGIN_ROLES,
    PARTS,
    bootstrap_database,
    copy_database,
)
from parcours_dev.supabase.migrations import apply_migrations
from parcours_dev.supabase.postgres import SUPERUSER
from parcours_dev.supabase.project import LocalProject, open_project
from tests.containers import IMAGE_VARIABLE

IMAGE = "supabase/postgres:17.11.0.006"
"""What the Supabase CLI of tests/js starts."""

PASSWORD = "postgres"  # of a container that only this machine reaches, for some minutes
PORT = 5432
READY_S_MAX, LOOK_S = 120, 0.1


@contextmanager
def running_container(state_dir: Path, migrated: str) -> Iterator[LocalProject]:
    """PostgreSQL of the image that the environment names, with a migrated database of that name."""
    # The helper that clears up after a killed test is an image of its own, and may not be there.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    container = (
        DockerContainer(os.environ[IMAGE_VARIABLE])
        .with_env("POSTGRES_PASSWORD", PASSWORD)
        .with_exposed_ports(PORT)
    )
    with container:
        project = replace(
            open_project(state_dir, 0),
            postgres_port=int(container.get_exposed_port(PORT)),
            database_password=PASSWORD,
        )
        _wait_until_ready(project)
        _prepare(project, migrated)
        yield project


def _wait_until_ready(project: LocalProject) -> None:
    deadline = time.monotonic() + READY_S_MAX
    while True:
        try:
            psycopg.connect(project.database_url(SUPERUSER), connect_timeout=2).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "the container answers in time"
            time.sleep(LOOK_S)
        else:
            return


def _prepare(project: LocalProject, migrated: str) -> None:
    with psycopg.connect(project.database_url(SUPERUSER), autocommit=True) as connection:
        if not connection.execute("select from pg_roles where rolname = 'authenticator'").rowcount:
            bootstrap_database(project)
            apply_migrations(project.database_url())
            connection.close()
            copy_database(project, migrated, template="postgres")
            return
        _let_in(connection)
        # In a database of its own: Supabase's image keeps connections to its first one.
        connection.execute(
            sql.SQL("create database {} template template0 owner postgres").format(
                sql.Identifier(migrated)
            )
        )
    with psycopg.connect(project.database_url(SUPERUSER, migrated)) as connection:
        for part in PARTS[1:]:
            connection.execute((BOOTSTRAP / part).read_text())
    apply_migrations(project.database_url(database=migrated))


def _let_in(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Supabase's image has the roles; they get the project's password."""
    for role in LOGIN_ROLES:
        statement = sql.SQL("alter role {} password {}")
        connection.execute(statement.format(sql.Identifier(role), sql.Literal(PASSWORD)))
