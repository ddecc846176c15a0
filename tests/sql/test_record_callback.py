"""record_callback: what Suno says, by itself or asked, in whatever order it comes."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from parcours_xl.clients.suno_events import SunoError, SunoEvent, SunoTrack
from tests.sql.callers import Refusal, refused
from tests.sql.journeys import (
    DOWNLOAD,
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
from tests.sql.world import World

# How a segment comes into each state an event may find it in.


def storing_after_first(journey: Journey) -> Attempt:
    attempt = journey.first()
    journey.tell(attempt, complete(attempt))
    return attempt


def late(journey: Journey) -> Attempt:
    """Failed by time-out; its music has come since, and is being stored."""
    attempt = journey.failed(reason="timeout")
    journey.tell(attempt, complete(attempt))
    return attempt


STATES: dict[str, Callable[[Journey], Attempt]] = {
    "claimed": Journey.claimed,
    "generating": Journey.submitted,
    "first": Journey.first,
    "storing": Journey.storing,
    "storing, after first": storing_after_first,
    "complete": Journey.complete,
    "refused": Journey.failed,
    "timed out": lambda journey: journey.failed(reason="timeout"),
    "timed out, storing": late,
}

EVENTS: dict[str, Callable[[Attempt], SunoEvent]] = {
    "text": lambda attempt: other("text", attempt),
    "first": first,
    "complete": complete,
    "error": reported_error,
    "failure": error,
    "pending": lambda attempt: other("pending", attempt, source="record_info"),
}

# The outcome and the status afterwards; + means that a track is being stored.
TABLE: dict[str, tuple[str, str, str, str, str, str]] = {
    # state            text               first              complete
    #                  error              failure            pending
    "claimed": (
        *("ok generating", "ok first", "ok generating+"),
        *("ok generating", "ok failed", "ok generating"),
    ),
    "generating": (
        *("ok generating", "ok first", "ok generating+"),
        *("ok generating", "ok failed", "ok generating"),
    ),
    "first": (
        *("ok first", "skipped first", "ok first+"),
        *("ok first", "ok failed", "ok first"),
    ),
    "storing": (
        *("skipped generating+", "ok generating+", "skipped generating+"),
        *("skipped generating+", "skipped generating+", "skipped generating+"),
    ),
    "storing, after first": (
        *("skipped first+", "skipped first+", "skipped first+"),
        *("skipped first+", "skipped first+", "skipped first+"),
    ),
    "complete": (
        *("skipped complete", "skipped complete", "skipped complete"),
        *("skipped complete", "skipped complete", "skipped complete"),
    ),
    "refused": (
        *("skipped failed", "skipped failed", "skipped failed"),
        *("skipped failed", "skipped failed", "skipped failed"),
    ),
    "timed out": (
        *("skipped failed", "skipped failed", "ok failed+"),
        *("skipped failed", "skipped failed", "skipped failed"),
    ),
    "timed out, storing": (
        *("skipped failed+", "ok failed+", "skipped failed+"),
        *("skipped failed+", "skipped failed+", "skipped failed+"),
    ),
}

CELLS = [
    pytest.param(state, stage, expected, id=f"{stage} when {state}")
    for state, row in TABLE.items()
    for stage, expected in zip(EVENTS, row, strict=True)
]


def condition(journey: Journey) -> str:
    """The status, and whether a track is being stored, as TABLE has them."""
    segment = journey.segment()
    storing = segment["status"] != "complete" and "complete_received_at" in segment["metadata"]
    return str(segment["status"]) + ("+" if storing else "")


@pytest.mark.parametrize(("state", "stage", "expected"), CELLS)
def test_what_each_event_comes_to_in_each_state(
    journey: Journey, state: str, stage: str, expected: str
) -> None:
    attempt = STATES[state](journey)
    before, jobs = journey.metadata(), len(journey.jobs)
    outcome = journey.tell(attempt, EVENTS[stage](attempt))
    assert f"{outcome} {condition(journey)}" == expected

    delivered = stage == "complete" and outcome == "ok"
    assert len(journey.jobs) == jobs + delivered
    if outcome == "skipped":
        asked = {"asked_at"} if stage in ("pending", "failure") else set()
        assert without(journey.metadata(), asked) == without(before, asked)


def without(facts: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: fact for name, fact in facts.items() if name not in names}


@pytest.mark.parametrize("stage", EVENTS)
@pytest.mark.parametrize("state", STATES)
def test_the_same_event_again_is_skipped_or_changes_no_status(
    journey: Journey, state: str, stage: str
) -> None:
    attempt = STATES[state](journey)
    event = EVENTS[stage](attempt)
    journey.tell(attempt, event)
    once, jobs, events = condition(journey), journey.jobs, journey.events()
    outcome = journey.tell(attempt, event)
    assert (condition(journey), journey.jobs, journey.events()) == (once, jobs, events)
    if stage in ("first", "complete", "error", "failure"):
        assert outcome == "skipped"


@pytest.mark.parametrize("stage", EVENTS)
@pytest.mark.parametrize("state", [state for state in STATES if state != "claimed"])
def test_an_event_of_another_task_is_skipped(journey: Journey, state: str, stage: str) -> None:
    attempt = STATES[state](journey)
    before = journey.segment()
    stray = Attempt(attempt.segment_id, attempt.token, "another task", attempt.slot)
    assert journey.tell(attempt, EVENTS[stage](stray)) == "skipped"
    after = journey.segment()
    assert without(after, {"metadata"}) == without(before, {"metadata"})
    assert without(after["metadata"], {"asked_at"}) == without(before["metadata"], {"asked_at"})


# The token


def told(world: World, segment_id: UUID, token: UUID | None, event: dict[str, Any]) -> Refusal:
    with refused("PT401") as refusal:
        world.service.call("record_callback", segment_id=segment_id, token=token, event=event)
    return refusal


@pytest.mark.parametrize("state", [state for state in STATES if state != "complete"])
def test_a_wrong_token_changes_nothing_and_reads_like_an_unknown_segment(
    world: World, journey: Journey, state: str
) -> None:
    attempt = STATES[state](journey)
    before, event = journey.segments, complete(attempt).as_json()
    unknown = told(world, uuid4(), attempt.token, event)
    for token in (uuid4(), None):
        wrong = told(world, attempt.segment_id, token, event)
        assert vars(wrong) == vars(unknown)
    assert journey.segments == before


def test_the_token_of_the_attempt_before_is_wrong(world: World, journey: Journey) -> None:
    old = journey.failed()
    new = journey.submitted()
    told(world, old.segment_id, old.token, complete(old).as_json())
    assert journey.tell(new, complete(new)) == "ok"


@pytest.mark.parametrize("token", [uuid4(), None])
@pytest.mark.parametrize("stage", EVENTS)
def test_a_complete_segment_skips_any_token(
    world: World, journey: Journey, stage: str, token: UUID | None
) -> None:
    attempt = journey.complete()
    answer = world.service.call(
        "record_callback",
        segment_id=attempt.segment_id,
        token=token,
        event=EVENTS[stage](attempt).as_json(),
    )
    assert answer == {"outcome": "skipped"}


# First


def test_first_is_a_preview(journey: Journey) -> None:
    attempt = journey.first()
    segment = journey.segment()
    assert segment["status"] == "first"
    assert segment["preview_url"] == STREAM.format("A")
    assert segment["metadata"]["suno_track_id"] == "A"
    assert segment["metadata"]["suno_second_track_id"] == "B"
    assert segment["metadata"]["first_received_at"]
    assert segment["suno_task_id"] == attempt.task_id


def test_an_empty_track_is_passed_over(journey: Journey) -> None:
    attempt = journey.submitted()
    journey.tell(attempt, first(attempt, SunoTrack(id="A"), track("B")))
    assert journey.segment()["preview_url"] == STREAM.format("B")
    assert journey.metadata()["suno_track_id"] == "B"
    assert journey.metadata()["suno_second_track_id"] == "A"


@pytest.mark.parametrize("tracks", [(), (SunoTrack(),), (SunoTrack(id="A"),)])
def test_first_without_a_stream_is_no_preview(
    journey: Journey, tracks: tuple[SunoTrack, ...]
) -> None:
    attempt = journey.submitted()
    assert journey.tell(attempt, other("first", attempt, tracks=tracks)) == "skipped"
    assert condition(journey) == "generating"
    assert "first_received_at" not in journey.metadata()


def test_a_late_first_only_fills_what_is_empty(journey: Journey) -> None:
    attempt = journey.submitted()
    journey.tell(attempt, complete(attempt, track(stream_url=None)))
    before = journey.segment()
    assert before["preview_url"] is None
    assert journey.tell(attempt, first(attempt)) == "ok"
    after = journey.segment()
    assert after["preview_url"] == STREAM.format("A")
    assert after["metadata"]["first_received_at"]
    filled = {"first_received_at", "suno_second_track_id"}
    assert without(after["metadata"], filled) == before["metadata"]
    changed = {"preview_url", "metadata"}
    assert without(after, changed) == without(before, changed)


def test_a_late_first_does_not_replace_the_preview_of_the_stored_track(journey: Journey) -> None:
    attempt = journey.submitted()
    journey.tell(attempt, complete(attempt, track("A", stream_url="https://api.box/a")))
    journey.tell(attempt, first(attempt, track("A", stream_url="https://api.box/other")))
    assert journey.segment()["preview_url"] == "https://api.box/a"
    assert journey.metadata()["first_received_at"]


def test_a_late_first_of_the_other_track_is_skipped(journey: Journey) -> None:
    attempt = journey.submitted()
    journey.tell(attempt, complete(attempt, track("A", stream_url=None)))
    assert journey.tell(attempt, first(attempt, track("B"))) == "skipped"
    assert journey.segment()["preview_url"] is None


# Complete


def test_complete_leaves_a_job_and_the_facts(journey: Journey) -> None:
    attempt = journey.first()
    assert journey.tell(attempt, complete(attempt)) == "ok"
    segment = journey.segment()
    assert segment["status"] == "first"
    assert segment["duration_seconds"] == 198
    facts = segment["metadata"]
    assert facts["complete_received_at"]
    assert facts["suno_track_id"] == "A"
    assert facts["suno_download_url"] == DOWNLOAD.format("A")
    assert facts["suno_second_track_id"] == "B"
    assert facts["suno_second_stream_url"] == STREAM.format("B")
    assert facts["suno_second_download_url"] == DOWNLOAD.format("B")
    assert journey.jobs == [
        {
            "kind": "store",
            "run_id": str(journey.id),
            "segment_id": str(attempt.segment_id),
            "callback_token": str(attempt.token),
            "task_id": attempt.task_id,
            "track_id": "A",
            "download_url": DOWNLOAD.format("A"),
            "trusted": True,
            "others": [
                {
                    "id": "B",
                    "download_url": DOWNLOAD.format("B"),
                    "trusted": True,
                    "duration_seconds": 198.44,
                }
            ],
        }
    ]


def test_an_address_that_suno_must_confirm_is_in_the_job_alone(journey: Journey) -> None:
    attempt = journey.submitted()
    elsewhere = track("A", download_url="https://cdn.example/a.mp3", trusted=False)
    assert journey.tell(attempt, complete(attempt, elsewhere)) == "ok"
    [job] = journey.jobs
    assert (job["download_url"], job["trusted"]) == ("https://cdn.example/a.mp3", False)
    assert "cdn.example" not in str(journey.segment())
    assert "cdn.example" not in str(journey.events())


def test_a_refused_address_is_kept_nowhere_and_fails_the_segment(journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    refused_track = track("A", download_url=None, trusted=False, refused_host="10.0.0.1")
    assert journey.tell(attempt, complete(attempt, refused_track)) == "skipped"
    assert journey.step["action"] == "ask", "anybody may have written that"
    told = complete(attempt, refused_track, source="record_info")
    assert journey.tell(attempt, told) == "ok"
    failure = journey.metadata()["failure"]
    assert (failure["reason"], failure["host"], failure["again"]) == (
        "url_refused",
        "10.0.0.1",
        False,
    )
    assert condition(journey) == "failed"
    assert journey.jobs == []


def test_a_track_with_a_good_address_is_taken_before_one_that_was_refused(
    journey: Journey,
) -> None:
    attempt = journey.submitted()
    bad = track("A", download_url=None, trusted=False, refused_host="10.0.0.1")
    assert journey.tell(attempt, complete(attempt, bad, track("B"))) == "ok"
    assert journey.jobs[0]["track_id"] == "B"


def test_the_track_that_was_heard_first_is_the_one_stored(journey: Journey) -> None:
    attempt = journey.submitted()
    journey.tell(attempt, first(attempt, track("B")))
    journey.tell(attempt, complete(attempt, track("A"), track("B")))
    assert journey.jobs[0]["download_url"] == DOWNLOAD.format("B")
    assert journey.segment()["preview_url"] == STREAM.format("B")
    assert journey.metadata()["suno_second_track_id"] == "A"


def test_when_the_heard_track_has_no_address_its_preview_stays_until_the_other_is_stored(
    world: World, journey: Journey
) -> None:
    attempt = journey.submitted()
    journey.tell(attempt, first(attempt, track("A")))
    journey.tell(attempt, complete(attempt, track("A", download_url=None), track("B")))
    assert journey.jobs[0]["track_id"] == "B"
    assert journey.metadata()["suno_track_id"] == "A"
    assert journey.segment()["preview_url"] == STREAM.format("A")

    path = {"storage_path": "runs/a/b.mp3", "track_id": "B", "duration_seconds": 236.5}
    assert world.service.call("record_track", **attempt.names, **path) == "completed"

    assert journey.metadata()["suno_track_id"] == "B"
    assert journey.segment()["preview_url"] == STREAM.format("B")
    assert journey.segment()["duration_seconds"] == 237


# A task that fails


def test_a_track_that_came_out_whole_outlives_the_failure_of_its_task(journey: Journey) -> None:
    attempt = journey.submitted()
    journey.tell(attempt, first(attempt, track("A")))
    assert journey.tell(attempt, error(attempt, source="record_info")) == "ok"
    assert journey.jobs[0]["track_id"] == "A"
    assert condition(journey) == "first+"


def test_a_track_that_the_failed_record_still_names_is_stored(journey: Journey) -> None:
    attempt = journey.submitted()
    event = error(attempt, source="record_info", tracks=(track("A"),))
    assert journey.tell(attempt, event) == "ok"
    assert journey.jobs[0]["track_id"] == "A"


def test_words_that_suno_refuses_are_kept_through_every_new_attempt(journey: Journey) -> None:
    journey.start()
    refusal = SunoError(413, "matches an existing work", again=True, kind="content")
    attempt = journey.submitted()
    journey.tell(attempt, error(attempt, source="record_info", error=refusal))
    failure = journey.metadata()["failure"]
    assert (failure["reason"], failure["code"]) == ("suno_content", 413)
    assert journey.step["action"] == "retry"
    assert journey.retry(attempt=attempt) == "queued"
    assert journey.claim()["refused_prompts"] == 1
    assert journey.metadata()["refused_prompts"][0]["message"] == "matches an existing work"


@pytest.mark.parametrize(
    ("said", "kept"), [(198.44, 198), (198.5, 199), (125, 125), (0.4, 0), (None, None)]
)
def test_a_duration_is_rounded(journey: Journey, said: float | None, kept: int | None) -> None:
    attempt = journey.submitted()
    assert journey.tell(attempt, complete(attempt, track(duration_seconds=said))) == "ok"
    assert journey.segment()["duration_seconds"] == kept


def test_what_was_planned_is_never_overwritten(journey: Journey) -> None:
    journey.complete()
    assert journey.metadata()["planned_seconds"] == 360


def test_the_runbook_s_own_shape_names_neither_task_nor_track(journey: Journey) -> None:
    attempt = journey.claimed()
    assert journey.tell(attempt, first(attempt, track(None), task_id=None)) == "ok"
    assert journey.tell(attempt, complete(attempt, track(None), task_id=None)) == "ok"
    assert condition(journey) == "first+"
    [job] = journey.jobs
    assert (job["task_id"], job["track_id"]) == (None, None)
    assert journey.segment()["suno_task_id"] is None


def test_complete_without_music_is_asked_about_not_believed(journey: Journey) -> None:
    attempt = journey.submitted()
    assert journey.tell(attempt, complete(attempt, SunoTrack(id="A"))) == "skipped"
    assert condition(journey) == "generating"
    assert journey.jobs == []
    assert journey.metadata()["ask_at"]


def test_what_was_in_metadata_stays(world: World, journey: Journey) -> None:
    world.postgres.do(
        """update public.parcours_segments set metadata = metadata || '{"mine": [1, 2]}'"""
    )
    attempt = journey.complete()
    assert journey.metadata()["mine"] == [1, 2]
    assert journey.metadata()["title"] == "Part 0"
    assert journey.metadata()["suno_download_url"] == DOWNLOAD.format("A")
    assert attempt.segment_id


# Error


def test_an_error_says_why(journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    journey.tell(attempt, error(attempt))
    failure = journey.metadata()["failure"]
    assert without(failure, {"at"}) == {
        "reason": "suno_error",
        "code": 501,
        "message": "generation failed",
        "again": True,
    }
    [event] = journey.events("segment.failed")
    assert event["detail"] == without(failure, {"at"}) | {"attempt": 1}


def test_an_error_that_another_attempt_cannot_mend_is_final(journey: Journey) -> None:
    journey.start()
    attempt = journey.submitted()
    journey.tell(attempt, error(attempt, again=False))
    assert journey.metadata()["failure"]["again"] is False
    assert journey.step["segment_id"] == journey.segment_id(1)


def test_an_error_with_nothing_in_it_is_an_error(journey: Journey) -> None:
    attempt = journey.submitted()
    told = other("error", attempt, source="record_info")
    assert journey.tell(attempt, told) == "ok"
    assert condition(journey) == "failed"


def test_after_three_attempts_none_is_made_by_itself(journey: Journey) -> None:
    journey.start()
    for again in (True, True, False):
        attempt = journey.submitted()
        journey.tell(attempt, error(attempt))
        assert journey.metadata()["failure"]["again"] is again
        if again:
            assert journey.retry(attempt=attempt) == "queued"


# The run


def test_music_that_comes_after_the_time_out_heals_the_run(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    attempt = journey.failed(reason="timeout")
    assert journey.release()
    assert journey.status == "failed"
    assert journey.tell(attempt, complete(attempt)) == "ok"
    assert journey.keep(attempt) == "completed"
    assert journey.status == "ready"
    assert condition(journey) == "complete"
    assert "failure" not in journey.metadata()
    [event] = journey.events("segment.delivered")
    assert event["detail"]["late"] is True


def test_a_run_whose_last_segment_fails_by_an_error_fails(world: World) -> None:
    journey = create_journey(world, segments=2)
    journey.complete(0)
    attempt = journey.submitted(1)
    journey.tell(attempt, error(attempt, again=False))
    assert journey.status == "failed"


def test_what_suno_answers_when_asked_takes_the_same_way(journey: Journey) -> None:
    attempt = journey.submitted()
    assert journey.tell(attempt, complete(attempt, source="record_info")) == "ok"
    assert condition(journey) == "generating+"
    assert journey.metadata()["asked_at"]
    [event] = journey.events("segment.delivered")
    assert event["detail"]["source"] == "record_info"


@pytest.mark.parametrize("event", [{}, {"stage": None}, {"stage": "first"}, {"stage": "complete"}])
def test_an_event_with_nothing_in_it_changes_no_status(
    world: World, journey: Journey, event: dict[str, Any]
) -> None:
    attempt = journey.submitted()
    world.service.call("record_callback", **attempt.names, event=event)
    assert condition(journey) == "generating"
