"""What Auth writes down of a user's sign-ins: handed out where it can be read."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from parcours_dev.supabase.project import LocalProject
from tests.sql.callers import OWNER, Caller

LOG = """
create table auth.audit_log_entries (
  instance_id uuid, id uuid primary key, payload json, created_at timestamptz,
  ip_address varchar(64) not null default ''
);
"""


@pytest.fixture
def auth(postgres: LocalProject, fresh_database: str) -> Iterator[psycopg.Connection]:
    url = postgres.database_url("supabase_auth_admin", fresh_database)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def service(postgres: LocalProject, fresh_database: str) -> Iterator[Caller]:
    service = Caller(postgres, fresh_database, "service_role")
    yield service
    service.close()


def test_a_project_without_the_table_has_none(service: Caller) -> None:
    assert service.call("read_auth_log", user_id=OWNER) is None


def test_only_what_is_theirs_is_handed_out(auth: psycopg.Connection, service: Caller) -> None:
    auth.execute(LOG)
    auth.execute("grant select on auth.audit_log_entries to postgres")
    for actor in (OWNER, uuid4()):
        auth.execute(
            "insert into auth.audit_log_entries values (null, gen_random_uuid(),"
            " json_build_object('actor_id', %s::text, 'action', 'login'), now(), '192.0.2.1')",
            [actor],
        )
    [entry] = service.call("read_auth_log", user_id=OWNER)
    assert (entry["payload"]["actor_id"], entry["ip_address"]) == (str(OWNER), "192.0.2.1")
