"""What one day may cost, all users together; and a create holds its place while it is written."""

from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.callers import OWNER, STRANGER, Refusal, Row, refused
from tests.sql.concurrency import at_once
from tests.sql.journeys import Journey, create_journey, creation
from tests.sql.world import LIMITS, QUOTAS, World

DAY_S = 24 * 3600


def admit(world: World, user_id: UUID = OWNER, **quotas: Any) -> Row:
    asked = {"user_id": user_id, "quotas": QUOTAS | quotas}
    return dict(world.service.call("admit_run", **asked))


def create(world: World, place: Any = None, **others: Any) -> Row:
    return dict(world.service.call("create_run", **creation(**others), place=place))


def places(world: World) -> int:
    return int(world.postgres.value("select count(*) from parcours.places"))


# A place


def test_fifty_admissions_at_once_hold_ten_places(world: World) -> None:
    services = [world.another("service_role") for _ in range(50)]
    asked = {"user_id": OWNER, "quotas": QUOTAS}
    answers = at_once([partial(each.attempt, "admit_run", **asked) for each in services])
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    assert (len(refusals), places(world)) == (40, 10)
    assert {refusal.sqlstate for refusal in refusals} == {"PT429"}


def test_a_place_becomes_a_run(world: World) -> None:
    place = admit(world, runs_daily_user=1)["place"]
    with refused("PT429") as refusal:
        admit(world, runs_daily_user=1)
    assert 0 < refusal.wait_s <= QUOTAS["place_s"]
    create(world, place, runs_daily_user=1)
    assert places(world) == 0
    with refused("PT429") as refusal:
        admit(world, runs_daily_user=1)
    assert refusal.wait_s == pytest.approx(DAY_S, abs=5)


def test_a_create_that_failed_leaves_its_place(world: World) -> None:
    place = admit(world, runs_daily_user=1)["place"]
    world.service.call("leave_place", place=place)
    assert "place" in admit(world, runs_daily_user=1)


def test_a_place_whose_holder_died_is_free_again(world: World) -> None:
    place = admit(world, runs_daily_user=1)["place"]
    world.let_pass(QUOTAS["place_s"] + 1)
    assert "place" in admit(world, runs_daily_user=1)
    with refused("PT429"):
        create(world, place, runs_daily_user=1)


def test_another_user_s_place_lets_nobody_in(world: World) -> None:
    create(world, runs_daily_user=1)
    place = admit(world, STRANGER)["place"]
    with refused("PT429"):
        create(world, place, runs_daily_user=1)


def test_a_replay_that_held_a_place_leaves_it(world: World) -> None:
    key: dict[str, Any] = {"idempotency_key": "tap", "request": {}}
    place = admit(world)["place"]
    first = create(world, None, **key)
    assert create(world, place, **key) == first
    assert places(world) == 0


# RUNS_DAILY_MAX


def test_all_users_together_have_so_many_runs_a_day(world: World) -> None:
    users = [uuid4() for _ in range(3)]
    for user in users[:2]:
        create(world, user_id=user, runs_daily_max=2)
    with refused("PT429") as refusal:
        admit(world, users[2], runs_daily_max=2)
    assert refusal.message == (
        "no more journeys can be made today, by anybody: please come back later"
    )
    assert refusal.wait_s == pytest.approx(DAY_S, abs=5)
    assert admit(world, users[2])["place"], "without the setting there is no such limit"
    world.let_pass(DAY_S + 1)
    create(world, user_id=users[2], runs_daily_max=2)


def test_admissions_at_once_keep_to_the_limit_of_all(world: World) -> None:
    services = [world.another("service_role") for _ in range(12)]
    quotas = QUOTAS | {"runs_daily_max": 3}
    answers = at_once(
        [partial(s.attempt, "admit_run", user_id=uuid4(), quotas=quotas) for s in services]
    )
    assert sum(isinstance(answer, Refusal) for answer in answers) == 9


def test_an_erased_run_has_been_made_all_the_same(world: World) -> None:
    create(world, runs_daily_max=1)
    world.postgres.do("delete from public.parcours_runs where true")
    with refused("PT429"):
        admit(world, runs_daily_max=1)


def test_a_repeated_key_is_answered_over_every_limit(world: World) -> None:
    key: dict[str, Any] = {"idempotency_key": "tap", "request": {}}
    first = create(world, **key)
    over: dict[str, Any] = {"runs_daily_user": 1, "runs_daily_max": 1, "credits_daily_max": 12}
    journey_claims(world, UUID(first["run_id"]))
    assert create(world, **key, **over) == first


# SUNO_CREDITS_DAILY_MAX


def journey_claims(world: World, run_id: UUID) -> None:
    Journey(world, run_id, LIMITS).submitted()


@pytest.fixture
def frugal(world: World) -> Journey:
    """A day may cost two segments."""
    return create_journey(world, segments=3, limits={"credits_daily_max": 24})


def test_beyond_the_day_s_credits_a_run_waits_and_says_so(world: World, frugal: Journey) -> None:
    frugal.start()
    for index in range(2):
        frugal.complete(index)
        world.let_pass(600)
    before = frugal.segment(2)
    claim = frugal.claim(2)
    assert (claim["outcome"], claim["status"]) == ("waits", "queued")
    assert claim["wait_s"] == pytest.approx(DAY_S - 1200, abs=5)
    assert frugal.segment(2) == before
    assert frugal.run["metadata"]["retry_reason"] == "credits_daily_max"
    assert frugal.step["in_s"] == pytest.approx(DAY_S - 1200, abs=5)
    assert frugal.status == "creating"
    for _ in range(3):
        assert frugal.claim(2)["outcome"] == "waits"
    assert len(frugal.events("run.put_off")) == 1

    world.let_pass(DAY_S - 1195)
    frugal.complete(2)
    assert frugal.status == "ready"
    assert "retry_at" not in frugal.run["metadata"]


def test_nobody_begins_a_run_that_nobody_can_pay_for(world: World, frugal: Journey) -> None:
    frugal.submitted(0)
    assert admit(world, STRANGER, credits_daily_max=24)["place"]
    frugal.submitted(1)
    with refused("PT429") as refusal:
        admit(world, STRANGER, credits_daily_max=24)
    assert refusal.message == "no more music can be made today, by anybody: please come back later"
    assert refusal.wait_s == pytest.approx(DAY_S, abs=5)


def test_what_suno_refused_has_cost_nothing(world: World, frugal: Journey) -> None:
    for index in range(3):
        frugal.refuse(frugal.claimed(index), "for_good", 400)
    assert spent(world) == 0


def test_claims_at_once_keep_to_the_day_s_credits(world: World) -> None:
    journey = create_journey(world, segments=8)
    services = [world.another("service_role") for _ in range(8)]
    asked = {"limits": LIMITS | {"credits_daily_max": 36}}
    claims = at_once(
        [
            partial(s.call, "claim_segment", **asked, segment_id=journey.segment_id(place))
            for place, s in enumerate(services)
        ]
    )
    assert sorted(claim["outcome"] for claim in claims) == ["claimed"] * 3 + ["waits"] * 5
    assert spent(world) == 36


def test_what_a_day_has_cost_outlives_the_run_and_not_whose_it_was(
    world: World, frugal: Journey
) -> None:
    frugal.submitted()
    world.postgres.do("delete from public.parcours_runs where true")
    assert spent(world) == 12
    [row] = world.postgres.rows("select user_id, run_id, segment_id from parcours.submissions")
    assert set(row.values()) == {None}


def spent(world: World) -> int:
    gauges = world.service.call("read_snapshot", since="2026-01-01T00:00:00Z")
    return int(gauges["day"]["credits"])
