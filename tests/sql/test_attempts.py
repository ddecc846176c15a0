"""An attempt: it begins with its claim, with a token of its own, and its end is counted."""

from uuid import UUID

import pytest

from tests.sql.callers import OWNER, Refusal, refused
from tests.sql.journeys import (
    STREAM,
    Attempt,
    Journey,
    complete,
    create_journey,
    error,
    first,
    other,
    reported_error,
    track,
)
from tests.sql.world import LIMITS, World

LATE_S = LIMITS["unanswered_s"] + 1


def another_task(attempt: Attempt, task_id: str = "invented") -> Attempt:
    """The same attempt, under a task that Suno never named."""
    return Attempt(attempt.segment_id, attempt.token, task_id, attempt.slot)


# The token


def test_every_claim_makes_a_token_that_nobody_knew_before(journey: Journey) -> None:
    known = {journey.segment()["callback_token"]}
    for _ in range(3):
        attempt = journey.claimed()
        assert attempt.token not in known
        assert journey.segment()["callback_token"] == attempt.token
        known.add(attempt.token)
        journey.fail(attempt, "suno_refused")
        known.add(journey.segment()["callback_token"])
        journey.retry()
        known.add(journey.segment()["callback_token"])


def test_the_owner_goes_on_reading_every_column(world: World, journey: Journey) -> None:
    attempt = journey.submitted()
    [mine] = world.caller("owner").rows(
        "select * from public.parcours_segments where id = %s", attempt.segment_id
    )
    assert mine["callback_token"] == attempt.token


# The task


def test_a_callback_that_is_quicker_than_we_are_names_the_task_for_the_time_being(
    journey: Journey,
) -> None:
    attempt = journey.claimed()
    assert journey.tell(attempt, first(attempt)) == "ok"
    assert journey.segment()["suno_task_id"] == attempt.task_id
    assert journey.record_task(attempt) == "ok"
    segment = journey.segment()
    assert (segment["status"], segment["preview_url"]) == ("first", STREAM.format("A"))
    assert "task_unconfirmed" not in segment["metadata"]


@pytest.mark.parametrize("stage", ["text", "first", "complete", "error"])
def test_the_answer_to_the_submission_undoes_what_a_callback_told_of_another_task(
    journey: Journey, stage: str
) -> None:
    journey.start()
    attempt = journey.claimed()
    forged = another_task(attempt)
    events = {"first": first, "complete": complete, "error": reported_error}
    said = events.get(stage, lambda a: other("text", a))(forged)
    assert journey.tell(forged, said) == "ok"
    assert journey.segment()["suno_task_id"] == "invented"

    assert journey.record_task(attempt) == "ok"
    segment = journey.segment()
    assert segment["suno_task_id"] == attempt.task_id
    assert (segment["preview_url"], segment["duration_seconds"]) == (None, None)
    assert set(segment["metadata"]) == {"attempts", "claimed_at", "planned_seconds", "title"}
    assert journey.tell(forged, complete(forged)) == "skipped"

    # The attempt goes its way as if nothing had been said.
    real = Attempt(attempt.segment_id, attempt.token, attempt.task_id, 0)
    assert journey.tell(real, first(real, track("R"))) == "ok"
    assert journey.segment()["preview_url"] == STREAM.format("R")
    assert journey.tell(real, complete(real, track("R"))) == "ok"
    assert journey.keep(real) == "completed"


def test_the_job_of_another_task_is_not_current(world: World, journey: Journey) -> None:
    attempt = journey.claimed()
    forged = another_task(attempt)
    journey.tell(forged, complete(forged))
    journey.record_task(attempt)
    journey.tell(attempt, complete(attempt))
    jobs = world.service.call("take_track_jobs", quantity=5, lease_s=60)
    assert {job["task_id"]: job["current"] for job in jobs} == {
        "invented": False,
        attempt.task_id: True,
    }


def test_a_submission_s_own_answer_has_the_last_word_once(journey: Journey) -> None:
    attempt = journey.submitted()
    assert journey.record_task(another_task(attempt)) == "late"
    assert journey.segment()["suno_task_id"] == attempt.task_id


def test_after_90_s_no_event_names_the_task_any_more(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.claimed()
    world.let_pass(LATE_S)
    for event in (other("text", attempt), first(attempt), complete(attempt)):
        assert journey.tell(attempt, event) == "skipped"
    segment = journey.segment()
    assert (segment["status"], segment["suno_task_id"]) == ("generating", None)
    assert journey.step["action"] == "retry"


def test_a_refusal_for_good_outweighs_a_callback(journey: Journey) -> None:
    attempt = journey.claimed()
    forged = another_task(attempt)
    assert journey.tell(forged, first(forged)) == "ok"
    assert journey.refuse(attempt, "for_good", 400) == "failed"
    assert journey.metadata()["failure"]["reason"] == "suno_refused"


# What counts, and how often


def test_three_attempts_are_made_by_themselves(world: World, journey: Journey) -> None:
    journey.start()
    outcomes = []
    for _ in range(LIMITS["attempts_automatic"]):
        attempt = journey.submitted()
        journey.tell(attempt, error(attempt))
        outcomes.append(journey.retry(attempt=attempt))
    assert outcomes == ["queued", "queued", "failed"]
    assert journey.metadata()["attempts"] == 3


@pytest.mark.parametrize("end", ["error", "url_refused", "track_unavailable", "timeout", "refused"])
def test_whatever_ends_them_there_are_eight_attempts_and_then_none(world: World, end: str) -> None:
    journey = create_journey(world, segments=1)
    for number in range(1, LIMITS["attempts_max"] + 1):
        journey.start()
        attempt = journey.claimed()
        if end == "refused":
            journey.refuse(attempt, "for_good", 400)
        else:
            journey.record_task(attempt)
        if end == "error":
            journey.tell(attempt, error(attempt))
        elif end == "track_unavailable":
            journey.tell(attempt, complete(attempt))
            journey.fail(attempt, end)
        elif end != "refused":
            journey.fail(attempt, end)
        assert journey.metadata()["attempts"] == number
        world.let_pass(30)
    for call in (journey.start, journey.claim, journey.retry):
        with refused("PT429") as refusal:
            call()
        assert refusal.hint == "attempts"
    assert journey.metadata()["attempts"] == LIMITS["attempts_max"]


def test_a_run_is_not_queued_again_without_end_by_what_costs_nothing(world: World) -> None:
    """Its owner may stop it and ask for it after all as often as a person would."""
    journey = create_journey(world, segments=1)
    for _ in range(200):
        world.service.call("cancel_run", run_id=journey.id, user_id=OWNER)
        asked = {"run_id": journey.id, "limits": LIMITS, "user_id": OWNER}
        answer = world.service.attempt("start_run", **asked)
        if isinstance(answer, Refusal):
            break
    assert (answer.sqlstate, answer.hint) == ("PT429", "attempts")
    assert len(journey.events("segment.requeued")) == 50


def test_the_repeated_claim_of_what_suno_put_off_is_the_same_attempt(
    world: World, journey: Journey
) -> None:
    attempt = journey.claimed()
    journey.refuse(attempt, "later", 455)
    world.let_pass(2.1)
    again = journey.claim()
    assert UUID(again["callback_token"]) == attempt.token
    assert journey.metadata()["attempts"] == 1


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_limit_that_is_missing_lets_nothing_through(
    world: World, journey: Journey, name: str
) -> None:
    """It is an error before anything has changed, and never no limit."""
    journey.limits = {key: value for key, value in LIMITS.items() if key != name}
    for call in (journey.claim, journey.start):
        with refused("22023") as refusal:
            call()
        assert refusal.message == f"the limit {name} is missing"
    assert (journey.segment()["status"], journey.messages) == ("queued", [])
