"""Whoever can read a token may write any callback with it, and it costs nobody else anything."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from parcours_xl.clients.suno_events import SunoEvent
from tests.sql.callers import OWNER, refused
from tests.sql.journeys import (
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
from tests.sql.worker import Worker
from tests.sql.world import LIMITS, World


def as_the_owner(world: World, journey: Journey, index: int = 0) -> Attempt:
    """What an owner knows of a segment, and a task that they made up."""
    [row] = world.caller("owner").rows(
        "select * from public.parcours_segments where id = %s", journey.segment_id(index)
    )
    return Attempt(row["id"], row["callback_token"], f"invented-{uuid4()}", 0)


def everything(attempt: Attempt) -> list[SunoEvent]:
    untrusted = track(download_url="https://elsewhere.example/x.mp3", trusted=False)
    return [
        other("text", attempt),
        first(attempt),
        complete(attempt),
        complete(attempt, untrusted),
        complete(attempt, task_id=None),
        reported_error(attempt),
        other("of suno's own", attempt),
    ]


def requests(world: World) -> int:
    return int(world.postgres.value("select count(*) from parcours.suno_requests"))


# Before the claim


@pytest.mark.parametrize("state", ["queued", "renewed", "never claimed, and failed"])
def test_a_segment_that_is_not_claimed_takes_no_event(
    world: World, journey: Journey, state: str
) -> None:
    """Not even its own token is a right one, and the answer is that of an unknown segment."""
    if state == "renewed":
        journey.failed()
        journey.retry()
    elif state == "never claimed, and failed":
        world.service.call("cancel_run", run_id=journey.id, user_id=OWNER)
    forged = as_the_owner(world, journey)
    before, events = journey.segments, journey.events()
    told = []
    for event in everything(forged):
        for segment_id in (forged.segment_id, uuid4()):
            with refused("PT401") as refusal:
                world.service.call(
                    "record_callback",
                    segment_id=segment_id,
                    token=forged.token,
                    event=event.as_json(),
                )
            told.append(vars(refusal))
    assert all(answer == told[0] for answer in told)
    assert (journey.segments, journey.events(), journey.jobs) == (before, events, [])
    assert requests(world) == (state == "renewed")


def test_a_task_that_is_named_before_the_claim_is_not_the_segment_s(
    world: World, journey: Journey
) -> None:
    """The one that is paid for later would be late, and its callbacks those of another task."""
    forged = as_the_owner(world, journey)
    with refused("PT401"):
        journey.tell(forged, other("text", forged))
    journey.start()
    attempt = journey.submitted()
    assert journey.segment()["suno_task_id"] == attempt.task_id
    assert journey.tell(attempt, first(attempt)) == "ok"
    assert journey.tell(attempt, complete(attempt)) == "ok"
    assert journey.keep(attempt) == "completed"


# A forged error


def test_a_reported_error_is_confirmed_before_anything_is_bought_again(journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    assert journey.tell(attempt, reported_error(attempt)) == "ok"
    assert journey.segment()["status"] == "generating"
    assert (journey.step["action"], round(journey.step["in_s"])) == ("ask", 0)
    assert journey.messages[0]["in_s"] <= 0, "an honest error is followed at once"
    assert journey.tell(attempt, error(attempt)) == "ok"
    assert journey.metadata()["failure"]["again"] is True
    assert journey.step["action"] == "retry"


def test_of_an_error_that_suno_does_not_confirm_it_is_asked_once_more(
    world: World, journey: Journey
) -> None:
    """Suno's record may lag behind its callback."""
    journey.start()
    attempt = journey.submitted()
    journey.tell(attempt, reported_error(attempt))
    pending = other("pending", attempt, source="record_info")
    journey.tell(attempt, pending)
    assert journey.step["action"] == "ask"
    assert journey.step["in_s"] == pytest.approx(15, abs=2)
    world.let_pass(15)
    journey.tell(attempt, pending)
    assert journey.step["in_s"] == pytest.approx(LIMITS["first_s"] - 15, abs=3)
    assert journey.segment()["status"] == "generating"


def test_forged_errors_buy_nothing(world: World, journey: Journey) -> None:
    """A Suno that is composing says so, however often somebody else says otherwise."""
    journey.start()
    worker = Worker(world.service, LIMITS)
    for _ in range(100):
        for step in worker.take_steps():
            worker.do(step)
        segment = journey.segment()
        if segment["suno_task_id"]:
            mine = Attempt(segment["id"], segment["callback_token"], segment["suno_task_id"], 0)
            journey.tell(mine, reported_error(mine))
        world.let_pass(0.1)
    assert len(journey.events("segment.claimed")) == 1
    assert questions(world, journey.segment_id()) <= LIMITS["questions_max"] / 2


def test_a_refused_address_in_a_callback_ends_no_attempt(journey: Journey) -> None:
    attempt = journey.submitted()
    refused_track = track(download_url=None, refused_host="10.0.0.1")
    assert journey.tell(attempt, complete(attempt, refused_track)) == "skipped"
    assert journey.segment()["status"] == "generating"


def questions(world: World, segment_id: UUID) -> int:
    return int(
        world.postgres.value(
            "select coalesce((metadata->>'questions')::integer, 0)"
            "  from public.parcours_segments where id = %s",
            segment_id,
        )
    )


# Whose questions they are


def ask(world: World, attempt: Attempt, **limits: Any) -> dict[str, Any]:
    return dict(world.service.call("reserve_question", **attempt.names, limits=LIMITS | limits))


def test_nobody_asks_about_a_segment_that_was_never_submitted(
    world: World, journey: Journey
) -> None:
    for attempt in (as_the_owner(world, journey), journey.claimed(1)):
        assert ask(world, attempt) == {"outcome": "late"}


def test_an_attempt_has_so_many_questions_and_no_more(world: World, journey: Journey) -> None:
    attempt = journey.submitted()
    for _ in range(LIMITS["questions_max"]):
        assert ask(world, attempt)["outcome"] == "reserved"
        world.let_pass(80)
    assert ask(world, attempt) == {"outcome": "none"}
    assert journey.step["action"] == "give_up"
    journey.fail(attempt, "timeout")
    journey.retry()
    assert ask(world, journey.submitted())["outcome"] == "reserved"


def test_questions_leave_room_for_submissions(world: World) -> None:
    journey = create_journey(world, segments=20)
    asked = journey.submitted()
    world.let_pass(80)
    for _ in range(5):
        ask(world, asked)
    with refused("PT429") as refusal:
        ask(world, asked)
    assert refusal.hint == "suno_quota"
    assert 0 < refusal.wait_s <= 70
    # A user who asks for much leaves four of the twenty to the others.
    for index in range(1, 12):
        journey.claimed(index)
    with refused("PT429"):
        journey.claim(12)


def test_a_question_that_finds_no_slot_is_not_waited_for_for_ever(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.submitted()
    world.let_pass(301)
    full = {"requests_max": 1}
    world.service.call("reserve_suno_request", limits=LIMITS | full)
    with refused("PT429"):
        ask(world, attempt, **full)
    assert journey.step["action"] == "ask"
    world.let_pass(60)
    world.service.call("reserve_suno_request", limits=LIMITS)
    with refused("PT429"):
        ask(world, attempt, **full)
    world.let_pass(30)
    world.service.call("reserve_suno_request", limits=LIMITS)
    assert ask(world, attempt, **full) == {"outcome": "none"}
    assert journey.step["action"] == "give_up"


def test_events_cause_half_of_the_questions_at_most(world: World, journey: Journey) -> None:
    attempt = journey.submitted()
    caused = 0
    for _ in range(20):
        journey.tell(attempt, complete(attempt, track(download_url=None)))
        if journey.step["action"] == "ask" and journey.step["in_s"] <= 0:
            assert ask(world, attempt)["outcome"] == "reserved"
            journey.tell(attempt, other("pending", attempt, source="record_info"))
            caused += 1
        world.let_pass(3)
    assert caused == LIMITS["questions_max"] / 2
    world.let_pass(90)
    assert journey.step["action"] == "ask", "those that are due by the clock are left"
