"""retry_segment: a new attempt, with a new token and nothing left of the old one."""

from uuid import uuid4

import pytest

from tests.sql.callers import refused
from tests.sql.journeys import Attempt, Journey, complete, create_journey, error, first
from tests.sql.world import LIMITS, World


def test_a_new_attempt_has_a_new_token_and_nothing_of_the_old_one(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.submitted()
    journey.tell(attempt, first(attempt))
    journey.tell(attempt, complete(attempt))
    journey.fail(attempt, "track_unavailable", again=True)
    assert journey.retry(attempt=attempt) == "queued"
    segment = journey.segment()
    assert segment["status"] == "queued"
    assert segment["callback_token"] not in (None, attempt.token)
    for column in ("suno_task_id", "preview_url", "final_url", "storage_path", "duration_seconds"):
        assert segment[column] is None, column
    assert segment["metadata"] == {
        "title": "Part 0",
        "planned_seconds": 360,
        "attempts": 1,
        "renewals": 1,
    }
    assert journey.step["action"] == "submit"


def test_what_others_wrote_into_metadata_outlives_an_attempt(
    world: World, journey: Journey
) -> None:
    world.postgres.do(
        """update public.parcours_segments set metadata = metadata || '{"mine": 1}'"""
    )
    journey.failed()
    journey.retry()
    assert journey.metadata()["mine"] == 1


def test_an_attempt_that_suno_never_answered_is_made_again_after_90_s(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.claimed()
    world.let_pass(85)
    assert journey.retry(attempt=attempt) == "late"
    assert journey.segment()["status"] == "generating"
    world.let_pass(6)
    assert journey.retry(attempt=attempt) == "queued"
    [event] = journey.events("segment.failed")
    assert event["detail"]["reason"] == "no_answer"


def test_a_third_attempt_that_suno_never_answered_is_the_last_by_itself(
    world: World, journey: Journey
) -> None:
    journey.start()
    outcomes = []
    for _ in range(LIMITS["attempts_automatic"]):
        attempt = journey.claimed()
        world.let_pass(91)
        outcomes.append(journey.retry(attempt=attempt))
    assert outcomes == ["queued", "queued", "failed"]
    assert journey.segment()["status"] == "failed"
    assert journey.step["segment_id"] == journey.segment_id(1)


@pytest.mark.parametrize("state", ["submitted", "first", "storing", "complete"])
def test_what_is_under_way_or_done_is_not_retried(
    world: World, journey: Journey, state: str
) -> None:
    attempt = getattr(journey, state)()
    world.let_pass(1000)
    before = journey.segment()
    assert journey.retry() == "late"
    assert journey.retry(attempt=attempt) == "late"
    assert journey.segment() == before


def test_a_queued_segment_is_not_retried(journey: Journey) -> None:
    before = journey.segment()
    assert journey.retry() == "late"
    assert journey.segment() == before


def test_late_music_is_not_thrown_away_by_a_retry(journey: Journey) -> None:
    attempt = journey.failed(reason="timeout")
    journey.tell(attempt, complete(attempt))
    assert journey.retry() == "late"
    assert journey.keep(attempt) == "completed"


def test_a_retry_means_one_attempt_and_no_other(journey: Journey) -> None:
    journey.start()
    old = journey.submitted()
    journey.tell(old, error(old))
    assert journey.retry(attempt=old) == "queued"
    assert journey.retry(attempt=old) == "late"
    stray = Attempt(journey.segment_id(), uuid4(), "x", 0)
    assert journey.retry(attempt=stray) == "late"


def test_an_operator_may_retry_what_is_not_retried_by_itself(journey: Journey) -> None:
    journey.start()
    attempt = journey.failed()
    assert journey.retry(attempt=attempt) == "failed"
    assert journey.retry() == "queued"


def test_an_operator_s_retry_makes_a_failed_run_creating(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.failed()
    assert journey.status == "failed"
    journey.retry()
    assert journey.status == "creating"


def test_eight_attempts_are_all(world: World, journey: Journey) -> None:
    for _ in range(LIMITS["attempts_max"]):
        attempt = journey.failed()
        if journey.metadata()["attempts"] < LIMITS["attempts_max"]:
            assert journey.retry() == "queued"
    with refused("PT429") as refusal:
        journey.retry()
    assert (refusal.hint, refusal.detail) == ("attempts", "86400")
    assert journey.segment()["callback_token"] == attempt.token


def test_a_refused_retry_of_what_was_never_answered_changes_nothing(
    world: World, journey: Journey
) -> None:
    for _ in range(LIMITS["attempts_max"] - 1):
        journey.failed()
    journey.claimed()
    world.let_pass(91)
    before = journey.segment()
    with refused("PT429"):
        journey.retry()
    assert journey.segment() == before


def test_an_unknown_segment_is_not_retried(world: World) -> None:
    with refused("PT404"):
        world.service.call("retry_segment", segment_id=uuid4(), limits=LIMITS)
