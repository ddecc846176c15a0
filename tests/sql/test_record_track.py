"""record_track: the music is kept, or comes too late, or nobody is there any more."""

from uuid import UUID, uuid4

import pytest

from tests.sql.journeys import DOWNLOAD, Attempt, Journey, complete, create_journey, track
from tests.sql.world import World


def test_a_stored_track_completes_its_segment(journey: Journey) -> None:
    attempt = journey.storing()
    assert journey.keep(attempt) == "completed"
    segment = journey.segment()
    assert segment["status"] == "complete"
    assert segment["storage_path"] == f"runs/{journey.id}/{attempt.segment_id}.mp3"
    assert segment["final_url"] is None
    assert segment["callback_token"] is None
    assert segment["metadata"]["suno_download_url"] == DOWNLOAD.format("A")


def test_a_track_that_cannot_be_stored_is_handed_on_by_its_address(
    world: World, journey: Journey
) -> None:
    attempt = journey.storing()
    url = DOWNLOAD.format("A")
    arguments = {**attempt.names, "storage_path": None, "final_url": url}
    assert world.service.call("record_track", **arguments) == "completed"
    segment = journey.segment()
    assert (segment["status"], segment["storage_path"], segment["final_url"]) == (
        "complete",
        None,
        url,
    )
    [event] = journey.events("segment.complete")
    assert event["detail"] == {"stored": False}


def test_an_address_that_suno_confirmed_is_remembered(world: World, journey: Journey) -> None:
    attempt = journey.submitted()
    journey.tell(attempt, complete(attempt, track(trusted=False)))
    assert "suno_download_url" not in journey.metadata()
    world.service.call(
        "record_track",
        **attempt.names,
        storage_path=journey.path(attempt.segment_id),
        download_url=DOWNLOAD.format("A"),
    )
    assert journey.metadata()["suno_download_url"] == DOWNLOAD.format("A")


@pytest.mark.parametrize("state", ["claimed", "submitted", "first", "failed"])
def test_without_music_from_suno_nothing_is_kept(journey: Journey, state: str) -> None:
    attempt = getattr(journey, state)()
    before = journey.segment()
    assert journey.keep(attempt) == "late"
    assert journey.segment() == before


def test_a_track_kept_again_changes_nothing(journey: Journey) -> None:
    attempt = journey.complete()
    before, events = journey.segment(), journey.events()
    assert journey.keep(attempt) == "late"
    assert (journey.segment(), journey.events()) == (before, events)


@pytest.mark.parametrize("token", [None, uuid4()])
def test_the_track_of_another_attempt_comes_too_late(journey: Journey, token: UUID | None) -> None:
    attempt = journey.storing()
    stray = Attempt(attempt.segment_id, token, attempt.task_id, attempt.slot)  # type: ignore[arg-type]
    assert journey.keep(stray) == "late"
    assert journey.keep(attempt) == "completed"


def test_the_track_of_an_erased_segment_is_to_be_deleted(world: World, journey: Journey) -> None:
    attempt = journey.storing()
    world.postgres.do("delete from public.parcours_runs where id = %s", journey.id)
    assert journey.keep(attempt) == "gone"


def test_the_last_track_makes_the_run_ready_once(world: World) -> None:
    journey = create_journey(world, segments=2)
    journey.start()
    journey.complete(0)
    assert journey.status == "creating"
    journey.complete(1)
    assert journey.status == "ready"
    assert len(journey.events("run.ready")) == 1
    assert journey.step["action"] == "settle"
    assert journey.release()


def test_the_last_track_beside_a_failed_segment_makes_the_run_failed(world: World) -> None:
    journey = create_journey(world, segments=2)
    journey.failed(0)
    journey.complete(1)
    assert journey.status == "failed"
    assert len(journey.events("run.failed")) == 1


def test_a_run_is_not_over_while_late_music_is_being_stored(world: World) -> None:
    journey = create_journey(world, segments=2)
    journey.start()
    late = journey.failed(0, reason="timeout")
    journey.tell(late, complete(late))
    journey.failed(1)
    assert journey.status == "creating"
    journey.keep(late)
    assert journey.status == "failed"
