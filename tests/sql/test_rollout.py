"""grow_rollout, end_rollout, read_rollout, and what the flags mean to whoever creates a run."""

from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.callers import OWNER, Refusal, Row, refused
from tests.sql.concurrency import at_once
from tests.sql.journeys import creation
from tests.sql.users import Users
from tests.sql.world import QUOTAS, World

OLD, NEW = 31, 29
FLAGS = {"rollout": "flags"}


def grow(world: World, share: int, **others: Any) -> Row:
    return dict(world.service.call("grow_rollout", **{"share": share, "limit": 1000} | others))


def read(world: World) -> Row:
    return dict(world.service.call("read_rollout"))


def enabled(world: World) -> set[UUID]:
    rows = world.postgres.rows("select user_id from public.feature_flags where parcours_xl_enabled")
    return {row["user_id"] for row in rows}


def put_flag(world: World, user_id: UUID, on: bool | None) -> None:
    world.service.do("insert into public.feature_flags values (%s, %s)", user_id, on)


def may_create(world: World, user_id: UUID) -> bool:
    answer = world.service.attempt("create_run", **creation(user_id=user_id), **FLAGS)
    return not isinstance(answer, Refusal)


# Who may create


def test_a_user_without_the_flag_is_told_so(world: World) -> None:
    for function, asked in (
        ("create_run", creation()),
        ("admit_run", {"user_id": OWNER, "quotas": QUOTAS}),
    ):
        with refused("PT403") as refusal:
            world.service.call(function, **asked, **FLAGS)
        assert "step by step" in str(refusal.message)
    assert world.postgres.value("select count(*) from public.parcours_runs") == 0


@pytest.mark.parametrize("on", [False, None])
def test_a_flag_that_is_off_is_none(world: World, on: bool | None) -> None:
    put_flag(world, OWNER, on)
    assert not may_create(world, OWNER)


def test_a_flag_admits_the_user(world: World) -> None:
    put_flag(world, OWNER, True)
    assert may_create(world, OWNER)
    assert "place" in world.service.call("admit_run", user_id=OWNER, quotas=QUOTAS, **FLAGS)


def test_flags_say_nothing_while_parcours_is_everybody_s(world: World) -> None:
    put_flag(world, OWNER, False)
    world.service.call("create_run", **creation(), rollout="all")
    world.service.call("create_run", **creation())


def test_a_user_without_the_flag_is_not_told_of_quotas(world: World) -> None:
    world.service.call("create_run", **creation())
    with refused("PT403"):
        world.service.call("create_run", **creation(runs_daily_user=1), **FLAGS)


def test_a_repeated_key_is_answered_though_the_flag_has_gone(world: World) -> None:
    asked = creation(idempotency_key="tap", request={})
    run = world.service.call("create_run", **asked)
    assert world.service.call("create_run", **asked, **FLAGS) == run
    again = {name: asked[name] for name in ("user_id", "quotas", "idempotency_key", "request")}
    assert world.service.call("admit_run", **again, **FLAGS) == {"run": run}
    world.let_pass(24 * 3600)
    with refused("PT403"):
        world.service.call("create_run", **asked, **FLAGS)


# A share


def test_a_share_is_taken_among_users_older_than_thirty_days(world: World, users: Users) -> None:
    old = set(users.add_many(100, days_old=OLD))
    users.add_many(100, days_old=NEW)
    assert grow(world, 5) == {"share": 5, "given": 5, "remaining": 0}
    assert len(enabled(world)) == 5
    assert enabled(world) < old


def test_a_share_of_a_few_is_at_least_one(world: World, users: Users) -> None:
    users.add_many(3, days_old=OLD)
    assert grow(world, 5)["given"] == 1


def test_a_share_of_nobody_is_nobody(world: World, users: Users) -> None:
    assert grow(world, 5) == {"share": 5, "given": 0, "remaining": 0}
    assert grow(world, 100)["given"] == 0


def test_whoever_has_it_keeps_it_when_the_share_grows(world: World, users: Users) -> None:
    users.add_many(100, days_old=OLD)
    grow(world, 5)
    earlier = enabled(world)
    assert grow(world, 25)["given"] == 20
    assert earlier < enabled(world)


def test_whoever_got_it_by_hand_keeps_it_and_counts(world: World, users: Users) -> None:
    old = users.add_many(20, days_old=OLD)
    young = users.add(days_old=1)
    put_flag(world, old[3], True)
    put_flag(world, young, True)
    for other in old[4:]:
        put_flag(world, other, False)
    assert grow(world, 25)["given"] == 4
    assert {old[3], young} < enabled(world)
    assert read(world) | {"since": None} == {
        "share": 25,
        "since": None,
        "users": 21,
        "enabled": 6,
        "eligible": 20,
        "eligible_enabled": 5,
    }


def test_a_share_does_not_shrink(world: World, users: Users) -> None:
    users.add_many(100, days_old=OLD)
    grow(world, 25)
    with refused("PT409") as refusal:
        grow(world, 5)
    assert refusal.message == "25 % have Parcours XL already: a share only grows, or ends"
    assert len(enabled(world)) == 25


def test_the_same_share_again_takes_in_who_has_come_of_age(world: World, users: Users) -> None:
    users.add_many(20, days_old=OLD)
    grow(world, 25)
    since = read(world)["since"]
    users.add_many(20, days_old=OLD)
    assert grow(world, 25)["given"] == 5
    assert read(world)["since"] == since, "the share is as old as it was"


def test_at_a_hundred_everybody_has_it_and_whoever_signs_up_later(
    world: World, users: Users
) -> None:
    users.add_many(10, days_old=OLD)
    young = users.add_many(10)
    put_flag(world, young[0], False)
    assert grow(world, 100)["given"] == 20
    assert may_create(world, young[0])
    assert may_create(world, users.add())


@pytest.mark.parametrize("share", [0, -1, 101])
def test_what_is_no_share_is_refused(world: World, share: int) -> None:
    with refused("PT400"):
        grow(world, share)


def test_large_numbers_are_done_a_part_a_call(world: World, users: Users) -> None:
    users.add_many(50, days_old=OLD)
    parts = [grow(world, 50, limit=10) for _ in range(4)]
    assert [part["given"] for part in parts] == [10, 10, 5, 0]
    assert [part["remaining"] for part in parts] == [15, 5, 0, 0]
    assert len(enabled(world)) == 25


def test_a_decision_made_on_another_share_changes_nothing(world: World, users: Users) -> None:
    users.add_many(10, days_old=OLD)
    grow(world, 25)
    with refused("PT409") as refusal:
        grow(world, 100, **{"from": 5})
    assert refusal.message == "the share has become 25 % meanwhile"
    assert grow(world, 100, limit=5, **{"from": 25})["remaining"] == 2
    assert grow(world, 100, limit=5, **{"from": 25})["remaining"] == 0


def test_two_who_grow_it_at_once_give_it_to_the_share_once(world: World, users: Users) -> None:
    users.add_many(100, days_old=OLD)
    callers = [world.another("service_role") for _ in range(4)]
    at_once([partial(caller.call, "grow_rollout", share=25, limit=99) for caller in callers])
    assert len(enabled(world)) == 25


# Its end


def test_off_takes_it_from_everybody(world: World, users: Users) -> None:
    old = users.add_many(10, days_old=OLD)
    grow(world, 100)
    put_flag(world, uuid4(), True)
    assert world.service.call("end_rollout", limit=6) == {"taken": 6, "remaining": 5}
    assert world.service.call("end_rollout", limit=6) == {"taken": 5, "remaining": 0}
    assert enabled(world) == set()
    assert not may_create(world, old[0])
    assert not may_create(world, users.add()), "whoever signs up does not have it either"
    assert read(world)["share"] == 0


def test_begun_again_it_comes_to_the_same_users_first(world: World, users: Users) -> None:
    users.add_many(100, days_old=OLD)
    grow(world, 5)
    earlier = enabled(world)
    world.service.call("end_rollout", limit=1000)
    grow(world, 5)
    assert enabled(world) == earlier


def test_the_runbook_s_own_statement_runs_and_is_grown_from(world: World, users: Users) -> None:
    users.add_many(40, days_old=OLD)
    world.postgres.do(
        "INSERT INTO feature_flags (user_id, parcours_xl_enabled)"
        " SELECT id, (RANDOM() < 0.05) FROM auth.users"
        " WHERE created_at < now() - interval '30 days'"
    )
    earlier = enabled(world)
    grow(world, 50)
    assert earlier <= enabled(world)
    assert len(enabled(world)) == max(20, len(earlier))
