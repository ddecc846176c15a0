"""start_run: a run is put in hand once, and resumed after a failure."""

from uuid import uuid4

import pytest

from tests.sql.callers import refused
from tests.sql.journeys import Journey, complete, create_journey
from tests.sql.world import LIMITS, World


def test_starting_tells_what_is_to_come(journey: Journey) -> None:
    assert journey.start() == {
        "run_id": str(journey.id),
        "segments": 3,
        "pending": 3,
        "total_seconds": 1080,
    }


def test_a_started_run_has_one_message_due_at_once(journey: Journey) -> None:
    journey.start()
    [message] = journey.messages
    assert message["in_s"] <= 0
    assert journey.step["action"] == "submit"
    assert journey.step["segment_id"] == journey.segment_id(0)


def test_starting_again_changes_nothing(journey: Journey) -> None:
    first = journey.start()
    segments, events, [message] = journey.segments, journey.events(), journey.messages
    assert journey.start() == first
    assert (journey.segments, journey.events()) == (segments, events)
    assert [again["msg_id"] for again in journey.messages] == [message["msg_id"]]


def test_what_is_under_way_keeps_its_deadline(journey: Journey) -> None:
    journey.start()
    journey.submitted()
    journey.start()
    [message] = journey.messages
    assert message["in_s"] == pytest.approx(LIMITS["first_s"], abs=5)


def test_an_unknown_run_is_not_started(world: World) -> None:
    with refused("PT404"):
        world.service.call("start_run", run_id=uuid4(), limits=LIMITS)


def test_failed_segments_become_new_attempts(journey: Journey) -> None:
    journey.start()
    failed = journey.failed(0)
    assert journey.start()["pending"] == 3
    segment = journey.segment(0)
    assert segment["status"] == "queued"
    assert segment["callback_token"] not in (None, failed.token)
    assert segment["suno_task_id"] is None
    assert segment["metadata"] == {
        "attempts": 1,
        "planned_seconds": 360,
        "title": "Part 0",
        "renewals": 1,
    }


def test_a_failed_run_is_creating_again(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    journey.failed()
    assert journey.release()
    assert journey.status == "failed"
    assert journey.start()["pending"] == 1
    assert journey.status == "creating"
    assert len(journey.messages) == 1


def test_what_is_complete_stays_as_it_is(journey: Journey) -> None:
    journey.start()
    journey.complete(0)
    before = journey.segment(0)
    answer = journey.start()
    assert answer["pending"] == 2
    assert answer["total_seconds"] == 198 + 2 * 360
    assert journey.segment(0) == before


def test_what_is_being_stored_is_left_alone(journey: Journey) -> None:
    journey.start()
    attempt = journey.storing(0)
    before = journey.segment(0)
    journey.start()
    assert journey.segment(0) == before
    assert journey.keep(attempt) == "completed"


def test_late_music_that_is_being_stored_is_left_alone(journey: Journey) -> None:
    journey.start()
    attempt = journey.failed(0, reason="timeout")
    assert journey.tell(attempt, complete(attempt)) == "ok"
    before = journey.segment(0)
    journey.start()
    assert journey.segment(0) == before
    assert journey.keep(attempt) == "completed"


def test_a_ready_run_is_not_taken_in_hand(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    journey.complete()
    assert journey.release()
    assert journey.start() == {
        "run_id": str(journey.id),
        "segments": 1,
        "pending": 0,
        "total_seconds": 198,
    }
    assert journey.messages == []
    assert journey.status == "ready"


def exhaust(journey: Journey, index: int = 0) -> None:
    for _ in range(journey.limits["attempts_max"]):
        journey.failed(index)


def test_a_run_without_attempts_left_is_refused_for_a_day(world: World) -> None:
    journey = create_journey(world, segments=1, limits={"attempts_max": 2, "attempts_automatic": 1})
    exhaust(journey)
    with refused("PT429") as refusal:
        journey.start()
    assert refusal.hint == "attempts"
    assert refusal.detail == "86400"
    assert journey.segment()["status"] == "failed"


def test_a_segment_without_attempts_left_does_not_stop_the_others(world: World) -> None:
    journey = create_journey(world, segments=2, limits={"attempts_max": 2, "attempts_automatic": 1})
    exhaust(journey, 0)
    assert journey.start()["pending"] == 2
    assert [segment["status"] for segment in journey.segments] == ["failed", "queued"]
    journey.complete(1)
    assert journey.release()
    assert journey.status == "failed"


def test_starting_takes_a_single_segment_s_run_in_hand_as_a_whole(journey: Journey) -> None:
    journey.complete(1)
    assert journey.step["action"] == "settle"
    journey.start()
    assert journey.step["action"] == "submit"
    assert len(journey.messages) == 1
    assert [event["what"] for event in journey.events("run.%")] == ["run.created", "run.started"]


def test_a_run_keeps_to_the_limits_it_was_started_with(world: World) -> None:
    journey = create_journey(world, limits={"first_s": 7})
    journey.start()
    journey.submitted()
    assert journey.step["in_s"] == pytest.approx(7, abs=5)
