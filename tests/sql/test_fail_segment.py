"""fail_segment: an attempt ends without music."""

from uuid import uuid4

import pytest

from parcours_xl.domain.failures import FAILURES
from tests.sql.callers import refused
from tests.sql.journeys import Attempt, Journey, complete, create_journey
from tests.sql.world import LIMITS, World


@pytest.mark.parametrize("state", ["claimed", "submitted", "first"])
def test_a_time_out_fails_what_is_under_way_and_keeps_its_token(
    journey: Journey, state: str
) -> None:
    attempt = getattr(journey, state)()
    assert journey.fail(attempt, "timeout") == "failed"
    segment = journey.segment()
    assert segment["status"] == "failed"
    assert segment["callback_token"] == attempt.token
    assert segment["metadata"]["failure"]["reason"] == "timeout"


def test_a_time_out_does_nothing_once_suno_has_delivered(journey: Journey) -> None:
    attempt = journey.storing()
    before = journey.segment()
    assert journey.fail(attempt, "timeout") == "late"
    assert journey.segment() == before


def test_a_track_that_cannot_be_had_fails_its_segment(journey: Journey) -> None:
    attempt = journey.storing()
    assert journey.fail(attempt, "track_unavailable") == "failed"
    facts = journey.metadata()
    assert facts["failure"]["reason"] == "track_unavailable"
    assert "complete_received_at" not in facts
    assert "suno_download_url" not in facts
    assert journey.keep(attempt) == "late"


def test_late_music_that_cannot_be_had_leaves_the_segment_failed(world: World) -> None:
    journey = create_journey(world, segments=1)
    attempt = journey.failed(reason="timeout")
    journey.tell(attempt, complete(attempt))
    assert journey.fail(attempt, "track_unavailable") == "failed"
    assert journey.segment()["status"] == "failed"
    assert journey.status == "failed"
    assert journey.tell(attempt, complete(attempt)) == "skipped"


@pytest.mark.parametrize("state", ["complete", "failed"])
def test_what_is_over_does_not_fail_again(journey: Journey, state: str) -> None:
    attempt = getattr(journey, state)()
    before = journey.segment()
    assert journey.fail(attempt, "timeout") == "late"
    assert journey.segment() == before


def test_another_attempt_cannot_fail_this_one(world: World, journey: Journey) -> None:
    old = journey.failed()
    journey.submitted()
    assert journey.fail(old, "timeout") == "late"
    nobody = Attempt(uuid4(), uuid4(), "x", 0)
    assert journey.fail(nobody, "timeout") == "late"
    arguments = {"segment_id": old.segment_id, "token": None, "reason": "timeout"}
    assert world.service.call("fail_segment", **arguments) == "late"
    assert journey.segment()["status"] == "generating"


def test_a_queued_segment_without_attempts_left_fails(world: World, journey: Journey) -> None:
    """The bound may have been lowered since it was queued: the run must not wait for ever."""
    journey.start()
    journey.failed(0)
    journey.retry(0)
    queued = Attempt(journey.segment_id(0), journey.segment(0)["callback_token"], "none", 0)
    assert journey.fail(queued, "attempts_used_up") == "failed"
    assert journey.step["segment_id"] == journey.segment_id(1)


def test_the_detail_is_kept_and_told_without_what_is_not_known(
    world: World, journey: Journey
) -> None:
    attempt = journey.storing()
    world.service.call(
        "fail_segment",
        **attempt.names,
        reason="url_refused",
        detail={"host": "10.0.0.1", "message": None},
    )
    failure = journey.metadata()["failure"]
    assert (failure["host"], "message" in failure) == ("10.0.0.1", False)
    [event] = journey.events("segment.failed")
    assert event["detail"] == {
        "reason": "url_refused",
        "host": "10.0.0.1",
        "again": False,
        "attempt": 1,
    }


def test_again_is_only_promised_while_somebody_holds_the_run(journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    journey.fail(attempt, "track_unavailable", again=True)
    assert journey.metadata()["failure"]["again"] is True
    assert (journey.step["action"], journey.status) == ("retry", "creating")


def test_nobody_holds_the_run_of_late_music(world: World) -> None:
    journey = create_journey(world, segments=1)
    attempt = journey.failed(reason="timeout")
    assert journey.release()
    journey.tell(attempt, complete(attempt))
    journey.fail(attempt, "track_unavailable", again=True)
    assert journey.metadata()["failure"]["again"] is False
    assert journey.status == "failed"


def test_again_is_promised_for_three_attempts(journey: Journey) -> None:
    journey.start()
    promised = []
    for _ in range(LIMITS["attempts_automatic"] + 1):
        attempt = journey.submitted()
        journey.fail(attempt, "track_unavailable", again=True)
        promised.append(journey.metadata()["failure"]["again"])
        journey.retry()
    assert promised == [True, True, False, False]


def test_sql_and_python_know_the_same_reasons(world: World) -> None:
    rows = world.postgres.rows("select reason, retried from parcours.failure_reasons")
    listed = {row["reason"]: row["retried"] for row in rows}
    of_python = {str(reason): failure.retried for reason, failure in FAILURES.items()}
    assert listed == of_python | {"cancelled": False}


def test_no_segment_fails_for_a_reason_that_nobody_knows(journey: Journey) -> None:
    attempt = journey.submitted()
    with refused("22023") as refusal:
        journey.fail(attempt, "bad_luck")
    assert refusal.message == "unknown failure reason 'bad_luck'"
    assert journey.segment()["status"] == "generating"
