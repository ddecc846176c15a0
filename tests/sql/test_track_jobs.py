"""take_track_jobs, postpone_job, finish_job: work is leased, and a receipt says whose it is."""

import threading
from uuid import UUID

import pytest

from tests.sql.callers import Caller, Row, refused
from tests.sql.journeys import DOWNLOAD, Journey, complete, create_journey
from tests.sql.world import World

TRACKS, GENERATION = "parcours_tracks", "parcours_generation"


def take(caller: Caller, quantity: int = 10, lease_s: int = 60) -> list[Row]:
    return list(caller.call("take_track_jobs", quantity=quantity, lease_s=lease_s))


def postpone(world: World, job: Row, seconds: int, queue: str = TRACKS) -> bool:
    receipt = {"msg_id": job["msg_id"], "read_ct": job["read_ct"]}
    return bool(world.service.call("postpone_job", queue=queue, **receipt, seconds=seconds))


def finish(world: World, job: Row, queue: str = TRACKS) -> bool:
    receipt = {"msg_id": job["msg_id"], "read_ct": job["read_ct"]}
    return bool(world.service.call("finish_job", queue=queue, **receipt))


def test_without_jobs_there_is_nothing_to_take(world: World) -> None:
    assert take(world.service) == []


def test_a_job_says_what_to_store_and_for_whom(world: World, journey: Journey) -> None:
    attempt = journey.storing()
    [job] = take(world.service)
    assert job == {
        "kind": "store",
        "run_id": str(journey.id),
        "segment_id": str(attempt.segment_id),
        "callback_token": str(attempt.token),
        "task_id": attempt.task_id,
        "track_id": "A",
        "download_url": DOWNLOAD.format("A"),
        "trusted": True,
        "announced_seconds": 198,
        "delivered_s": pytest.approx(0, abs=30),
        "others": job["others"],
        "current": True,
        "gone": False,
        "msg_id": job["msg_id"],
        "read_ct": 1,
    }


def test_no_more_is_taken_than_was_asked_for(world: World, journey: Journey) -> None:
    for index in range(3):
        journey.storing(index)
    assert len(take(world.service, quantity=2)) == 2
    assert len(take(world.service, quantity=2)) == 1


def test_a_job_is_leased_to_one_worker_at_a_time(world: World, journey: Journey) -> None:
    journey.storing()
    assert len(take(world.service)) == 1
    assert take(world.service) == []
    world.let_pass(61)
    [job] = take(world.service)
    assert job["read_ct"] == 2


@pytest.mark.parametrize("how", ["kept", "failed", "retried", "erased"])
def test_the_job_of_an_attempt_that_is_over_is_not_current(
    world: World, journey: Journey, how: str
) -> None:
    attempt = journey.storing()
    if how == "kept":
        journey.keep(attempt)
    elif how == "erased":
        world.postgres.do("delete from public.parcours_runs")
    else:
        journey.fail(attempt, "track_unavailable")
    if how == "retried":
        journey.storing()
    jobs = [job for job in take(world.service) if job["kind"] == "store"]
    assert (jobs[0]["current"], jobs[0]["gone"]) == (False, how == "erased")
    assert [job["current"] for job in jobs[1:]] == ([True] if how == "retried" else [])


def test_the_job_of_late_music_is_current(world: World, journey: Journey) -> None:
    attempt = journey.failed(reason="timeout")
    journey.tell(attempt, complete(attempt))
    [job] = take(world.service)
    assert job["current"] is True


def test_a_job_taken_while_its_callback_commits_is_current(world: World, journey: Journey) -> None:
    """The worker's look begins before the commit, and reads the queue after it."""
    attempt = journey.submitted()
    other, taken = world.another("service_role"), list[Row]()
    looking = threading.Thread(target=lambda: taken.extend(take(other)))
    with world.postgres.connection.transaction():
        world.postgres.do("lock table pgmq.q_parcours_tracks in access exclusive mode")
        looking.start()
        wait_for_lock(world, other)
        event = complete(attempt).as_json()
        world.postgres.call("record_callback", **attempt.names, event=event)
    looking.join(timeout=10)
    assert [job["current"] for job in taken] == [True]


def wait_for_lock(world: World, caller: Caller) -> None:
    """Until a caller waits for a lock that somebody else holds."""
    watcher = world.another("postgres")
    pid = caller.connection.info.backend_pid
    while not watcher.value("select cardinality(pg_blocking_pids(%s)) > 0", pid):
        pass


def test_a_finished_job_is_gone(world: World, journey: Journey) -> None:
    journey.storing()
    [job] = take(world.service)
    assert finish(world, job)
    assert journey.jobs == []
    assert not finish(world, job)
    assert world.postgres.value("select count(*) from pgmq.a_parcours_tracks") == 0


def test_a_job_handed_back_is_there_at_once(world: World, journey: Journey) -> None:
    journey.storing()
    [job] = take(world.service)
    assert postpone(world, job, 0)
    [again] = take(world.service)
    assert (again["msg_id"], again["read_ct"]) == (job["msg_id"], 2)


def test_a_postponed_job_is_there_after_its_pause(world: World, journey: Journey) -> None:
    journey.storing()
    [job] = take(world.service)
    assert postpone(world, job, 16)
    world.let_pass(11)
    assert take(world.service) == []
    world.let_pass(6)
    assert len(take(world.service)) == 1


def test_a_lease_is_extended(world: World, journey: Journey) -> None:
    journey.storing()
    [job] = take(world.service, lease_s=10)
    assert postpone(world, job, 60)
    world.let_pass(30)
    assert take(world.service) == []


def test_a_receipt_is_good_until_somebody_else_has_read_the_message(
    world: World, journey: Journey
) -> None:
    journey.storing()
    [slow] = take(world.service, lease_s=10)
    world.let_pass(11)
    [now] = take(world.service)
    assert not postpone(world, slow, 0)
    assert not finish(world, slow)
    assert take(world.service) == []
    assert finish(world, now)


def test_the_step_of_a_run_is_handed_back_by_its_receipt(world: World, journey: Journey) -> None:
    journey.start()
    [step] = world.service.call("next_steps", quantity=1, lease_s=60)
    assert postpone(world, step, 0, GENERATION)
    [again] = world.service.call("next_steps", quantity=1, lease_s=60)
    assert again["read_ct"] == 2
    assert not postpone(world, step, 0, GENERATION)


@pytest.mark.parametrize("queue", ["other", "parcours_tracks; drop table x", ""])
def test_a_queue_that_is_not_ours_is_refused(world: World, queue: str) -> None:
    receipt = {"queue": queue, "msg_id": 1, "read_ct": 1}
    with refused("PT400"):
        world.service.call("finish_job", **receipt)
    with refused("PT400"):
        world.service.call("postpone_job", **receipt, seconds=0)


def test_jobs_are_taken_in_the_order_of_their_arrival(world: World) -> None:
    journeys = [create_journey(world, segments=1) for _ in range(3)]
    for journey in journeys:
        journey.storing()
    taken = [UUID(job["run_id"]) for job in take(world.service)]
    assert taken == [journey.id for journey in journeys]
