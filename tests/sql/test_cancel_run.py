"""cancel_run: nothing more is bought for a run, and what is under way is still stored."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.callers import OWNER, STRANGER, refused
from tests.sql.concurrency import at_once
from tests.sql.invariants import check
from tests.sql.journeys import Attempt, Journey, complete, create_journey, error
from tests.sql.worker import Worker, bring_to_an_end
from tests.sql.world import LIMITS, World


@pytest.fixture(autouse=True)
def _invariants(world: World) -> Iterator[None]:
    yield
    check(world.postgres)


def cancel(world: World, journey: Journey, user_id: UUID | None = OWNER) -> dict[str, Any]:
    asked = {"user_id": user_id} if user_id else {}
    return dict(world.service.call("cancel_run", run_id=journey.id, **asked))


def start_as(world: World, journey: Journey, user_id: UUID | None) -> dict[str, Any]:
    asked = {"run_id": journey.id, "limits": LIMITS, "user_id": user_id}
    return dict(world.service.call("start_run", **asked))


def reasons(journey: Journey) -> list[str | None]:
    return [s["metadata"].get("failure", {}).get("reason") for s in journey.segments]


def work(world: World) -> None:
    """Everything that is due now."""
    worker = Worker(world.service, LIMITS)
    while steps := worker.take_steps():
        for step in steps:
            worker.do(step)


# What becomes of the segments


def test_a_run_that_was_never_started_is_over(world: World, journey: Journey) -> None:
    answer = cancel(world, journey)
    assert answer == {
        "run_id": str(journey.id),
        "status": "failed",
        "cancelled": 3,
        "under_way": 0,
        "complete": 0,
    }
    assert reasons(journey) == ["cancelled"] * 3
    assert journey.run["metadata"]["cancelled_at"]


def test_what_is_under_way_is_still_stored(world: World, journey: Journey) -> None:
    journey.start()
    journey.complete(0)
    attempt = journey.submitted(1)
    answer = cancel(world, journey)
    assert (answer["status"], answer["cancelled"]) == ("creating", 1)
    assert (answer["under_way"], answer["complete"]) == (1, 1)
    assert journey.tell(attempt, complete(attempt)) == "ok"
    assert journey.keep(attempt) == "completed"
    assert [s["status"] for s in journey.segments] == ["complete", "complete", "failed"]
    assert journey.status == "failed"
    work(world)
    assert journey.messages == [], "nobody looks after it any more"


def test_a_submission_on_its_way_to_suno_is_under_way(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.claimed()
    assert cancel(world, journey)["under_way"] == 1
    assert journey.record_task(attempt) == "ok"
    assert journey.tell(attempt, complete(attempt)) == "ok"
    assert journey.keep(attempt) == "completed"


def test_what_is_being_stored_is_stored(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.storing()
    assert cancel(world, journey)["under_way"] == 1
    assert journey.keep(attempt) == "completed"


def test_what_is_under_way_is_asked_about_and_given_up_as_ever(
    world: World, journey: Journey
) -> None:
    journey.start()
    journey.submitted()
    cancel(world, journey)
    world.let_pass(91)
    assert journey.step["action"] == "ask"
    work(world)
    world.let_pass(210)
    work(world)
    assert reasons(journey) == ["timeout", "cancelled", "cancelled"]
    assert journey.status == "failed"


def test_the_last_segment_under_way_makes_the_run_ready(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    attempt = journey.submitted()
    assert cancel(world, journey)["cancelled"] == 0
    journey.tell(attempt, complete(attempt))
    journey.keep(attempt)
    assert journey.status == "ready"
    assert start_as(world, journey, None)["pending"] == 0, "there is nothing to refuse"


def test_late_music_of_an_attempt_before_is_still_welcome(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    attempt = journey.failed(reason="timeout")
    cancel(world, journey)
    assert journey.tell(attempt, complete(attempt)) == "ok"
    assert journey.keep(attempt) == "completed"
    assert journey.status == "ready"


# Nothing more is bought


def test_nobody_claims_a_segment_of_it(world: World, journey: Journey) -> None:
    journey.start()
    journey.failed(0)
    attempt = journey.submitted(1)
    cancel(world, journey)
    for index, status in ((0, "failed"), (1, "generating"), (2, "failed")):
        claim = journey.claim(index)
        assert (claim["outcome"], claim["status"]) == ("skipped", status)
    assert journey.claim(1)["task_id"] == attempt.task_id
    assert world.postgres.value("select count(*) from parcours.suno_requests") == 2


def test_what_suno_put_off_is_not_submitted_again(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.claimed()
    journey.refuse(attempt, "later", 429)
    assert cancel(world, journey)["cancelled"] == 3
    world.let_pass(10)
    work(world)
    assert journey.status == "failed"


def test_what_suno_puts_off_afterwards_is_not_submitted_again(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.claimed()
    cancel(world, journey)
    assert journey.refuse(attempt, "later", 429) == "later"
    world.let_pass(3)
    work(world)
    assert reasons(journey) == ["cancelled"] * 3
    assert len(journey.events("segment.claimed")) == 1
    assert journey.status == "failed"


def test_a_failed_attempt_is_not_made_again(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    cancel(world, journey)
    journey.tell(attempt, error(attempt))
    work(world)
    assert reasons(journey) == ["suno_error", "cancelled", "cancelled"]
    assert journey.status == "failed"


def test_an_attempt_that_was_to_be_made_again_is_not(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    journey.tell(attempt, error(attempt))
    assert journey.metadata()["failure"]["again"] is True
    assert cancel(world, journey)["cancelled"] == 3
    work(world)
    assert journey.status == "failed"


def test_an_attempt_that_suno_never_answered_is_not_made_again(
    world: World, journey: Journey
) -> None:
    journey.start()
    journey.claimed()
    cancel(world, journey)
    world.let_pass(91)
    work(world)
    assert reasons(journey) == ["no_answer", "cancelled", "cancelled"]
    assert journey.status == "failed"


def test_an_operator_retries_nothing_of_it(world: World, journey: Journey) -> None:
    journey.start()
    journey.failed()
    cancel(world, journey)
    assert journey.retry(0) == "cancelled"
    assert reasons(journey)[0] == "suno_refused"


def test_a_claim_and_a_cancellation_at_once_agree(world: World) -> None:
    for _ in range(40):
        journey = create_journey(world, limits={"requests_max": 1000})
        journey.start()
        calls: list[Callable[[], dict[str, Any]]] = [
            journey.claim,
            partial(cancel, world.twin(), journey),
        ]
        claim, answer = at_once(calls)
        bought = claim["outcome"] == "claimed"
        assert len(journey.events("segment.claimed")) == bought
        assert (answer["cancelled"], answer["under_way"]) == ((2, 1) if bought else (3, 0))
        check(world.postgres)


# Who may


def test_an_operator_needs_no_name(world: World, journey: Journey) -> None:
    cancel(world, journey, None)
    [event] = journey.events("run.cancelled")
    assert event["detail"] == {"by": "operator"}


def test_the_owner_is_named_in_the_event(world: World, journey: Journey) -> None:
    cancel(world, journey)
    [event] = journey.events("run.cancelled")
    assert event["detail"] == {"by": "owner"}


def test_a_stranger_cancels_nothing(world: World, journey: Journey) -> None:
    with refused("PT403"):
        cancel(world, journey, STRANGER)
    assert "cancelled_at" not in journey.run["metadata"]


def test_an_unknown_run_is_unknown_to_everybody(world: World) -> None:
    with refused("PT404"):
        world.service.call("cancel_run", run_id=uuid4(), user_id=OWNER)


def test_a_ready_run_stays_ready(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    journey.complete()
    assert cancel(world, journey)["status"] == "ready"
    assert "cancelled_at" not in journey.run["metadata"]
    assert journey.events("run.cancelled") == []


def test_twice_is_as_good_as_once(world: World, journey: Journey) -> None:
    journey.start()
    journey.submitted()
    first = cancel(world, journey)
    told = journey.events()
    assert cancel(world, journey) == first
    assert journey.events() == told


# The owner asks again


def test_the_owner_has_it_made_after_all(world: World, journey: Journey) -> None:
    journey.start()
    journey.complete(0)
    cancel(world, journey)
    assert start_as(world, journey, OWNER)["pending"] == 2
    assert journey.status == "creating"
    assert "cancelled_at" not in journey.run["metadata"]
    bring_to_an_end(world, [journey])
    assert journey.status == "ready"


def test_the_owner_may_change_their_mind_while_a_segment_is_under_way(
    world: World, journey: Journey
) -> None:
    journey.start()
    journey.submitted()
    cancel(world, journey)
    start_as(world, journey, OWNER)
    assert [s["status"] for s in journey.segments] == ["generating", "queued", "queued"]
    bring_to_an_end(world, [journey])
    assert journey.status == "ready"


@pytest.mark.parametrize("who", [None, STRANGER])
def test_nobody_else_has_it_made_after_all(
    world: World, journey: Journey, who: UUID | None
) -> None:
    cancel(world, journey)
    with refused("PT409") as refusal:
        start_as(world, journey, who)
    assert refusal.message == "this run was cancelled; only its owner can have it made after all"
    assert journey.status == "failed"


def test_whoever_starts_another_run_is_not_asked_for_a_name(world: World, journey: Journey) -> None:
    assert journey.start()["pending"] == 3
    assert start_as(world, journey, STRANGER)["pending"] == 3


def test_a_cancellation_and_the_owner_s_own_call_at_once_agree(world: World) -> None:
    for _ in range(20):
        journey = create_journey(world)
        journey.start()
        journey.submitted()
        calls: list[Callable[[], dict[str, Any]]] = [
            partial(cancel, world, journey),
            partial(start_as, world.twin(), journey, OWNER),
        ]
        at_once(calls)
        cancelled = "cancelled_at" in journey.run["metadata"]
        left = "failed" if cancelled else "queued"
        assert [s["status"] for s in journey.segments] == ["generating", left, left]
        check(world.postgres)
        # The later wish is kept, whichever came last.
        assert start_as(world, journey, OWNER)["pending"] == 3
        assert cancel(world, journey)["cancelled"] == 2
        world.let_pass(11)


def test_cancelled_segments_have_all_their_attempts_left(world: World, journey: Journey) -> None:
    for _ in range(10):
        cancel(world, journey)
        start_as(world, journey, OWNER)
    assert journey.claim()["outcome"] == "claimed"


def test_an_attempt_of_a_cancelled_run_is_not_forged(world: World, journey: Journey) -> None:
    cancel(world, journey)
    segment = journey.segment()
    attempt = Attempt(segment["id"], segment["callback_token"], "task", 0)
    with refused("PT401"):
        journey.tell(attempt, complete(attempt, task_id=None))
    assert journey.jobs == []
