"""What the doctor finds, page by page."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.callers import OWNER
from tests.sql.journeys import Journey, complete, create_journey, creation
from tests.sql.world import LIMITS, World

CARE = LIMITS | {"stuck_s": 300, "failed_age_s": 86_400, "restore_pause_s": 3600}


def segments(world: World, kind: str, **page: Any) -> list[UUID]:
    found = world.service.call("find_segments", kind=kind, limits=CARE, **page)
    return [UUID(segment["id"]) for segment in found]


def runs(world: World, kind: str, **page: Any) -> list[UUID]:
    found = world.service.call("find_runs", kind=kind, limits=CARE, **page)
    return [UUID(run["id"]) for run in found]


def linked(journey: Journey, index: int = 0) -> UUID:
    """A segment that is complete without a file."""
    attempt = journey.storing(index)
    journey.world.service.call(
        "record_track", **attempt.names, storage_path=None, final_url="https://cdn1.suno.ai/x"
    )
    return attempt.segment_id


def file(world: World, path: str, age_s: float = 7200) -> None:
    world.postgres.do(
        "insert into storage.objects (bucket_id, name, created_at)"
        " values ('parcours-tracks', %s, now() - make_interval(secs => %s))",
        path,
        age_s,
    )


@pytest.fixture(autouse=True)
def _no_files(world: World) -> None:
    with world.postgres.connection.transaction():
        world.postgres.do("set local storage.allow_delete_query = 'true'")
        world.postgres.do("delete from storage.objects")


def test_a_segment_is_stuck_when_it_is_composed_for_over_five_minutes(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.first(0)
    assert segments(world, "stuck") == []
    world.let_pass(299)
    assert segments(world, "stuck") == []
    world.let_pass(2)
    assert segments(world, "stuck") == [attempt.segment_id]
    journey.tell(attempt, complete(attempt))
    assert segments(world, "stuck") == [], "it is being stored"


def test_a_delivered_segment_without_a_job_is_unstored(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.storing()
    world.let_pass(301)
    assert segments(world, "unstored") == [], "its job is in the queue"
    world.postgres.do("delete from pgmq.q_parcours_tracks")
    assert segments(world, "unstored") == [attempt.segment_id]


def test_a_complete_segment_without_a_file_is_not_stored(world: World, journey: Journey) -> None:
    journey.start()
    segment_id = linked(journey)
    assert segments(world, "not_stored") == [segment_id]
    world.service.call("record_unrestored", segment_id=segment_id, lost=False)
    assert segments(world, "not_stored") == [], "it was tried within the hour"


def test_failed_segments_are_those_of_a_day_that_nobody_tries_again(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.failed()
    assert segments(world, "failed") == [attempt.segment_id]
    world.let_pass(86_401)
    assert segments(world, "failed") == []


def test_an_old_run_that_fails_today_has_failed_today(world: World, journey: Journey) -> None:
    journey.start()
    world.let_pass(2 * 86_400)
    attempt = journey.failed()
    assert segments(world, "failed") == [attempt.segment_id]


def test_what_is_tried_again_by_itself_has_not_failed(world: World, journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    journey.fail(attempt, "suno_error", again=True)
    assert segments(world, "failed") == []
    world.postgres.do("delete from pgmq.q_parcours_generation")
    assert segments(world, "failed") == [attempt.segment_id], "nobody is left to try"


def test_what_was_cancelled_has_not_failed(world: World, journey: Journey) -> None:
    journey.start()
    journey.failed()
    world.service.call("cancel_run", run_id=journey.id)
    assert segments(world, "failed") == []


def test_a_run_that_has_begun_and_has_no_message_is_unheld(world: World, journey: Journey) -> None:
    assert runs(world, "unheld") == []
    journey.start()
    assert runs(world, "unheld") == []
    world.postgres.do("delete from pgmq.q_parcours_generation")
    assert runs(world, "unheld") == [journey.id]
    world.postgres.do("delete from parcours.active_runs")
    assert runs(world, "unheld") == [journey.id]


def test_a_run_that_is_over_is_in_nobodys_hand(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    journey.complete()
    assert journey.release()
    assert runs(world, "unheld") == []


def test_a_run_that_nobody_started_is_told_apart(world: World, journey: Journey) -> None:
    assert runs(world, "never_started") == []
    world.let_pass(301)
    assert runs(world, "never_started") == [journey.id]
    assert runs(world, "unheld") == []


def test_a_first_piece_that_create_began_is_no_start(world: World) -> None:
    metadata = creation()["metadata"] | {"brief_reason": "being_written"}
    answer = world.service.call("create_run", **creation(metadata=metadata))
    journey = Journey(world, UUID(answer["run_id"]), LIMITS)
    journey.complete(0)
    assert journey.release()
    world.let_pass(301)
    assert runs(world, "never_started") == [journey.id]
    assert runs(world, "unheld") == []
    journey.submitted(1)
    assert runs(world, "never_started") == []


def test_a_run_without_a_user_is_ownerless(world: World, journey: Journey) -> None:
    assert runs(world, "ownerless") == [journey.id]
    superuser = world.another("postgres")
    assert superuser.value("select count(*) from auth.users where id = %s", OWNER) == 0


@pytest.mark.parametrize("kind", ["stuck", "failed"])
def test_pages_miss_nobody_and_repeat_nobody(world: World, kind: str) -> None:
    for _ in range(3):
        journey = create_journey(world, segments=3)
        for index in range(3):
            journey.failed(index) if kind == "failed" else journey.first(index)
    world.let_pass(301)
    seen: list[UUID] = []
    while page := segments(world, kind, after=seen[-1] if seen else None, limit=4):
        seen += page
    assert len(seen) == len(set(seen)) == 9
    assert seen == sorted(seen)


@pytest.mark.parametrize("function", ["find_segments", "find_runs"])
def test_an_unknown_kind_is_refused(world: World, function: str) -> None:
    with pytest.raises(Exception, match="there is no kind"):
        world.service.call(function, kind="x", limits=CARE)


def test_complete_segments_are_scanned_for_their_files(world: World, journey: Journey) -> None:
    journey.start()
    kept, missing = journey.complete(0), journey.complete(1)
    without = linked(journey, 2)
    file(world, journey.path(kept.segment_id))
    seen, after, looked = [], None, 0
    while True:
        page = world.service.call("scan_segments", after=after, limit=1)
        seen += [UUID(one["id"]) for one in page["found"]]
        looked += page["looked"]
        if (after := page["next"]) is None:
            break
    assert looked == 3
    assert set(seen) == {missing.segment_id, without}


def test_files_are_scanned_for_their_segments(world: World, journey: Journey) -> None:
    journey.start()
    kept = journey.complete()
    stray = f"runs/{uuid4()}/{uuid4()}.mp3"
    file(world, journey.path(kept.segment_id))
    file(world, stray)
    file(world, f"runs/{uuid4()}/{uuid4()}.mp3", age_s=60)
    file(world, f"runs/{uuid4()}/{kept.segment_id}.mp3".replace("runs/", "other/"))
    elsewhere = f"runs/{uuid4()}/{kept.segment_id}.mp3"
    file(world, elsewhere)
    seen, after = [], ""
    while True:
        page = world.service.call("scan_files", after=after, limit=2)
        seen += page["found"]
        if (after := page["next"]) is None:
            break
    assert sorted(seen) == sorted([stray, elsewhere]), "fresh files and others' are left alone"


def test_what_was_applied_is_known(world: World) -> None:
    applied = world.service.call("read_migrations")
    assert "20261130181127" in applied and applied == sorted(applied)
