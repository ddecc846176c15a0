"""Soft-deleted and banned users: what they may no longer do, and what becomes of their data."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from parcours_dev.supabase.database import copy_database, drop_database
from parcours_dev.supabase.project import LocalProject
from tests.sql.callers import OWNER, Caller, refused
from tests.sql.journeys import Journey, create_journey, creation
from tests.sql.users import Users
from tests.sql.world import World

Call = Callable[[World, Journey], object]

CALLS: dict[str, Call] = {
    "create": lambda world, _: world.service.call("create_run", **creation()),
    "cancel": lambda world, run: world.service.call("cancel_run", run_id=run.id, user_id=OWNER),
    "sign-track": lambda world, run: world.service.call(
        "find_track", segment_id=run.segment_id(), user_id=OWNER
    ),
}


@pytest.fixture
def owner(users: Users) -> UUID:
    return users.add(user_id=OWNER)


@pytest.fixture
def run(owner: UUID, world: World) -> Journey:
    """A run of theirs whose first track is stored."""
    run = create_journey(world)
    run.complete()
    return run


def mark(users: Users, column: str, value: str) -> None:
    users.connection.execute(f"update auth.users set {column} = {value}".encode())


@pytest.mark.parametrize("call", CALLS)
def test_a_soft_deleted_user_is_refused(
    users: Users, world: World, run: Journey, call: str
) -> None:
    mark(users, "deleted_at", "now()")
    with refused("PT401"):
        CALLS[call](world, run)


@pytest.mark.parametrize("call", CALLS)
def test_a_banned_user_is_refused(users: Users, world: World, run: Journey, call: str) -> None:
    mark(users, "banned_until", "now() + interval '1 hour'")
    with refused("PT403"):
        CALLS[call](world, run)


@pytest.mark.parametrize("call", CALLS)
def test_when_the_ban_is_over_they_may_again(
    users: Users, world: World, run: Journey, call: str
) -> None:
    mark(users, "banned_until", "now() - interval '1 second'")
    CALLS[call](world, run)


def test_what_a_soft_deleted_user_had_is_erased(users: Users, world: World, run: Journey) -> None:
    mark(users, "deleted_at", "now()")
    assert world.postgres.rows("select from public.parcours_runs") == []
    [erasure] = world.postgres.rows("select run_id from parcours.erasures")
    assert erasure["run_id"] == run.id, "its files go too"


def test_what_a_banned_user_had_stays(users: Users, world: World, run: Journey) -> None:
    mark(users, "banned_until", "now() + interval '1 hour'")
    assert world.service.call("erase_departed") == 0
    assert len(world.postgres.rows("select from public.parcours_runs")) == 1


def test_users_whom_auth_never_listed_are_not_departed_where_a_trigger_tells(
    users: Users, world: World
) -> None:
    users.add()
    create_journey(world)
    assert world.service.call("erase_departed") == 0


@pytest.mark.parametrize(
    ("departure", "erased"),
    [
        ("update auth.users set deleted_at = now() where id = %s", 1),
        ("delete from auth.users where id = %s", 1),
        ("update auth.users set banned_until = 'infinity' where id = %s", 0),
        ("delete from auth.users where id = %s or true", 0),
    ],
)
def test_without_triggers_the_maintenance_loop_finds_who_is_gone(
    postgres: LocalProject, database: str, departure: str, erased: int
) -> None:
    """But not where Auth lists nobody at all: such a project is being restored."""
    name = copy_database(postgres, f"{database}_departed", template="pristine")
    with psycopg.connect(postgres.database_url("supabase_auth_admin", name)) as auth:
        for trigger in auth.execute(
            "select tgname from pg_trigger where tgrelid = 'auth.users'::regclass"
            " and tgname like 'erase%'"
        ).fetchall():
            auth.execute(f'drop trigger "{trigger[0]}" on auth.users'.encode())
        auth.execute("insert into auth.users (id) values (%s), (gen_random_uuid())", [OWNER])
    service = Caller(postgres, name, "service_role")
    try:
        service.call("create_run", **creation())
        with psycopg.connect(postgres.database_url("supabase_auth_admin", name)) as auth:
            auth.execute(departure.encode(), [OWNER])
        assert service.call("erase_departed") == erased
        assert len(service.rows("select from public.parcours_runs")) == 1 - erased
    finally:
        service.close()
        drop_database(postgres, name)
