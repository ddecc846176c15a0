"""find_track: where the owner's track is kept."""

from uuid import UUID, uuid4

import pytest

from tests.sql.callers import OWNER, STRANGER, refused
from tests.sql.journeys import DOWNLOAD, Journey
from tests.sql.world import World


def find(world: World, segment_id: UUID, user_id: UUID = OWNER) -> str:
    return str(world.service.call("find_track", segment_id=segment_id, user_id=user_id))


def test_the_owner_finds_a_stored_track(world: World, journey: Journey) -> None:
    attempt = journey.complete()
    assert find(world, attempt.segment_id) == f"runs/{journey.id}/{attempt.segment_id}.mp3"


@pytest.mark.parametrize("state", ["complete", "submitted"])
def test_a_stranger_is_refused_whatever_its_state(
    world: World, journey: Journey, state: str
) -> None:
    getattr(journey, state)()
    with refused("PT403"):
        find(world, journey.segment_id(), STRANGER)


def test_an_unknown_segment_is_not_found(world: World) -> None:
    with refused("PT404"):
        find(world, uuid4())


@pytest.mark.parametrize("state", ["claimed", "submitted", "first", "storing", "failed"])
def test_what_is_not_complete_has_no_track_yet(world: World, journey: Journey, state: str) -> None:
    getattr(journey, state)()
    with refused("PT409"):
        find(world, journey.segment_id())


def test_what_is_only_linked_has_no_stored_track(world: World, journey: Journey) -> None:
    attempt = journey.storing()
    arguments = {**attempt.names, "storage_path": None, "final_url": DOWNLOAD.format("A")}
    world.service.call("record_track", **arguments)
    with refused("PT409"):
        find(world, attempt.segment_id)


def test_nobody_in_particular_is_a_stranger(world: World, journey: Journey) -> None:
    attempt = journey.complete()
    with refused("PT403"):
        world.service.call("find_track", segment_id=attempt.segment_id, user_id=None)
