"""Many runs of few users make nobody else wait for Suno."""

from typing import Any
from uuid import UUID, uuid4

from tests.sql.callers import Refusal
from tests.sql.journeys import Journey, create_journey, creation
from tests.sql.world import LIMITS, World


def journey_of(world: World, user_id: UUID) -> Journey:
    asked = creation(user_id=user_id, runs_daily_user=1000)
    answer: dict[str, Any] = world.service.call("create_run", **asked)
    return Journey(world, UUID(answer["run_id"]), LIMITS)


def claims(world: World, journey: Journey) -> str:
    answer = world.service.attempt("claim_segment", limits=LIMITS, segment_id=journey.segment_id())
    return "quota" if isinstance(answer, Refusal) else str(answer["outcome"])


def test_whoever_asks_for_much_leaves_slots_to_the_others(world: World) -> None:
    greedy = uuid4()
    outcomes = [claims(world, journey_of(world, greedy)) for _ in range(20)]
    assert outcomes == ["claimed"] * 16 + ["quota"] * 4
    assert [claims(world, journey_of(world, uuid4())) for _ in range(5)] == [
        *(["claimed"] * 4),
        "quota",
    ]


def test_a_journey_or_two_are_not_much(world: World) -> None:
    greedy, listener = uuid4(), uuid4()
    for _ in range(16):
        claims(world, journey_of(world, greedy))
    assert claims(world, journey_of(world, listener)) == "claimed"
    assert claims(world, journey_of(world, listener)) == "claimed"


def test_what_was_asked_long_ago_does_not_count(world: World) -> None:
    greedy = uuid4()
    for _ in range(16):
        claims(world, journey_of(world, greedy))
    world.let_pass(601)
    outcomes = [claims(world, journey_of(world, greedy)) for _ in range(6)]
    assert outcomes == ["claimed"] * 6


def test_nobody_is_sent_for_a_slot_that_is_not_there(world: World) -> None:
    for _ in range(20):
        world.postgres.do(
            "insert into parcours.suno_requests (kind, reserved_at) values ('submit', now())"
        )
    journey = create_journey(world)
    journey.start()
    assert world.service.call("next_steps", quantity=5, lease_s=60) == []
    assert journey.messages[0]["in_s"] > 5
    world.postgres.do("delete from parcours.suno_requests where true")
    world.let_pass(11)
    [step] = world.service.call("next_steps", quantity=5, lease_s=60)
    assert step["action"] == "submit"


def test_the_newest_of_many_newcomers_is_let_through(world: World) -> None:
    newcomers = [uuid4() for _ in range(5)]
    outcomes = [claims(world, journey_of(world, newcomers[turn % 5])) for turn in range(25)]
    assert outcomes.count("claimed") == 18
    assert claims(world, journey_of(world, uuid4())) == "claimed"


def test_many_tracks_leave_a_transfer_to_the_others(world: World) -> None:
    def deliver(user_id: UUID) -> str:
        journey = journey_of(world, user_id)
        journey.storing()
        world.let_pass(11)
        return str(journey.id)

    def take(quantity: int) -> list[str]:
        jobs = world.service.call("take_track_jobs", quantity=quantity, lease_s=60, reserved=1)
        return [job["run_id"] for job in jobs]

    greedy, listener = uuid4(), uuid4()
    concurrency = {deliver(greedy) for _ in range(7)}
    assert len(took := take(4)) == 3 and set(took) <= concurrency
    assert take(1) == []
    theirs = deliver(listener)
    assert take(1) == [theirs]
    assert len(took := take(4)) == 3 and set(took) <= concurrency
