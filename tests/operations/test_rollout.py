"""`parcours rollout`: a share of the users that only grows, or ends."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.fixtures.operator import Operator
from tests.fixtures.records import Records


@pytest.fixture
def old_users(records: Records) -> Iterator[list[UUID]]:
    """Forty users older than 30 days; nobody has Parcours XL, before and after."""

    def end_rollout() -> None:
        records.do("delete from public.feature_flags")
        records.do("update parcours.deployment set rollout_share = 0, rollout_since = now()")

    end_rollout()
    user_ids = [uuid4() for _ in range(40)]
    records.do(
        "insert into auth.users (id, created_at)"
        " select id, now() - interval '31 days' from unnest(%s::uuid[]) as id",
        user_ids,
    )
    yield user_ids
    records.do("delete from auth.users where id = any(%s)", user_ids)
    end_rollout()


def status(operator: Operator) -> Any:
    return operator.run("rollout", "status", "--json").json


def test_it_grows_from_five_percent_to_everybody(
    operator: Operator, old_users: list[UUID], records: Records
) -> None:
    assert operator.run("rollout", "set", 5).out == "5 % have Parcours XL: 2 users more.\n"
    told = status(operator)
    assert (told["share"], told["eligible"], told["eligible_enabled"]) == (5, 40, 2)
    assert operator.run("rollout", "set", 25, "--json").json["given"] == 8
    assert operator.run("rollout", "set", 100).status == 0
    told = status(operator)
    assert told["enabled"] == told["users"] >= 40


def test_a_share_that_would_shrink_is_refused(operator: Operator, old_users: list[UUID]) -> None:
    operator.run("rollout", "set", 25)
    told = operator.run("rollout", "set", 5)
    assert told.status == 4
    assert told.err == "parcours: 25 % have Parcours XL already: a share only grows, or ends\n"
    assert status(operator)["eligible_enabled"] == 10


def test_off_ends_it_for_everybody(operator: Operator, old_users: list[UUID]) -> None:
    operator.run("rollout", "set", 50)
    told = operator.run("rollout", "off")
    assert told.out == "Nobody has Parcours XL any more; 20 users had it.\n"
    assert (status(operator)["share"], status(operator)["enabled"]) == (0, 0)
    assert operator.run("rollout", "off", "--json").json["taken"] == 0


def test_status_is_told_to_people_too(operator: Operator, old_users: list[UUID]) -> None:
    operator.run("rollout", "set", 5)
    told = operator.run("rollout", "status", ROLLOUT="flags")
    share, enabled = told.out.splitlines()
    assert share.startswith("share    5 % since 20")
    assert enabled.startswith("enabled  2 of ")
    assert enabled.endswith("2 of the 40 older than 30 days")
    assert told.err == ""


@pytest.mark.parametrize("words", [["status"], ["set", "5"], ["off"]], ids=" ".join)
def test_flags_that_nobody_heeds_are_warned_of(
    operator: Operator, old_users: list[UUID], words: list[str]
) -> None:
    assert "ROLLOUT=all" in operator.run("rollout", *words, ROLLOUT="all").err
    assert "ROLLOUT" not in operator.run("rollout", *words, ROLLOUT="flags").err


def test_many_users_are_done_in_parts_with_progress(
    operator: Operator, old_users: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parcours_xl.clients.rollout.USERS_A_CALL", 8)
    told = operator.run("rollout", "set", 50, ROLLOUT="flags")
    assert told.out == "50 % have Parcours XL: 20 users more.\n"
    assert told.err.splitlines() == ["8 users done, 12 to go", "16 users done, 4 to go"]


@pytest.mark.parametrize("words", [["set"], ["set", "0"], ["set", "101"], ["set", "five"], ["on"]])
def test_usage_errors_are_told_apart(operator: Operator, words: list[str]) -> None:
    assert operator.run("rollout", *words).status == 2
