"""parcours_events: what happened, in order, and never rewritten."""

import pytest

from tests.sql.callers import refused
from tests.sql.journeys import Journey, complete, create_journey
from tests.sql.world import World


@pytest.mark.parametrize(
    "statement", ["update {} set what = 'x' where true", "delete from {} where true", "truncate {}"]
)
@pytest.mark.parametrize(("name", "sqlstate"), [("service_role", "42501"), ("postgres", "PT409")])
def test_nobody_rewrites_what_happened(
    world: World, journey: Journey, name: str, sqlstate: str, statement: str
) -> None:
    before = journey.events()
    with refused(sqlstate):
        world.caller(name).connection.execute(statement.format("public.parcours_events").encode())
    assert journey.events() == before != []


def test_emptying_the_runs_does_not_empty_what_happened(world: World, journey: Journey) -> None:
    with refused("PT409"):
        world.postgres.do("truncate public.parcours_runs cascade")
    assert journey.events()


@pytest.mark.parametrize("name", ["service_role", "postgres"])
def test_erasing_a_run_erases_its_events_and_no_others(world: World, name: str) -> None:
    erased, kept = create_journey(world), create_journey(world)
    erased.start()
    erased.first()
    world.caller(name).do("delete from public.parcours_runs where id = %s", erased.id)
    assert erased.events() == []
    assert [event["what"] for event in kept.events()] == ["run.created"]


def test_a_whole_journey_reads_as_it_went(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    attempt = journey.first()
    journey.tell(attempt, complete(attempt))
    journey.keep(attempt)
    assert [(event["what"], event["detail"]) for event in journey.events()] == [
        (
            "run.created",
            {"preset_key": "00-universel-reset", "segments": 1, "brief_source": "curated"},
        ),
        ("run.started", {"pending": 1}),
        ("segment.claimed", {"attempt": 1, "credits": 12}),
        ("segment.submitted", {"task_id": attempt.task_id}),
        ("segment.first", {"source": "callback"}),
        ("segment.delivered", {"source": "callback", "late": False}),
        ("segment.complete", {"stored": True}),
        ("run.ready", {}),
    ]


def test_no_event_holds_a_token_or_an_address(world: World) -> None:
    journey = create_journey(world, segments=1)
    journey.start()
    attempt = journey.complete()
    told = str(journey.events())
    assert str(attempt.token) not in told
    assert "https://" not in told


def test_events_are_told_in_the_order_they_happened(world: World, journey: Journey) -> None:
    journey.start()
    journey.complete()
    times = world.postgres.rows("select happened_at from public.parcours_events order by id")
    assert times == sorted(times, key=lambda row: row["happened_at"])


def test_a_failed_run_that_is_made_again_says_so_once(world: World) -> None:
    for resume in (Journey.start, Journey.claim, Journey.retry):
        journey = create_journey(world, segments=1)
        journey.failed()
        resume(journey)
        journey.start()
        what = [event["what"] for event in journey.events("run.%")]
        assert what.count("run.resumed") == 1
        assert what.index("run.failed") < what.index("run.resumed")
