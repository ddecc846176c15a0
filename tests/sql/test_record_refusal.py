"""record_refusal: Suno has said no, for now, for good, or to the account."""

import pytest

from tests.sql.journeys import Journey, create_journey, first
from tests.sql.world import World


def test_a_busy_suno_is_tried_again_after_2_4_and_6_s_and_then_the_segment_fails(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.claimed()
    for pause_s in (2, 4, 6):
        assert journey.refuse(attempt, "later", 430) == "later"
        assert journey.segment()["status"] == "generating"
        assert (journey.step["action"], journey.step["in_s"]) == (
            "submit",
            pytest.approx(pause_s, abs=1.5),
        )
        assert journey.claim()["outcome"] == "skipped"
        world.let_pass(pause_s)
        assert journey.claimed().token == attempt.token
    assert journey.refuse(attempt, "later", 430) == "failed"
    segment = journey.segment()
    assert segment["status"] == "failed"
    assert segment["metadata"]["failure"]["reason"] == "suno_busy"
    assert segment["metadata"]["attempts"] == 1


def test_each_refusal_is_told(journey: Journey) -> None:
    attempt = journey.claimed()
    journey.refuse(attempt, "later", 455)
    [event] = journey.events("segment.refused")
    assert event["detail"] == {"code": 455, "message": "no", "again_in_s": 2}


def test_a_new_attempt_has_its_own_patience(world: World, journey: Journey) -> None:
    attempt = journey.claimed()
    journey.refuse(attempt, "later", 500)
    journey.fail(attempt, "suno_busy")
    again = journey.claimed()
    journey.refuse(again, "later", 500)
    assert journey.step["in_s"] == pytest.approx(2, abs=1.5)


def test_refused_for_good_the_segment_fails_at_once(journey: Journey) -> None:
    journey.start()
    attempt = journey.claimed()
    assert journey.refuse(attempt, "for_good", 413) == "failed"
    failure = journey.metadata()["failure"]
    assert (failure["reason"], failure["code"], failure["message"]) == ("suno_refused", 413, "no")
    assert failure["again"] is False
    assert journey.segment(1)["status"] == "queued"
    assert journey.step["segment_id"] == journey.segment_id(1)


def test_a_refused_account_fails_the_rest_of_the_run_without_calling_again(
    world: World, journey: Journey
) -> None:
    journey.start()
    journey.complete(0)
    assert journey.refuse(journey.claimed(1), "account", 429) == "failed"
    assert [segment["status"] for segment in journey.segments] == ["complete", "failed", "failed"]
    for index in (1, 2):
        failure = journey.metadata(index)["failure"]
        assert (failure["reason"], failure["code"]) == ("suno_account", 429)
    assert journey.status == "failed"
    assert journey.step["action"] == "settle"


def test_a_refused_account_leaves_no_segment_to_be_tried_again(
    world: World, journey: Journey
) -> None:
    """One waits for its next try, one for its next attempt: neither calls Suno once more."""
    journey.start()
    journey.refuse(journey.claimed(0), "later", 500)
    attempt = journey.submitted(1)
    journey.fail(attempt, "suno_error", again=True)
    journey.refuse(journey.claimed(2), "account", 401)
    assert [segment["status"] for segment in journey.segments] == ["failed"] * 3
    assert journey.step["action"] == "settle"
    assert journey.status == "failed"


def test_a_refused_account_does_not_touch_music_under_way(world: World) -> None:
    journey = create_journey(world, segments=4)
    journey.start()
    journey.submitted(0)
    journey.first(1)
    journey.storing(2)
    journey.refuse(journey.claimed(3), "account", 401)
    statuses = [segment["status"] for segment in journey.segments]
    assert statuses == ["generating", "first", "generating", "failed"]
    assert journey.status == "creating"


@pytest.mark.parametrize("kind", ["later", "for_good", "account"])
@pytest.mark.parametrize("state", ["submitted", "first", "storing", "complete", "failed"])
def test_a_refusal_comes_too_late_for_what_was_taken(
    journey: Journey, state: str, kind: str
) -> None:
    attempt = getattr(journey, state)()
    before = journey.segments
    assert journey.refuse(attempt, kind, 500) == "late"
    assert journey.segments == before


def test_a_refusal_comes_too_late_when_suno_was_heard_of(journey: Journey) -> None:
    attempt = journey.claimed()
    journey.tell(attempt, first(attempt, task_id=None))
    assert journey.refuse(attempt, "later", 502) == "late"


def test_the_refusal_of_another_attempt_comes_too_late(journey: Journey) -> None:
    old = journey.claimed()
    journey.fail(old, "no_answer")
    journey.claimed()
    assert journey.refuse(old, "for_good", 400) == "late"
    assert journey.segment()["status"] == "generating"


def test_a_long_message_is_cut(world: World, journey: Journey) -> None:
    attempt = journey.claimed()
    world.service.call(
        "record_refusal",
        **attempt.names,
        kind="for_good",
        limits=journey.limits,
        code=400,
        message="x" * 5000,
    )
    assert len(journey.metadata()["failure"]["message"]) == 500
