"""record_task: Suno has taken an attempt. Set once, whoever names the task first."""

from uuid import uuid4

import pytest

from tests.sql.journeys import Attempt, Journey, first
from tests.sql.world import LIMITS, World


def test_the_task_is_kept_and_told(journey: Journey) -> None:
    attempt = journey.claimed()
    assert journey.record_task(attempt) == "ok"
    assert journey.segment()["suno_task_id"] == attempt.task_id
    [event] = journey.events("segment.submitted")
    assert event["detail"] == {"task_id": attempt.task_id}


def test_a_task_recorded_again_changes_nothing(journey: Journey) -> None:
    attempt = journey.submitted()
    before = journey.segment()
    assert journey.record_task(attempt) == "ok"
    assert journey.segment() == before
    assert len(journey.events("segment.submitted")) == 1


def test_another_task_comes_too_late(journey: Journey) -> None:
    attempt = journey.submitted()
    other = Attempt(attempt.segment_id, attempt.token, "another", attempt.slot)
    assert journey.record_task(other) == "late"
    assert journey.segment()["suno_task_id"] == attempt.task_id


def test_a_callback_may_name_the_task_first(journey: Journey) -> None:
    attempt = journey.claimed()
    journey.tell(attempt, first(attempt))
    assert journey.segment()["suno_task_id"] == attempt.task_id
    assert journey.record_task(attempt) == "ok"
    assert journey.segment()["status"] == "first"


def test_the_task_of_another_attempt_comes_too_late(journey: Journey) -> None:
    old = journey.claimed()
    journey.fail(old, "no_answer")
    new = journey.claimed()
    assert journey.record_task(old) == "late"
    assert journey.segment()["suno_task_id"] is None
    assert journey.record_task(new) == "ok"


@pytest.mark.parametrize("token", [None, uuid4()])
def test_nobody_records_a_task_without_the_token(
    world: World, journey: Journey, token: object
) -> None:
    attempt = journey.claimed()
    arguments = {"segment_id": attempt.segment_id, "token": token, "task_id": "forged"}
    assert world.service.call("record_task", **arguments) == "late"
    assert journey.segment()["suno_task_id"] is None


def test_the_task_of_an_unknown_segment_comes_too_late(world: World) -> None:
    arguments = {"segment_id": uuid4(), "token": uuid4(), "task_id": "x"}
    assert world.service.call("record_task", **arguments) == "late"


def test_a_complete_segment_takes_no_task(journey: Journey) -> None:
    attempt = journey.complete()
    assert journey.record_task(attempt) == "late"


def test_once_taken_the_run_waits_for_first(journey: Journey) -> None:
    journey.start()
    attempt = journey.claimed()
    assert journey.step["action"] == "retry"
    journey.record_task(attempt)
    assert journey.step["action"] == "ask"
    assert journey.messages[0]["in_s"] == pytest.approx(LIMITS["first_s"], abs=5)


def test_an_attempt_that_suno_has_taken_is_not_submitted_again(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.claimed()
    journey.refuse(attempt, "later", 502)
    assert journey.record_task(attempt) == "ok"
    world.let_pass(10)
    assert journey.claim()["outcome"] == "skipped"
    assert journey.step["action"] == "ask"
