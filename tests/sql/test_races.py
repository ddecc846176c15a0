"""What happens at the same time comes to the same as one after the other."""

import time
from collections.abc import Iterator
from functools import partial

import pytest

from parcours_xl.clients.suno_events import SunoEvent
from tests.sql.callers import Caller
from tests.sql.concurrency import at_once
from tests.sql.invariants import check
from tests.sql.journeys import Attempt, Journey, complete, create_journey, error, first
from tests.sql.world import LIMITS, World

# The Suno quota has its own tests.
UNBOUND = {"requests_max": 100_000}
# Known of a track that is delivered, and forgotten when it is stored.
UNTIL_STORED = {"delivered_track_id", "delivered_stream_url"}


@pytest.fixture(scope="module")
def services(shared_world: World) -> list[Caller]:
    return [shared_world.another("service_role") for _ in range(20)]


@pytest.fixture(autouse=True)
def _invariants(world: World) -> Iterator[None]:
    yield
    check(world.postgres)


def tell(service: Caller, attempt: Attempt, event: SunoEvent, after_s: float = 0) -> str:
    time.sleep(after_s)
    answer = service.call("record_callback", **attempt.names, event=event.as_json())
    return str(answer["outcome"])


def keep(service: Caller, journey: Journey, attempt: Attempt) -> str:
    path = journey.path(attempt.segment_id)
    return str(service.call("record_track", **attempt.names, storage_path=path))


def start(service: Caller, journey: Journey) -> int:
    answer = service.call("start_run", run_id=journey.id, limits=LIMITS)
    return int(answer["pending"])


def test_twenty_equal_completes_at_once_leave_one_job(
    world: World, services: list[Caller], journey: Journey
) -> None:
    journey.start()
    attempt = journey.first()
    event = complete(attempt)
    outcomes = at_once([partial(tell, service, attempt, event) for service in services])
    assert sorted(outcomes) == ["ok"] + ["skipped"] * 19
    assert len(journey.jobs) == 1
    assert len(journey.events("segment.delivered")) == 1


HEAD_STARTS_S = (0.0, 0.0, 0.001, -0.001)


def test_first_complete_and_the_task_lose_nothing_in_whatever_order_they_come(
    world: World, services: list[Caller]
) -> None:
    orders = set()
    for trial in range(200):
        journey = create_journey(world, segments=1, limits=UNBOUND)
        journey.start()
        attempt = journey.claimed()
        lead_s = HEAD_STARTS_S[trial % len(HEAD_STARTS_S)]
        at_once(
            [
                partial(tell, services[0], attempt, first(attempt), max(0.0, lead_s)),
                partial(tell, services[1], attempt, complete(attempt), max(0.0, -lead_s)),
                partial(services[2].call, "record_task", **attempt.names, task_id=attempt.task_id),
            ]
        )
        orders.add(
            tuple(e["what"] for e in journey.events("segment.%") if e["detail"].get("source"))
        )
        segment = journey.segment()
        assert set(segment["metadata"]) - UNTIL_STORED - {"heard_at"} == {
            *("title", "planned_seconds", "attempts", "claimed_at"),
            *("first_received_at", "complete_received_at", "suno_track_id", "suno_download_url"),
            *("suno_second_track_id", "suno_second_stream_url", "suno_second_download_url"),
        }
        assert segment["status"] in ("generating", "first")
        assert segment["preview_url"]
        assert segment["suno_task_id"] == attempt.task_id
        assert len(journey.jobs) == 1
        assert keep(services[0], journey, attempt) == "completed"
    assert orders == {
        ("segment.first", "segment.delivered"),
        ("segment.delivered", "segment.first"),
    }


def test_the_last_two_segments_at_once_make_the_run_ready_once(
    world: World, services: list[Caller]
) -> None:
    for _ in range(100):
        journey = create_journey(world, segments=2, limits=UNBOUND)
        journey.start()
        attempts = [journey.storing(0), journey.storing(1)]
        outcomes = at_once(
            [
                partial(keep, service, journey, attempt)
                for service, attempt in zip(services, attempts, strict=False)
            ]
        )
        assert outcomes == ["completed", "completed"]
        assert journey.status == "ready"
        assert len(journey.events("run.ready")) == 1


def test_the_last_two_segments_failing_at_once_make_the_run_failed_once(
    world: World, services: list[Caller]
) -> None:
    for _ in range(50):
        journey = create_journey(world, segments=2, limits=UNBOUND)
        journey.start()
        attempts = [journey.submitted(0), journey.submitted(1)]
        at_once(
            [
                partial(tell, service, attempt, error(attempt, again=False))
                for service, attempt in zip(services, attempts, strict=False)
            ]
        )
        assert journey.status == "failed"
        assert len(journey.events("run.failed")) == 1


def test_started_by_many_at_once_a_run_has_one_message(
    world: World, services: list[Caller]
) -> None:
    for _ in range(20):
        journey = create_journey(world)
        pending = at_once([partial(start, service, journey) for service in services[:6]])
        assert pending == [3] * 6
        assert len(journey.messages) == 1
        assert len(journey.events("run.started")) == 1


def test_starting_and_releasing_at_once_never_leave_a_run_without_its_message(
    world: World, services: list[Caller]
) -> None:
    for _ in range(50):
        journey = create_journey(world, segments=1, limits=UNBOUND)
        journey.start()
        journey.failed(reason="suno_refused")
        at_once(
            [
                partial(start, services[0], journey),
                partial(services[1].call, "release_run", run_id=journey.id),
            ]
        )
        assert len(journey.messages) == 1
        assert journey.step["action"] == "submit"
        world.postgres.do("delete from public.parcours_runs where id = %s", journey.id)


def test_one_message_is_read_by_one_worker(world: World, services: list[Caller]) -> None:
    for _ in range(6):
        create_journey(world).start()
    look = {"quantity": 2, "lease_s": 60}
    taken = at_once([partial(service.call, "next_steps", **look) for service in services[:6]])
    messages = [step["msg_id"] for steps in taken for step in steps]
    assert len(messages) == len(set(messages))
