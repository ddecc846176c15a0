"""rewrite_run: the brief of a run whose first segment was begun while it was being written."""

from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.sql.callers import Row, refused
from tests.sql.concurrency import at_once
from tests.sql.journeys import Journey, creation, plans
from tests.sql.world import LIMITS, World

UNWRITTEN = creation()["metadata"] | {"brief_reason": "being_written", "waited_s": 0.1}
WORDS = {"title": "La rive", "brief": {"fr": "Doucement.", "en": "Softly."}}
WRITTEN = WORDS | {"brief_source": "openai", "brief_model": "gpt-4o-mini", "openai_tokens": 1500}


def begin(world: World) -> Journey:
    """A run of three segments whose brief is being written."""
    answer = world.service.call("create_run", **creation(metadata=UNWRITTEN))
    return Journey(world, UUID(answer["run_id"]), LIMITS)


def brief(later: int) -> dict[str, Any]:
    """A brief with so many segments after the first."""
    listed = [
        {"prompt": f"soft harp, {place}", "title": f"Suite {place}", "planned_seconds": 300}
        for place in range(1, later + 1)
    ]
    return {"metadata": WRITTEN, "brief": "Doucement.", "segments": listed}


def rewrite(journey: Journey, later: int = 2, **others: Any) -> Row:
    asked = brief(later) | others
    return dict(journey.world.service.call("rewrite_run", run_id=journey.id, **asked))


def pieces(journey: Journey) -> list[Row]:
    """Its segments, however many there are now."""
    return journey.world.postgres.rows(
        "select * from public.parcours_segments where run_id = %s order by segment_index",
        journey.id,
    )


def prompts(journey: Journey) -> list[str]:
    return [segment["prompt"] for segment in pieces(journey)]


CURATED = [plan["prompt"] for plan in plans(3)]


@pytest.mark.parametrize("later", [2, 3])
def test_a_brief_takes_the_place_of_the_words_after_the_first_piece(
    world: World, later: int
) -> None:
    journey = begin(world)
    answer = rewrite(journey, later)
    assert answer == {
        "run_id": str(journey.id),
        "title": "La rive",
        "brief": "Doucement.",
        "briefs": WORDS["brief"],
        "status": "creating",
        "segments": later + 1,
    }
    assert journey.run["metadata"] == WRITTEN | {"waited_s": 0.1}
    first, *others = pieces(journey)
    assert (first["prompt"], first["metadata"]["title"]) == ("warm piano, 0", "Part 0")
    assert [segment["prompt"] for segment in others] == [
        f"soft harp, {place}" for place in range(1, later + 1)
    ]
    assert {segment["metadata"]["planned_seconds"] for segment in others} == {300}
    assert [segment["segment_index"] for segment in pieces(journey)] == list(range(later + 1))


def test_fewer_pieces_may_follow(world: World) -> None:
    journey = begin(world)
    assert rewrite(journey, 1)["segments"] == 2
    assert len(pieces(journey)) == 2


def test_the_first_piece_may_be_under_way(world: World) -> None:
    journey = begin(world)
    attempt = journey.submitted(0)
    assert rewrite(journey)["title"] == "La rive"
    first = pieces(journey)[0]
    assert (first["status"], first["suno_task_id"]) == ("generating", attempt.task_id)
    assert first["prompt"] == "warm piano, 0"


def test_a_repeated_brief_changes_nothing(world: World) -> None:
    journey = begin(world)
    answer = rewrite(journey)
    before = pieces(journey), journey.run
    again = rewrite(journey, 3, metadata=WRITTEN | {"title": "Autre"}, brief="Autre.")
    assert again == answer
    assert (pieces(journey), journey.run) == before
    assert [event["what"] for event in journey.events("run.%")] == ["run.created", "run.briefed"]


def test_a_run_that_waits_for_no_brief_keeps_its_own(world: World) -> None:
    answer = world.service.call("create_run", **creation())
    journey = Journey(world, UUID(answer["run_id"]), LIMITS)
    assert rewrite(journey) == answer
    assert prompts(journey) == CURATED


def test_a_cancelled_run_keeps_its_words_and_says_what_was_spent(world: World) -> None:
    journey = begin(world)
    world.service.call("cancel_run", run_id=journey.id)
    assert rewrite(journey)["title"] == "Retour au calme"
    known = journey.run["metadata"]
    assert (known["brief_source"], known["brief_reason"]) == ("curated", "cancelled")
    assert known["openai_tokens"] == 1500
    assert prompts(journey) == CURATED


def test_a_later_piece_that_was_attempted_keeps_the_journey_as_it_is(world: World) -> None:
    journey = begin(world)
    journey.submitted(2)
    assert rewrite(journey, 3)["segments"] == 3
    assert prompts(journey) == CURATED
    assert journey.run["metadata"]["brief_reason"] == "late"


def test_no_brief_says_why(world: World) -> None:
    journey = begin(world)
    why = {"brief_source": "curated", "brief_reason": "timeout", "openai_tokens": 40}
    answer = rewrite(journey, metadata=why, brief=None, segments=None)
    assert (answer["title"], answer["segments"]) == ("Retour au calme", 3)
    assert journey.run["metadata"] == UNWRITTEN | why
    assert prompts(journey) == CURATED
    [event] = journey.events("run.briefed")
    assert event["detail"] == {"brief_source": "curated", "brief_reason": "timeout"}


def test_who_wrote_is_told_once_it_is_known(world: World) -> None:
    journey = begin(world)
    [event] = journey.events("run.created")
    assert event["detail"]["brief_source"] == "being_written"
    rewrite(journey)
    [event] = journey.events("run.briefed")
    assert event["detail"] == {"brief_source": "openai"}


def test_an_unknown_run_is_said(world: World) -> None:
    with refused("PT404"):
        world.service.call("rewrite_run", run_id=uuid4(), metadata=WRITTEN)


def test_a_claim_and_a_brief_that_meet_leave_one_journey(world: World) -> None:
    # Either the claim came first and nothing is rewritten, or it takes what the brief says.
    one, other = world.another("service_role"), world.another("service_role")
    for _ in range(10):
        journey = begin(world)
        claimed, _ = at_once(
            [
                partial(one.call, "claim_segment", limits=LIMITS, segment_id=journey.segment_id(1)),
                partial(other.call, "rewrite_run", run_id=journey.id, **brief(2)),
            ]
        )
        assert claimed["prompt"] == prompts(journey)[1]
        assert (claimed["prompt"] == CURATED[1]) == (prompts(journey) == CURATED)
