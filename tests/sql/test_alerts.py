"""Alerts are kept from their beginning to their end; jobs that are given up are kept aside."""

from typing import Any

import pytest

from tests.sql.journeys import Journey
from tests.sql.world import World


@pytest.fixture(autouse=True)
def _nothing_burns(world: World) -> None:
    for table in ("alerts", "dead_letters"):
        world.postgres.connection.execute(f"delete from parcours.{table}".encode())


def note(world: World, *names: str) -> list[tuple[str, str]]:
    """What is to be told after these fire: (name, what)."""
    firing = [{"name": name, "says": f"{name} is high"} for name in names]
    answer: list[dict[str, Any]] = world.service.call("update_alerts", firing=firing)
    told = []
    for alert in answer:
        if not alert["told_began"]:
            told.append((alert["name"], "began"))
        if alert["ended_at"]:
            told.append((alert["name"], "ended"))
        world.service.call(
            "record_notification", id=alert["id"], ended=alert["ended_at"] is not None
        )
    return told


def test_a_beginning_and_an_end_are_told_once(world: World) -> None:
    assert note(world, "errors") == [("errors", "began")]
    assert note(world, "errors", "ttfc") == [("ttfc", "began")]
    assert note(world, "errors", "ttfc") == []
    assert note(world, "ttfc") == [("errors", "ended")]
    assert note(world) == [("ttfc", "ended")]
    assert note(world) == []
    assert note(world, "errors") == [("errors", "began")]


def test_what_could_not_be_told_is_told_the_next_time(world: World) -> None:
    firing = [{"name": "errors", "says": "high"}]
    world.service.call("update_alerts", firing=firing)
    [untold] = world.service.call("update_alerts", firing=firing)
    assert untold["told_began"] is False
    assert note(world) == [("errors", "began"), ("errors", "ended")]


def test_the_end_of_what_fired_for_days_is_told(world: World) -> None:
    assert note(world, "errors") == [("errors", "began")]
    world.postgres.do("update parcours.alerts set fired_at = fired_at - interval '3 days'")
    assert note(world, "errors") == []
    assert note(world) == [("errors", "ended")]


def test_a_beginning_that_nobody_took_for_days_is_told_while_it_fires(world: World) -> None:
    firing = [{"name": "errors", "says": "high"}]
    world.service.call("update_alerts", firing=firing)
    world.postgres.do("update parcours.alerts set fired_at = fired_at - interval '3 days'")
    assert note(world, "errors") == [("errors", "began")]


def test_an_end_that_nobody_took_for_a_day_is_told_no_more(world: World) -> None:
    note(world, "errors")
    world.service.call("update_alerts", firing=[])
    world.postgres.do("update parcours.alerts set resolved_at = resolved_at - interval '25 hours'")
    assert note(world) == []


def test_the_newest_figure_is_the_one_that_is_told(world: World) -> None:
    world.service.call("update_alerts", firing=[{"name": "errors", "says": "11 %"}])
    [untold] = world.service.call("update_alerts", firing=[{"name": "errors", "says": "40 %"}])
    assert untold["says"] == "40 %"


def test_the_last_reading_of_the_credits_is_kept(world: World) -> None:
    for value in (400, 388.5):
        world.service.call("record_credits", credits=value)
    gauges = world.service.call("read_snapshot", since="2026-01-01T00:00:00Z")
    assert gauges["credits"] == 388.5
    assert gauges["credits_read_at"]
    assert gauges["jobs_given_up"] == 0


def test_a_refused_account_is_reported(world: World, journey: Journey) -> None:
    journey.start()
    journey.refuse(journey.claimed(), "account", 429)
    gauges = world.service.call("read_snapshot", since="2026-01-01T00:00:00Z")
    assert gauges["account_refused_at"]
    assert not world.service.call("read_snapshot", since="2199-01-01T00:00:00Z")[
        "account_refused_at"
    ]
