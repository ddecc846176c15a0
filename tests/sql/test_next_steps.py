"""next_steps: what each run in hand needs now, and when it will need something again."""

import pytest

from parcours_xl.clients.suno_events import SunoTrack
from tests.sql.callers import Row
from tests.sql.journeys import (
    Attempt,
    Journey,
    complete,
    create_journey,
    error,
    first,
    other,
)
from tests.sql.world import LIMITS, World

SECONDS = 5
"""How far a test's clock and the database's may be apart."""


def steps(world: World, quantity: int = 10, lease_s: int = 60) -> list[Row]:
    answer = world.service.call("next_steps", quantity=quantity, lease_s=lease_s)
    return [dict(step) for step in answer]


def actions(world: World) -> list[str]:
    return [step["action"] for step in steps(world)]


def ask(journey: Journey, attempt: Attempt) -> None:
    """Suno is asked, and has nothing new to say."""
    journey.tell(attempt, other("pending", attempt, source="record_info"))


def test_nothing_in_hand_needs_nothing(world: World, journey: Journey) -> None:
    assert steps(world) == []


def test_a_started_run_s_first_segment_is_to_be_submitted(world: World, journey: Journey) -> None:
    journey.start()
    [step] = steps(world)
    [message] = journey.messages
    assert step == {
        "msg_id": message["msg_id"],
        "read_ct": 1,
        "run_id": str(journey.id),
        "action": "submit",
        "segment_id": str(journey.segment_id(0)),
        "callback_token": str(journey.segment(0)["callback_token"]),
        "task_id": None,
    }


def test_a_step_is_leased_to_one_worker_at_a_time(world: World, journey: Journey) -> None:
    journey.start()
    assert actions(world) == ["submit"]
    assert actions(world) == []
    world.let_pass(61)
    [step] = steps(world)
    assert (step["action"], step["read_ct"]) == ("submit", 2)


def test_no_more_is_taken_than_was_asked_for(world: World) -> None:
    for _ in range(3):
        create_journey(world).start()
    assert len(steps(world, quantity=2)) == 2
    assert len(steps(world, quantity=2)) == 1


def test_segments_are_submitted_one_after_the_other(world: World, journey: Journey) -> None:
    journey.start()
    for index in range(3):
        [step] = steps(world)
        assert step["action"] == "submit"
        assert step["segment_id"] == str(journey.segment_id(index))
        journey.complete(index)
    assert actions(world) == ["settle"]


def test_a_run_that_waits_is_not_polled(world: World, journey: Journey) -> None:
    journey.start()
    assert actions(world) == ["submit"]
    journey.submitted()
    assert actions(world) == []
    [message] = journey.messages
    assert message["in_s"] == pytest.approx(LIMITS["first_s"], abs=SECONDS)


def test_without_an_answer_the_attempt_is_made_again_after_90_s(
    world: World, journey: Journey
) -> None:
    journey.start()
    journey.claimed()
    world.let_pass(85)
    assert actions(world) == []
    world.let_pass(6)
    assert actions(world) == ["retry"]


def test_suno_is_asked_at_90_240_and_300_s_and_then_given_up(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.submitted()
    passed = 0
    for deadline in (90, 240, 300):
        world.let_pass(deadline - passed - 5)
        assert actions(world) == [], f"before {deadline} s"
        world.let_pass(6)
        passed = deadline + 1
        [step] = steps(world)
        assert (step["action"], step["task_id"]) == ("ask", attempt.task_id)
        ask(journey, attempt)
    assert actions(world) == ["give_up"]


def test_with_first_suno_is_not_asked_before_240_s(world: World, journey: Journey) -> None:
    journey.start()
    journey.first()
    world.let_pass(235)
    assert actions(world) == []
    world.let_pass(6)
    assert actions(world) == ["ask"]


def test_a_question_asked_late_is_not_asked_twice(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    world.let_pass(250)
    assert actions(world) == ["ask"]
    ask(journey, attempt)
    assert journey.step["in_s"] == pytest.approx(50, abs=SECONDS)


def test_without_a_task_to_ask_about_a_heard_segment_is_given_up_at_300_s(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.claimed()
    journey.tell(attempt, first(attempt, task_id=None))
    world.let_pass(295)
    assert actions(world) == []
    world.let_pass(6)
    assert actions(world) == ["give_up"]


@pytest.mark.parametrize("stage", ["text", "first", "complete"])
def test_a_callback_is_an_answer_even_without_a_task_and_without_music(
    world: World, journey: Journey, stage: str
) -> None:
    journey.start()
    attempt = journey.claimed()
    journey.tell(attempt, other(stage, attempt, task_id=None, tracks=(SunoTrack(),)))
    world.let_pass(295)
    assert actions(world) == []
    world.let_pass(6)
    assert actions(world) == ["give_up"]


def test_complete_without_music_is_asked_about_at_once(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    assert journey.tell(attempt, complete(attempt, SunoTrack())) == "skipped"
    [step] = steps(world)
    assert (step["action"], step["task_id"]) == ("ask", attempt.task_id)


def test_asking_about_music_that_is_not_there_comes_to_an_end(
    world: World, journey: Journey
) -> None:
    """Suno has been seen to say SUCCESS without an address."""
    journey.start()
    attempt = journey.submitted()
    asked = []
    for second in range(0, 330, 10):
        for action in actions(world):
            asked.append((second, action))
            journey.tell(attempt, complete(attempt, SunoTrack(), source="record_info"))
        world.let_pass(10)
    assert asked[:4] == [(90, "ask"), (240, "ask"), (300, "ask"), (310, "give_up")]


def test_a_segment_being_stored_holds_the_next_one_back(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.storing(0)
    assert actions(world) == []
    assert journey.step["action"] == "wait"
    journey.keep(attempt)
    [step] = steps(world)
    assert step["segment_id"] == str(journey.segment_id(1))


def test_a_wait_without_an_end_is_looked_at_again_within_the_hour(
    world: World, journey: Journey
) -> None:
    journey.start()
    journey.storing(0)
    [message] = journey.messages
    assert message["in_s"] == pytest.approx(3600, abs=SECONDS)
    world.let_pass(3601)
    assert actions(world) == []
    [message] = journey.messages
    assert message["in_s"] == pytest.approx(3600, abs=SECONDS)


def test_a_refusal_is_tried_again_when_it_is_due(world: World, journey: Journey) -> None:
    journey.start()
    assert actions(world) == ["submit"]
    journey.refuse(journey.claimed(), "later", 430)
    assert actions(world) == []
    world.let_pass(2.1)
    [step] = steps(world)
    assert (step["action"], step["segment_id"]) == ("submit", str(journey.segment_id(0)))


def test_an_error_is_followed_by_a_new_attempt(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    journey.tell(attempt, error(attempt))
    [step] = steps(world)
    assert (step["action"], step["callback_token"]) == ("retry", str(attempt.token))


def test_what_moves_a_run_makes_its_message_visible(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    assert journey.messages[0]["in_s"] > 60
    journey.tell(attempt, error(attempt))
    assert journey.messages[0]["in_s"] <= 0


def test_of_a_single_segment_only_what_is_under_way_is_watched(
    world: World, journey: Journey
) -> None:
    attempt = journey.submitted(1)
    world.let_pass(91)
    [step] = steps(world)
    assert (step["action"], step["segment_id"]) == ("ask", str(journey.segment_id(1)))
    journey.tell(attempt, complete(attempt, source="record_info"))
    journey.keep(attempt)
    assert actions(world) == ["settle"]


def test_the_message_of_an_erased_run_is_deleted(world: World, journey: Journey) -> None:
    journey.start()
    world.postgres.do("delete from public.parcours_runs where id = %s", journey.id)
    assert steps(world) == []
    assert journey.messages == []


def test_an_attempt_that_was_heard_of_is_not_submitted_again(
    world: World, journey: Journey
) -> None:
    """A gateway may say 502 about a task which Suno has begun."""
    journey.start()
    attempt = journey.claimed()
    journey.refuse(attempt, "later", 502)
    journey.tell(attempt, other("text", attempt))
    world.let_pass(10)
    assert actions(world) == []
    assert journey.claim()["outcome"] == "skipped"
    assert journey.segment()["suno_task_id"] == attempt.task_id
