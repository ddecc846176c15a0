"""Erasure: what goes with a run, and with a user, whoever deletes them."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.sql.callers import OWNER, STRANGER, Caller, Refusal, Row, refused
from tests.sql.concurrency import at_once
from tests.sql.invariants import check
from tests.sql.journeys import Journey, complete, create_journey, creation
from tests.sql.users import Users
from tests.sql.worker import Worker
from tests.sql.world import LIMITS, World

EVERYTHING = ("parcours_runs", "parcours_segments", "parcours_events", "feature_flags")


@pytest.fixture(autouse=True)
def _invariants(world: World) -> Iterator[None]:
    yield
    check(world.postgres)


@pytest.fixture
def owner(users: Users) -> UUID:
    """OWNER, with an account and a flag."""
    users.add(user_id=OWNER)
    return OWNER


def put_flag(world: World, user_id: UUID) -> None:
    world.service.do("insert into public.feature_flags values (%s, true)", user_id)


def take(world: World) -> list[Row]:
    return Worker(world.service, LIMITS).take_jobs(quantity=10)


def erasures(world: World) -> list[UUID]:
    rows = world.postgres.rows("select run_id from parcours.erasures order by run_id")
    return [row["run_id"] for row in rows]


def rows_left(world: World) -> dict[str, int]:
    return {
        table: world.postgres.connection.execute(
            f"select count(*) as many from public.{table}".encode()
        ).fetchall()[0]["many"]
        for table in EVERYTHING
    }


# With a run its files go


@pytest.mark.parametrize("name", ["service_role", "postgres"])
def test_whoever_deletes_a_run_its_files_are_to_be_erased(
    world: World, journey: Journey, name: str
) -> None:
    world.caller(name).do("delete from public.parcours_runs where id = %s", journey.id)
    [job] = take(world)
    assert (job["kind"], job["run_id"], job["current"]) == ("erase", str(journey.id), True)


def test_what_is_erased_is_not_erased_again(world: World, journey: Journey) -> None:
    world.postgres.do("delete from public.parcours_runs where id = %s", journey.id)
    [job] = take(world)
    Worker(world.service, LIMITS).store(job)
    assert erasures(world) == []
    assert take(world) == []


def test_a_job_whose_work_is_done_says_so(world: World, journey: Journey) -> None:
    world.postgres.do("delete from public.parcours_runs where id = %s", journey.id)
    [job] = take(world)
    world.service.call("record_erasures", run_ids=f"{{{journey.id}}}")
    world.let_pass(61)
    [again] = take(world)
    assert (again["msg_id"], again["current"]) == (job["msg_id"], False)


def test_a_job_that_was_lost_is_sent_again(world: World, journey: Journey) -> None:
    world.postgres.do("delete from public.parcours_runs where id = %s", journey.id)
    assert len(take(world)) == 1
    world.postgres.do("delete from pgmq.q_parcours_tracks where true")
    assert len(take(world)) == 1


def test_many_workers_send_one_job(world: World) -> None:
    for _ in range(5):
        create_journey(world)
    world.postgres.do("delete from public.parcours_runs where true")
    callers = [world.another("service_role") for _ in range(6)]
    look = {"quantity": 10, "lease_s": 60}
    taken = at_once([partial(caller.call, "take_track_jobs", **look) for caller in callers])
    assert len(erasures(world)) == sum(len(jobs) for jobs in taken) == 5


def test_a_track_that_is_stored_when_its_run_goes_is_to_be_deleted(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.submitted()
    journey.tell(attempt, complete(attempt))
    [job] = take(world)
    assert (job["current"], job["gone"]) == (True, False)
    world.postgres.do("delete from public.parcours_runs where id = %s", journey.id)
    names = {"segment_id": attempt.segment_id, "token": attempt.token}
    assert world.service.call("record_track", **names, storage_path="x") == "gone"
    # Its worker was killed instead: whoever takes the job next deletes what may be there.
    world.let_pass(61)
    again, erase = take(world)
    assert (again["kind"], again["current"], again["gone"]) == ("store", False, True)
    assert erase["kind"] == "erase"


def test_a_deletion_neither_needs_the_queue_nor_waits_for_it(
    world: World, owner: UUID, users: Users, journey: Journey
) -> None:
    locker = world.another("postgres")
    users.connection.execute("set statement_timeout = '2s'")
    with locker.connection.transaction():
        locker.do("lock table pgmq.q_parcours_tracks, pgmq.q_parcours_generation")
        assert users.delete(owner) == 1
    assert rows_left(world)["parcours_runs"] == 0
    [job] = take(world)
    assert job["run_id"] == str(journey.id)


# With a user everything goes


def test_deleting_a_user_erases_everything_of_theirs(
    world: World, owner: UUID, users: Users
) -> None:
    users.add(user_id=STRANGER)
    runs = [create_journey(world) for _ in range(3)]
    runs[0].start()
    runs[0].complete()
    put_flag(world, owner)
    keyed = creation(idempotency_key="tap", request={})
    world.service.call("create_run", **keyed)
    theirs = world.service.call("create_run", **creation(user_id=STRANGER))
    put_flag(world, STRANGER)
    assert users.delete(owner) == 1
    assert rows_left(world) == {
        "parcours_runs": 1,
        "parcours_segments": 3,
        "parcours_events": 1,
        "feature_flags": 1,
    }
    assert world.postgres.value("select count(*) from parcours.creations") == 0
    assert world.postgres.value("select count(*) from parcours.active_runs") == 0
    assert len(erasures(world)) == 4
    assert UUID(theirs["run_id"]) not in erasures(world)


def test_auth_s_own_role_could_not_have_done_it(users: Users) -> None:
    """Were the trigger not its owner's, no user could be deleted."""
    for statement in (
        "delete from public.parcours_runs where true",
        "insert into parcours.erasures (run_id) values (gen_random_uuid())",
        "select pgmq.send('parcours_tracks', '{}')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            users.connection.execute(statement.encode())


def test_a_user_without_runs_is_deleted_too(world: World, users: Users) -> None:
    assert users.delete(users.add()) == 1
    assert erasures(world) == []


def test_a_deletion_that_is_taken_back_takes_the_erasure_back(
    world: World, owner: UUID, users: Users, journey: Journey
) -> None:
    with users.connection.transaction(force_rollback=True):
        users.delete(owner)
    assert journey.status == "creating"
    assert take(world) == []


def test_a_worker_in_the_middle_of_a_run_is_told_that_it_is_gone(
    world: World, owner: UUID, users: Users, journey: Journey
) -> None:
    journey.start()
    worker = Worker(world.service, LIMITS)
    [step] = worker.take_steps()
    users.delete(owner)
    worker.do(step)
    world.let_pass(61)
    assert worker.take_steps() == []
    assert world.postgres.value("select count(*) from pgmq.q_parcours_generation") == 0


def test_what_is_deleted_while_it_is_worked_on_deadlocks_nowhere(
    world: World, users: Users
) -> None:
    for _ in range(30):
        owner = users.add()
        asked = creation(user_id=owner, runs_daily_user=1000)
        journeys = [
            Journey(world, UUID(world.service.call("create_run", **asked)["run_id"]), LIMITS)
            for _ in range(2)
        ]
        callers = [world.another("service_role") for _ in range(4)]
        calls: list[Any] = [
            partial(caller.attempt, "start_run", run_id=journey.id, limits=LIMITS)
            for caller, journey in zip(callers, journeys, strict=False)
        ]
        calls.append(partial(callers[2].attempt, "cancel_run", run_id=journeys[0].id))
        calls.append(partial(callers[3].attempt, "create_run", **asked))
        at_once([*calls, partial(users.delete, owner)])
        for caller in callers:
            caller.close()
        count = "select count(*) from public.parcours_runs where user_id = %s"
        assert world.postgres.value(count, owner) == 0, "nothing of theirs is left, nor comes later"
    check(world.postgres)
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    assert world.postgres.value(deadlocks) == 0


# Whoever is gone makes no more runs


def test_a_token_that_outlives_its_user_makes_no_run(
    world: World, owner: UUID, users: Users
) -> None:
    users.delete(owner)
    with refused("PT401") as refusal:
        world.service.call("create_run", **creation())
    assert refusal.message == "this account was deleted"
    assert isinstance(world.service.attempt("create_run", **creation(user_id=STRANGER)), dict)


def test_an_account_that_was_brought_back_may(world: World, owner: UUID, users: Users) -> None:
    users.delete(owner)
    users.add(user_id=owner)
    assert not isinstance(world.service.attempt("create_run", **creation()), Refusal)


def test_no_name_is_kept_longer_than_a_token_may_live(
    world: World, owner: UUID, users: Users
) -> None:
    users.delete(owner)
    world.postgres.do(
        "update parcours.erased_users set erased_at = erased_at - interval '9 days' where true"
    )
    other = users.add()
    users.delete(other)
    rows = world.postgres.rows("select user_id from parcours.erased_users")
    assert [row["user_id"] for row in rows] == [other]


# An operator erases what we hold


def erase_user(world: World, user_id: UUID, limit: int = 100) -> Row:
    return dict(world.service.call("erase_user", user_id=user_id, limit=limit))


def test_an_operator_erases_a_part_a_call(world: World) -> None:
    ids = sorted(create_journey(world).id for _ in range(3))
    put_flag(world, OWNER)
    assert erase_user(world, OWNER, 2) == {"run_ids": list(map(str, ids[:2])), "remaining": 1}
    assert erase_user(world, OWNER, 2) == {"run_ids": [str(ids[2])], "remaining": 0}
    assert erase_user(world, OWNER) == {"run_ids": [], "remaining": 0}
    assert sum(rows_left(world).values()) == 0
    assert erasures(world) == ids


def test_a_user_who_is_erased_and_stays_may_begin_anew(world: World, owner: UUID) -> None:
    create_journey(world)
    erase_user(world, owner)
    assert create_journey(world).status == "creating"


def test_others_are_left_alone(world: World, journey: Journey) -> None:
    erase_user(world, STRANGER)
    erase_user(world, uuid4())
    assert journey.status == "creating"


# Who is meant, and what we hold


def find(caller: Caller, name: str) -> Row:
    return dict(caller.call("find_user", name=name))


def test_a_user_is_found_by_id_and_by_address(world: World, owner: UUID) -> None:
    for name in (str(owner), str(owner).upper(), f"{owner}@example.org", f"{owner}@EXAMPLE.org"):
        found = find(world.service, name)
        assert (found["id"], found["email"]) == (str(owner), f"{owner}@example.org")
        assert found["has_account"] is True


def test_somebody_deleted_of_whom_something_is_left_is_found_by_id(
    world: World, users: Users, journey: Journey
) -> None:
    assert find(world.service, str(OWNER)) == {"id": str(OWNER), "has_account": False}


@pytest.mark.parametrize("name", [str(UUID(int=1)), "nobody@example.org", "", "'", "%"])
def test_nobody_is_unknown(world: World, users: Users, name: str) -> None:
    with refused("PT404"):
        find(world.service, name)


def test_an_address_of_several_is_nobody_s(world: World, users: Users) -> None:
    for _ in range(2):
        users.connection.execute(
            "insert into auth.users (id, email, is_sso_user) values (%s, 'a@example.org', true)",
            [uuid4()],
        )
    with refused("PT409"):
        find(world.service, "a@example.org")


def read_personal_data(world: World, **others: Any) -> Row:
    asked = {"user_id": OWNER, "limit": 10} | others
    return dict(world.service.call("read_personal_data", **asked))


def test_what_we_hold_is_told_whole_but_for_our_secrets(world: World) -> None:
    put_flag(world, OWNER)
    asked = creation(idempotency_key="tap", request={"preset": "00"})
    run_id = UUID(world.service.call("create_run", **asked)["run_id"])
    journey = Journey(world, run_id, LIMITS)
    journey.start()
    journey.complete()
    told = read_personal_data(world)
    [run] = told["runs"]
    assert told["parcours_xl_enabled"] is True
    assert set(journey.run) <= set(run)
    assert (run["id"], run["brief"]) == (str(run_id), journey.run["brief"])
    assert [s["segment_index"] for s in run["segments"]] == [0, 1, 2]
    assert set(run["segments"][0]) == set(journey.segment()) - {"callback_token"}
    assert [event["what"] for event in run["events"]] == [e["what"] for e in journey.events()]
    assert run["idempotency_keys"][0]["idempotency_key"] == "tap"
    assert str(journey.segment(1)["callback_token"]) not in str(told)


def test_runs_are_told_a_page_at_a_time(world: World) -> None:
    ids = sorted(str(create_journey(world).id) for _ in range(5))
    world.service.call("create_run", **creation(user_id=STRANGER))
    pages = [read_personal_data(world, limit=2)["runs"]]
    while len(pages[-1]) == 2:
        pages.append(read_personal_data(world, limit=2, after=pages[-1][-1]["id"])["runs"])
    assert [run["id"] for page in pages for run in page] == ids


def test_nothing_is_told_of_somebody_unknown(world: World) -> None:
    assert read_personal_data(world, user_id=uuid4()) == {
        "parcours_xl_enabled": None,
        "reserve_heard": [],
        "runs": [],
    }


def test_twenty_thousand_users_are_deleted_in_one_statement(world: World, users: Users) -> None:
    """A lock for each of them does not fit into shared memory."""
    user_ids = users.add_many(20_000)
    for user_id in user_ids[:3]:
        put_flag(world, user_id)
        world.service.call("create_run", **creation(user_id=user_id))
    kept = users.add()
    world.service.call("create_run", **creation(user_id=kept))
    deleted = users.connection.execute("delete from auth.users where id <> %s", [kept])
    assert deleted.rowcount == 20_000
    assert world.postgres.value("select count(*) from parcours.erased_users") == 20_000
    assert (rows_left(world)["parcours_runs"], rows_left(world)["feature_flags"]) == (1, 0)
    with refused("PT401"):
        world.service.call("create_run", **creation(user_id=user_ids[-1]))


def test_many_users_are_soft_deleted_in_one_statement(world: World, users: Users) -> None:
    """Users of one bucket share a lock: there are never more locks than buckets."""
    user_ids = users.add_many(1_000)
    for user_id in user_ids[:3]:
        world.service.call("create_run", **creation(user_id=user_id))
    with users.connection.transaction():
        users.connection.execute(
            "update auth.users set deleted_at = now() where id = any (%s)", [user_ids]
        )
        [(locks,)] = users.connection.execute(
            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
        ).fetchall()
    assert 0 < locks <= 256
    assert rows_left(world)["parcours_runs"] == 0


def test_nobody_creates_a_run_while_many_are_being_erased(world: World, users: Users) -> None:
    """A create that is under way comes first, or is refused; it is never left behind."""
    user_ids = users.add_many(40)
    services = [world.another("service_role") for _ in range(8)]

    def create_some(service: Caller, some: list[UUID]) -> None:
        for user_id in some:
            service.attempt("create_run", **creation(user_id=user_id))

    calls: list[Any] = [
        partial(create_some, service, user_ids[place::8]) for place, service in enumerate(services)
    ]
    calls.append(lambda: users.connection.execute("delete from auth.users where true"))
    at_once(calls)
    assert rows_left(world)["parcours_runs"] == 0
