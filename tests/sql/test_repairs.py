"""What the doctor repairs: judged again under the lock, twice, and beside live workers."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.sql.callers import refused
from tests.sql.journeys import Journey, complete, create_journey
from tests.sql.test_doctor import CARE, linked, runs, segments
from tests.sql.world import World


def retry(world: World, one: object) -> list[str]:
    answer: dict[str, Any] = world.service.call("retry", id=one, limits=CARE)
    return [segment["outcome"] for segment in answer["segments"]]


def lose_messages(world: World) -> None:
    for queue in ("parcours_generation", "parcours_tracks"):
        world.postgres.connection.execute(f"delete from pgmq.q_{queue}".encode())


def test_a_failed_run_is_made_again_with_new_tokens(world: World, journey: Journey) -> None:
    journey.start()
    for index in range(3):
        journey.failed(index)
    journey.release()
    before = [segment["callback_token"] for segment in journey.segments]
    assert journey.status == "failed"
    assert retry(world, journey.id) == ["queued"] * 3
    assert journey.status == "creating"
    assert {s["status"] for s in journey.segments} == {"queued"}
    assert not {s["callback_token"] for s in journey.segments} & set(before)
    assert len(journey.messages) == 1
    assert journey.step["action"] == "submit"
    assert journey.events("run.retried")[0]["detail"] == {"segments": 3}


def test_asking_twice_changes_nothing_more(world: World, journey: Journey) -> None:
    journey.start()
    journey.failed()
    retry(world, journey.id)
    tokens = [segment["callback_token"] for segment in journey.segments]
    assert retry(world, journey.id) == ["queued"] * 3
    assert [segment["callback_token"] for segment in journey.segments] == tokens
    assert len(journey.messages) == 1


def test_a_stuck_segment_is_composed_anew_and_its_neighbours_are_left_alone(
    world: World, journey: Journey
) -> None:
    journey.start()
    journey.complete(0)
    storing = journey.storing(1)
    stuck = journey.first(2)
    world.let_pass(301)
    assert retry(world, journey.id) == ["complete", "storing", "queued"]
    assert journey.segment(1)["callback_token"] == storing.token
    assert journey.segment(2)["callback_token"] != stuck.token
    with refused("PT401"):
        journey.tell(stuck, complete(stuck))


def test_one_segment_may_be_meant(world: World, journey: Journey) -> None:
    journey.start()
    journey.failed(0)
    other = journey.failed(1)
    assert retry(world, journey.segment_id(0)) == ["queued"]
    assert journey.segment(1)["callback_token"] == other.token


def test_what_is_composed_for_a_moment_only_is_left_alone(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.first()
    assert retry(world, attempt.segment_id) == ["under_way"]
    assert journey.segment()["callback_token"] == attempt.token


def test_attempts_have_an_end_here_too(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    for _ in range(8):
        journey.failed()
        outcome = retry(world, journey.id)
    assert outcome == ["exhausted"]
    assert journey.status == "failed"


def test_a_cancelled_run_stays_cancelled(world: World, journey: Journey) -> None:
    journey.start()
    world.service.call("cancel_run", run_id=journey.id)
    for one in (journey.id, journey.segment_id()):
        with refused("PT409"):
            retry(world, one)
    lose_messages(world)
    world.service.call("reactivate_run", run_id=journey.id, limits=CARE)
    assert journey.status == "failed"


def test_nobodys_id_is_unknown(world: World) -> None:
    with refused("PT404"):
        retry(world, uuid4())
    with refused("PT404"):
        world.service.call("reactivate_run", run_id=uuid4(), limits=CARE)


def test_a_run_that_lost_its_message_is_held_again(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    lose_messages(world)
    assert runs(world, "unheld") == [journey.id]
    assert world.service.call("reactivate_run", run_id=journey.id, limits=CARE)
    assert runs(world, "unheld") == []
    assert not world.service.call("reactivate_run", run_id=journey.id, limits=CARE)
    assert journey.step["segment_id"] == attempt.segment_id
    [message] = journey.messages
    assert message["in_s"] > 80, "the next deadline is what it was"


def test_a_run_of_single_segments_is_watched_and_no_more(world: World, journey: Journey) -> None:
    """Only parcours-xl-generate was called: what nobody asked for is not composed."""
    journey.submitted(0)
    lose_messages(world)
    assert world.service.call("reactivate_run", run_id=journey.id, limits=CARE)
    assert not world.postgres.value(
        "select whole_run from parcours.active_runs where run_id = %s", journey.id
    )


def test_a_job_that_was_lost_is_sent_again_as_it_was(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.storing()
    [job] = journey.jobs
    lose_messages(world)
    names = attempt.names
    assert world.service.call("requeue_track", **names) == "sent"
    assert world.service.call("requeue_track", **names) == "late"
    for other in job["others"]:
        del other["duration_seconds"]
    assert journey.jobs == [job]


def test_a_lost_job_whose_address_was_not_kept_becomes_a_new_attempt(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.storing()
    world.postgres.do(
        "update public.parcours_segments set metadata = metadata - 'suno_download_url'"
        " where id = %s",
        attempt.segment_id,
    )
    world.postgres.do("delete from pgmq.q_parcours_tracks")
    assert world.service.call("requeue_track", **attempt.names) == "failed"
    assert journey.step["action"] == "retry"


def test_a_token_of_yesterday_sends_nothing(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.storing()
    lose_messages(world)
    answer = world.service.call("requeue_track", segment_id=attempt.segment_id, token=uuid4())
    assert answer == "late"
    assert journey.jobs == []


def test_a_restored_file_is_told_once(world: World, journey: Journey) -> None:
    journey.start()
    segment_id = linked(journey)
    path = journey.path(segment_id)
    assert (
        world.service.call("record_restored", segment_id=segment_id, storage_path=path)
        == "restored"
    )
    segment = journey.segment()
    assert (segment["storage_path"], segment["final_url"]) == (path, None)
    assert segment["status"] == "complete"
    assert segments(world, "not_stored") == []
    assert len(journey.events("segment.restored")) == 1


def test_the_fallback_is_the_runbooks(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.complete()
    url = "https://cdn1.suno.ai/final.mp3"
    world.service.call(
        "record_restored", segment_id=attempt.segment_id, storage_path=None, final_url=url
    )
    segment = journey.segment()
    assert (segment["storage_path"], segment["final_url"]) == (None, url)


def test_only_what_is_complete_is_restored(world: World, journey: Journey) -> None:
    attempt = journey.first()
    answer = world.service.call(
        "record_restored", segment_id=attempt.segment_id, storage_path="runs/x"
    )
    assert answer == "late"
    assert (
        world.service.call("record_restored", segment_id=uuid4(), storage_path="runs/x") == "gone"
    )


def test_music_that_is_lost_is_not_looked_for_again(world: World, journey: Journey) -> None:
    segment_id = linked(journey)
    world.service.call("record_unrestored", segment_id=segment_id, lost=True)
    world.let_pass(7200)
    assert segments(world, "not_stored") == []
    [found] = world.service.call("scan_segments")["found"]
    assert found["lost"]


@pytest.mark.parametrize("many", [6])
def test_many_doctors_at_once_make_one_new_attempt(world: World, many: int) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    journey.failed()
    callers = [world.another("service_role") for _ in range(many)]
    with ThreadPoolExecutor(many) as concurrency:
        list(concurrency.map(lambda one: one.call("retry", id=journey.id, limits=CARE), callers))
    assert len(journey.events("segment.requeued")) == 1
    assert len(journey.messages) == 1
