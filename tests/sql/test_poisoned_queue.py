"""A message that nobody can read, or that breaks whoever takes it, stops none behind it."""

from typing import Any
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.sql.callers import Row, refused
from tests.sql.journeys import Journey, complete, create_journey
from tests.sql.world import LIMITS, World

GENERATION, TRACKS = "parcours_generation", "parcours_tracks"
RUN = str(uuid4())
STORE: dict[str, Any] = {
    "kind": "store",
    "run_id": RUN,
    "segment_id": str(uuid4()),
    "callback_token": str(uuid4()),
    "task_id": "task",
    "track_id": "A",
    "download_url": "https://api.box/x.mp3",
    "trusted": True,
}

UNREADABLE = [
    *(None, {}, [], "x", 7, True, [RUN], {"run_id": "x"}, {"run_id": None}, {"run_id": [RUN]}),
    *({"run_id": RUN[:-1]}, {"run_id": RUN + " "}, {"run_id": 5}),
]
UNREADABLE_TRACKS = [
    *UNREADABLE,
    {"run_id": RUN},
    {"run_id": RUN, "kind": "sing"},
    *(STORE | {name: 7} for name in ("segment_id", "callback_token", "download_url", "task_id")),
    *({key: STORE[key] for key in STORE if key != name} for name in ("trusted", "download_url")),
    STORE | {"request_id": {}},
]

TAKE = {GENERATION: "next_steps", TRACKS: "take_track_jobs"}


def send(world: World, queue: str, message: Any) -> None:
    """As anybody may who can write into the queue."""
    if queue == GENERATION:
        query = "insert into pgmq.q_parcours_generation (vt, message) values (now(), %s)"
        world.postgres.do(query, Jsonb(message))
    else:
        query = "insert into pgmq.q_parcours_tracks (vt, message) values (now(), %s)"
        world.postgres.do(query, Jsonb(message))


def take(world: World, queue: str, quantity: int = 50) -> list[Row]:
    return list(world.service.call(TAKE[queue], quantity=quantity, lease_s=60))


def aside(world: World) -> list[Row]:
    return world.postgres.rows("select queue, reason from parcours.dead_letters order by id")


@pytest.mark.parametrize(
    ("queue", "messages"), [(GENERATION, UNREADABLE), (TRACKS, UNREADABLE_TRACKS)]
)
def test_what_cannot_be_read_goes_aside_and_the_rest_flows(
    world: World, journey: Journey, queue: str, messages: list[Any]
) -> None:
    for message in messages:
        send(world, queue, message)
    journey.start()
    if queue == TRACKS:
        journey.storing()
    [job] = take(world, queue)
    assert job["run_id"] == str(journey.id)
    assert aside(world) == [{"queue": queue, "reason": "unreadable"}] * len(messages)
    gauges = world.service.call("read_snapshot", since="2026-01-01T00:00:00Z")
    assert (gauges["jobs_given_up"], gauges["jobs_unreadable"]) == (len(messages), len(messages))


def test_what_cannot_be_read_is_dropped_when_it_is_repaired(world: World) -> None:
    for message in ({"run_id": "x"}, "x", None):
        send(world, GENERATION, message)
    take(world, GENERATION)
    assert world.service.call("requeue_dead_letters") == {"sent": 0, "dropped": 3}
    assert world.service.call("requeue_dead_letters") == {"sent": 0, "dropped": 0}


def break_every_time(world: World, queue: str) -> int:
    """A worker that dies with whatever it takes; how often it could."""
    tries = 0
    while take(world, queue):
        tries += 1
        assert tries < 50, "there is no end to it"
        world.let_pass(61)
    return tries


def test_a_step_that_breaks_every_worker_goes_aside_and_the_others_go_on(
    world: World, journey: Journey
) -> None:
    journey.start()
    assert break_every_time(world, GENERATION) == 9
    assert aside(world) == [{"queue": GENERATION, "reason": "broke"}]
    other = create_journey(world)
    other.start()
    [step] = take(world, GENERATION)
    assert step["run_id"] == str(other.id)

    unheld = world.service.call("find_runs", kind="unheld", limits=LIMITS | {"stuck_s": 0})
    assert unheld == [], "nobody puts it in hand again unasked, to break the next worker"
    assert world.service.call("requeue_dead_letters") == {"sent": 1, "dropped": 0}
    [step] = take(world, GENERATION)
    assert step["run_id"] == str(journey.id)


def test_a_run_that_was_asked_for_meanwhile_is_not_sent_twice(
    world: World, journey: Journey
) -> None:
    journey.start()
    break_every_time(world, GENERATION)
    journey.start()
    assert world.service.call("requeue_dead_letters") == {"sent": 0, "dropped": 1}
    [step] = take(world, GENERATION)
    assert step["run_id"] == str(journey.id)


def test_a_run_that_was_erased_meanwhile_is_not_sent_again(world: World, journey: Journey) -> None:
    journey.start()
    break_every_time(world, GENERATION)
    world.postgres.do("delete from public.parcours_runs where id = %s", journey.id)
    assert world.service.call("requeue_dead_letters") == {"sent": 0, "dropped": 1}


def test_a_job_that_breaks_every_worker_goes_aside(world: World, journey: Journey) -> None:
    journey.start()
    journey.storing()
    assert break_every_time(world, TRACKS) == 9
    unstored = world.service.call("find_segments", kind="unstored", limits=LIMITS | {"stuck_s": 0})
    assert unstored == [], "it waits for the doctor, not for another job"
    assert world.service.call("requeue_dead_letters") == {"sent": 1, "dropped": 0}
    [job] = take(world, TRACKS)
    assert job["current"]


@pytest.mark.parametrize("queue", [GENERATION, TRACKS])
def test_what_is_handed_back_has_broken_nobody(world: World, journey: Journey, queue: str) -> None:
    journey.start()
    if queue == TRACKS:
        journey.storing()
    for _ in range(30):
        [job] = take(world, queue)
        receipt = {"msg_id": job["msg_id"], "read_ct": job["read_ct"]}
        asked = {"queue": queue, "seconds": 0, "handed_back": True}
        assert world.service.call("postpone_job", **receipt, **asked)
    assert aside(world) == []


def test_a_run_that_is_asked_about_for_years_has_broken_nobody(
    world: World, journey: Journey
) -> None:
    journey.start()
    attempt = journey.submitted()
    for _ in range(30):
        world.let_pass(3601)
        take(world, GENERATION)
        journey.release()
    assert aside(world) == []
    assert journey.tell(attempt, complete(attempt)) == "ok"


def test_rows_that_cannot_be_read_set_their_run_aside_alone(world: World, journey: Journey) -> None:
    journey.start()
    journey.submitted()
    world.postgres.do(
        "update public.parcours_segments set metadata = metadata || %s where id = %s",
        Jsonb({"claimed_at": "yesterday, about noon"}),
        journey.segment_id(),
    )
    other = create_journey(world)
    other.start()
    world.let_pass_of_queues(3600)
    [step] = take(world, GENERATION)
    assert step["run_id"] == str(other.id)
    assert aside(world) == [{"queue": GENERATION, "reason": "broke"}]


def test_the_message_of_a_run_goes_only_with_the_run_s_release(
    world: World, journey: Journey
) -> None:
    """Whoever finished it otherwise would leave segments under way that nobody looks after."""
    journey.start()
    journey.submitted()
    world.let_pass(91)
    [step] = take(world, GENERATION)
    receipt = {"msg_id": step["msg_id"], "read_ct": step["read_ct"]}
    with refused("PT400"):
        world.service.call("finish_job", queue=GENERATION, **receipt)
    assert len(journey.messages) == 1


def test_a_message_that_was_lost_is_sent_anew_by_whoever_asks_for_the_run(
    world: World, journey: Journey
) -> None:
    journey.start()
    world.postgres.do("delete from pgmq.q_parcours_generation where true")
    journey.start()
    [step] = take(world, GENERATION)
    assert step["run_id"] == str(journey.id)


# Whose turn it is


def test_what_is_handed_back_stands_behind_what_has_come_since(world: World) -> None:
    old, young = create_journey(world), create_journey(world)
    old.start()
    [step] = take(world, GENERATION, 1)
    young.start()
    receipt = {"msg_id": step["msg_id"], "read_ct": step["read_ct"], "queue": GENERATION}
    world.service.call("postpone_job", **receipt, seconds=0, handed_back=True)
    [first] = take(world, GENERATION, 1)
    assert first["run_id"] == str(young.id)


def test_whoever_has_asked_the_least_of_suno_comes_first(world: World) -> None:
    journeys = [create_journey(world) for _ in range(5)]
    for journey in journeys:
        journey.start()
    journeys[0].claimed()
    neighbour = create_journey(world)
    stranger = "00000000-0000-4000-8000-00000000000b"
    world.postgres.do(
        "update public.parcours_runs set user_id = %s where id = %s", stranger, neighbour.id
    )
    neighbour.start()
    [first] = take(world, GENERATION, 1)
    assert first["run_id"] == str(neighbour.id)
    world.let_pass(601)
    [first] = take(world, GENERATION, 1)
    assert first["run_id"] != str(neighbour.id), "what was long ago does not count"
