"""What failed for a passing reason, and whose owner waits, is tried again by itself."""

import pytest

from tests.sql.callers import OWNER, refused
from tests.sql.journeys import Journey, create_journey
from tests.sql.worker import Worker
from tests.sql.world import LIMITS, World

SECONDS = 3
LATER_S = LIMITS["retry_later_s"]


def refuse_until_it_fails(world: World, journey: Journey, index: int = 0) -> None:
    """Suno is busy: the attempt, and the attempt after 2, 4 and 6 s."""
    attempt = journey.claimed(index)
    for pause_s in LIMITS["retry_s"]:
        assert journey.refuse(attempt, "later", 429) == "later"
        world.let_pass(pause_s + 0.1)
        journey.claim(index)
    assert journey.refuse(attempt, "later", 429) == "failed"


def waits_s(world: World, journey: Journey) -> float | None:
    """How long the run tells its owner to wait."""
    seconds = world.postgres.value(
        "select extract(epoch from (metadata->>'retry_at')::timestamptz - clock_timestamp())::float"
        "  from public.parcours_runs where id = %s",
        journey.id,
    )
    return None if seconds is None else float(seconds)


def test_an_outage_is_waited_out_for_1_5_and_15_minutes(world: World) -> None:
    journey = create_journey(world, segments=2)
    journey.start()
    for pause_s in LATER_S:
        refuse_until_it_fails(world, journey)
        assert journey.metadata()["failure"]["again"] is True
        assert journey.run["metadata"]["retry_reason"] == "suno_busy"
        assert waits_s(world, journey) == pytest.approx(pause_s, abs=SECONDS)
        assert journey.status == "creating"
        step = journey.step
        assert (step["action"], step["in_s"]) == ("retry", pytest.approx(pause_s, abs=SECONDS))
        assert journey.messages[0]["in_s"] == pytest.approx(pause_s, abs=SECONDS)
        world.let_pass(pause_s)
        [due] = Worker(world.service, LIMITS).take_steps()
        Worker(world.service, LIMITS).do(due)
        assert journey.step["action"] == "submit"
    refuse_until_it_fails(world, journey)
    assert journey.metadata()["failure"]["again"] is False
    assert journey.metadata()["attempts"] == 4
    assert len(journey.events("run.put_off")) == 3


def test_the_other_segments_do_not_wait_all_over_again(world: World) -> None:
    journey = create_journey(world, segments=2)
    journey.start()
    for index in range(2):
        for pause_s in LATER_S if index == 0 else ():
            refuse_until_it_fails(world, journey)
            world.let_pass(pause_s)
        refuse_until_it_fails(world, journey, index)
    assert journey.status == "failed"
    assert waits_s(world, journey) is None
    assert not {"retry_at", "retry_reason", "retries"} & set(journey.run["metadata"])


def test_once_suno_takes_a_task_the_run_says_nothing_more_and_its_pauses_begin_anew(
    world: World, journey: Journey
) -> None:
    journey.start()
    refuse_until_it_fails(world, journey)
    world.let_pass(LATER_S[0])
    journey.submitted()
    assert waits_s(world, journey) is None
    assert "retries" not in journey.run["metadata"]


def test_a_run_that_was_stopped_is_not_tried_again(world: World, journey: Journey) -> None:
    journey.start()
    refuse_until_it_fails(world, journey)
    world.service.call("cancel_run", run_id=journey.id, user_id=OWNER)
    assert journey.status == "failed"
    assert waits_s(world, journey) is None
    assert Worker(world.service, LIMITS).take_steps() == [] or journey.step["action"] == "settle"


def test_a_run_that_nobody_has_asked_for_lately_is_not_tried_again(
    world: World, journey: Journey
) -> None:
    journey.start()
    world.let_pass(LIMITS["waits_s"] + 1)
    refuse_until_it_fails(world, journey)
    assert journey.metadata()["failure"]["again"] is False


def test_a_single_segment_that_was_asked_for_is_not_tried_again(journey: Journey) -> None:
    refuse_until_it_fails(journey.world, journey)
    assert journey.metadata()["failure"]["again"] is False


def test_a_repeated_start_fires_no_attempt_while_the_run_waits(
    world: World, journey: Journey
) -> None:
    """Anybody may call the runner."""
    journey.start()
    refuse_until_it_fails(world, journey)
    before = journey.segments
    for _ in range(5):
        assert journey.start()["pending"] == 3
    assert journey.segments == before
    assert waits_s(world, journey) == pytest.approx(LATER_S[0], abs=SECONDS)


def test_an_operator_s_retry_waits_for_nothing(world: World, journey: Journey) -> None:
    journey.start()
    refuse_until_it_fails(world, journey)
    world.service.call("retry", id=journey.id, limits=LIMITS | {"stuck_s": 300})
    assert waits_s(world, journey) is None
    assert (journey.step["action"], round(journey.step["in_s"])) == ("submit", 0)


def test_no_attempt_is_made_beyond_the_eighth(world: World, journey: Journey) -> None:
    journey.start()
    for _ in range(LIMITS["attempts_max"] - 1):
        journey.failed()
    refuse_until_it_fails(world, journey)
    assert journey.metadata()["failure"]["again"] is False
    with refused("PT429"):
        journey.claim()
