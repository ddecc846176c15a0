"""claim_segment: queued -> generating, once, with a slot of the Suno quota."""

from functools import partial
from uuid import UUID, uuid4

import pytest

from tests.sql.callers import refused
from tests.sql.concurrency import at_once
from tests.sql.journeys import Journey, create_journey, error
from tests.sql.world import LIMITS, World


def test_a_claim_holds_everything_that_suno_is_to_be_told(journey: Journey) -> None:
    claim = journey.claim(1)
    assert claim == {
        "outcome": "claimed",
        "status": "generating",
        "segment_id": str(journey.segment_id(1)),
        "segment_index": 1,
        "slot": claim["slot"],
        "callback_token": str(journey.segment(1)["callback_token"]),
        "prompt": "warm piano, 1",
        "title": "Part 1",
        "planned_seconds": 360,
        "preset_key": "00-universel-reset",
        "refused_prompts": 0,
    }


def test_a_claimed_segment_is_generating_its_first_attempt(journey: Journey) -> None:
    journey.claim()
    segment = journey.segment()
    assert segment["status"] == "generating"
    assert segment["metadata"]["attempts"] == 1
    assert segment["metadata"]["claimed_at"]
    assert segment["metadata"]["planned_seconds"] == 360


def test_a_segment_goes_by_its_id_or_by_its_place_in_the_run(
    world: World, journey: Journey
) -> None:
    claim = world.service.call("claim_segment", limits=LIMITS, run_id=journey.id, segment_index=2)
    assert UUID(claim["segment_id"]) == journey.segment_id(2)


def test_the_id_is_enough_and_wins(world: World, journey: Journey) -> None:
    claim = world.service.call(
        "claim_segment", limits=LIMITS, segment_id=journey.segment_id(1), run_id=uuid4(),
        segment_index=0,
    )  # fmt: skip
    assert claim["segment_index"] == 1


@pytest.mark.parametrize("place", [3, -1])
def test_an_unknown_segment_is_not_claimed(world: World, journey: Journey, place: int) -> None:
    with refused("PT404"):
        world.service.call("claim_segment", limits=LIMITS, run_id=journey.id, segment_index=place)
    with refused("PT404"):
        world.service.call("claim_segment", limits=LIMITS, segment_id=uuid4())
    with refused("PT404"):
        world.service.call("claim_segment", limits=LIMITS)


@pytest.mark.parametrize("state", ["submitted", "first", "storing", "complete"])
def test_what_is_under_way_or_done_is_skipped(journey: Journey, state: str) -> None:
    getattr(journey, state)()
    before = journey.segment()
    assert journey.claim() == {
        "outcome": "skipped",
        "segment_id": str(journey.segment_id()),
        "segment_index": 0,
        "status": before["status"],
        "task_id": before["suno_task_id"],
    }
    assert journey.segment() == before


def test_a_request_that_is_under_way_is_not_made_twice(journey: Journey) -> None:
    journey.claimed()
    assert journey.claim()["outcome"] == "skipped"


def test_a_skipped_claim_takes_no_slot(world: World, journey: Journey) -> None:
    journey.submitted()
    slots = world.postgres.value("select count(*) from parcours.suno_requests")
    journey.claim()
    assert world.postgres.value("select count(*) from parcours.suno_requests") == slots


def test_a_failed_segment_is_claimed_as_a_new_attempt(journey: Journey) -> None:
    failed = journey.failed()
    again = journey.claimed()
    assert again.token != failed.token
    segment = journey.segment()
    assert segment["suno_task_id"] is None
    assert segment["metadata"]["attempts"] == 2
    assert "failure" not in segment["metadata"]


def test_claiming_makes_a_failed_run_creating(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.failed()
    assert journey.status == "failed"
    journey.claimed()
    assert journey.status == "creating"


def test_a_refused_attempt_is_claimed_again_when_it_is_due_and_stays_the_same_attempt(
    world: World, journey: Journey
) -> None:
    attempt = journey.claimed()
    assert journey.refuse(attempt, "later", 455) == "later"
    assert journey.claim()["outcome"] == "skipped"
    world.let_pass(2.1)
    again = journey.claimed()
    assert again.token == attempt.token
    assert journey.metadata()["attempts"] == 1
    assert "next_try_at" not in journey.metadata()


def test_after_eight_attempts_there_is_no_other(world: World, journey: Journey) -> None:
    for _ in range(8):
        journey.failed()
    with refused("PT429") as refusal:
        journey.claim()
    assert (refusal.hint, refusal.detail) == ("attempts", "86400")
    segment = journey.segment()
    assert (segment["status"], segment["metadata"]["attempts"]) == ("failed", 8)


def test_a_full_quota_changes_nothing(world: World) -> None:
    journey = create_journey(world, limits={"requests_max": 1})
    failed = journey.failed(1)
    before = journey.segments
    for index in (0, 1):
        with refused("PT429") as refusal:
            journey.claim(index)
        assert refusal.hint == "suno_quota"
        assert 0 < refusal.wait_s <= 10
    assert journey.segments == before
    assert journey.segment(1)["callback_token"] == failed.token


def test_a_claim_takes_the_run_in_hand_for_this_segment_alone(journey: Journey) -> None:
    journey.claimed(2)
    [message] = journey.messages
    assert message["in_s"] == pytest.approx(LIMITS["unanswered_s"], abs=5)
    assert journey.step["segment_id"] == journey.segment_id(2)


def test_a_claim_within_a_run_in_hand_keeps_its_one_message(journey: Journey) -> None:
    journey.start()
    [before] = journey.messages
    journey.claimed(0)
    journey.claimed(1)
    [message] = journey.messages
    assert message["msg_id"] == before["msg_id"]


def test_claimed_by_eight_at_once_a_segment_is_claimed_once(world: World, journey: Journey) -> None:
    services = [world.another("service_role") for _ in range(8)]
    arguments = {"limits": LIMITS, "segment_id": journey.segment_id()}
    claims = at_once([partial(each.call, "claim_segment", **arguments) for each in services])
    assert sorted(claim["outcome"] for claim in claims) == ["claimed"] + ["skipped"] * 7
    assert len(journey.events("segment.claimed")) == 1
    assert world.postgres.value("select count(*) from parcours.suno_requests") == 1


def test_an_error_of_the_new_attempt_counts_on(journey: Journey) -> None:
    for number in (1, 2):
        attempt = journey.submitted()
        assert journey.metadata()["attempts"] == number
        journey.tell(attempt, error(attempt))
