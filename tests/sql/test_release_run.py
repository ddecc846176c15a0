"""release_run: a run in which nothing is left to do is let go of."""

from uuid import uuid4

import pytest

from tests.sql.journeys import Journey, complete, create_journey
from tests.sql.world import World


def in_hand(world: World) -> int:
    return int(world.postgres.value("select count(*) from parcours.active_runs"))


def test_a_ready_run_is_released_and_its_message_deleted(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    journey.complete()
    assert journey.release()
    assert journey.messages == []
    assert in_hand(world) == 0
    assert journey.status == "ready"


def test_a_failed_run_is_released(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    journey.failed()
    assert journey.release()
    assert (journey.messages, journey.status) == ([], "failed")


@pytest.mark.parametrize("state", ["claimed", "submitted", "first", "storing"])
def test_a_run_with_something_under_way_is_kept(world: World, state: str) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    getattr(journey, state)()
    assert not journey.release()
    assert len(journey.messages) == in_hand(world) == 1


def test_a_run_kept_is_looked_at_when_it_is_due(world: World, journey: Journey) -> None:
    journey.start()
    world.service.call("next_steps", quantity=1, lease_s=60)
    assert journey.messages[0]["in_s"] > 50
    assert not journey.release()
    assert journey.messages[0]["in_s"] <= 0


def test_a_single_segment_s_run_is_released_and_stays_creating(journey: Journey) -> None:
    journey.complete(1)
    assert journey.release()
    assert journey.status == "creating"


def test_late_music_of_a_released_run_needs_nobody(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    attempt = journey.failed(reason="timeout")
    assert journey.release()
    journey.tell(attempt, complete(attempt))
    assert journey.messages == []
    assert journey.keep(attempt) == "completed"
    assert journey.status == "ready"


def test_a_released_run_can_be_started_again(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    [before] = journey.messages
    journey.failed()
    journey.release()
    journey.start()
    [message] = journey.messages
    assert message["msg_id"] != before["msg_id"]


def test_releasing_what_nobody_holds_is_harmless(world: World, journey: Journey) -> None:
    assert journey.release()
    assert journey.release()
    assert world.service.call("release_run", run_id=uuid4())
    assert journey.status == "creating"
