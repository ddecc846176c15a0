"""Tracks are stored with pauses between the tries, and never without an end."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from starlette.responses import JSONResponse

from parcours_xl.clients.clients import Clients, open_clients
from parcours_xl.clients.storage import TrackGone, track_path
from parcours_xl.wiring import wire_worker
from parcours_xl.worker.worker import Worker
from tests.fixtures.delivery import Music, deliver
from tests.fixtures.records import NewRun, Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.vendors import Vendor

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

QUEUE = "parcours_tracks"
PAUSES_S = (2, 4, 8, 16, 30)
BROKEN_TRIES_MAX = 8
"""As parcours.broken_tries_max() has it."""


@pytest.fixture
async def shaky(make_settings: MakeSettings, relay: Relay) -> AsyncIterator[tuple[Worker, Clients]]:
    """A worker with something before Storage that may break."""
    settings = make_settings(supabase_url=relay.url)
    async with open_clients(settings) as clients:
        yield wire_worker(clients, settings), clients


async def tries(worker: Worker, records: Records, run: NewRun) -> list[float]:
    """Work until the job is gone; how long it was handed back after each try, in seconds."""
    pauses: list[float] = []
    for _ in range(20):
        await worker.work_once()
        jobs = records.jobs(QUEUE, run.id)
        if not jobs:
            return pauses
        pauses.append(jobs[0]["waits_s"])
        records.make_due(run.id)
    pytest.fail("the job is never done")


def about(pauses: list[float], expected: tuple[float, ...]) -> bool:
    return len(pauses) == len(expected) and all(
        wanted - 2 < pause <= wanted for pause, wanted in zip(pauses, expected, strict=True)
    )


def struck(suno: Vendor, fault: str) -> int:
    """How often a fault that is still in force has hit."""
    (found,) = [known for known in suno.state()["faults"] if known["fault"] == fault]
    return int(found["struck"])


async def test_a_stored_track_ends_its_job(worker: Worker, records: Records, run: NewRun) -> None:
    assert dict(await worker.work_once()) == {"stored": 1}
    assert not records.jobs(QUEUE, run.id)
    assert records.segment(run.first)["status"] == "complete"


async def test_a_host_out_of_service_is_tried_again_after_longer_and_longer_pauses(
    worker: Worker, suno: Vendor, records: Records, run: NewRun
) -> None:
    suno.fail("missing", status=503, times=0)
    assert about(await tries(worker, records, run), PAUSES_S)
    row = records.segment(run.first)
    assert row["status"] == "failed"
    assert row["metadata"]["failure"]["reason"] == "track_away"
    assert row["metadata"]["failure"]["again"] is True
    suno.recover()
    records.make_due(run.id)
    assert dict(await worker.work_once()) == {"queued": 1}


async def test_a_job_that_has_failed_once_is_told_of_until_it_is_done(
    worker: Worker, clients: Clients, suno: Vendor, records: Records, run: NewRun
) -> None:
    async def failing() -> int:
        [queue] = [one for one in await clients.queries.read_queues() if one.queue == QUEUE]
        assert queue.failing_s >= 0
        return queue.failing

    before = await failing()
    suno.fail("missing", status=503, times=1)
    await worker.work_once()
    assert await failing() == before + 1
    records.make_due(run.id)
    assert dict(await worker.work_once()) == {"stored": 1}
    assert await failing() == before


async def test_a_host_that_comes_back_costs_no_attempt(
    worker: Worker, suno: Vendor, records: Records, run: NewRun
) -> None:
    suno.fail("missing", status=503, times=3)
    assert about(await tries(worker, records, run), PAUSES_S[:3])
    row = records.segment(run.first)
    assert (row["status"], row["metadata"]["attempts"]) == ("complete", 1)
    assert row["storage_path"] == track_path(run.id, run.first)


async def test_a_storage_that_stays_unavailable_costs_no_listener_the_music(
    shaky: tuple[Worker, Clients], relay: Relay, records: Records, run: NewRun, music: Music
) -> None:
    relay.broken["/storage/v1"] = JSONResponse({"message": "upstream"}, 503)
    assert about(await tries(shaky[0], records, run), PAUSES_S)
    row = records.segment(run.first)
    assert (row["status"], row["storage_path"]) == ("complete", None)
    assert row["final_url"] == music.urls[0]


async def test_the_pauses_are_a_setting(
    make_settings: MakeSettings, clients: Clients, suno: Vendor, records: Records, run: NewRun
) -> None:
    suno.fail("missing", status=503, times=0)
    worker = wire_worker(clients, make_settings(storing_pauses_s=(1,)))
    assert about(await tries(worker, records, run), (1,))
    assert records.segment(run.first)["status"] == "failed"


async def test_the_track_of_an_attempt_that_is_over_is_not_even_fetched(
    worker: Worker, clients: Clients, suno: Vendor, records: Records, run: NewRun
) -> None:
    token = records.segment(run.first)["callback_token"]
    await clients.database.fail_segment(run.first, token, "track_away")
    suno.fail("missing", status=503)
    assert (await worker.work_once())["late"] == 1
    assert not records.jobs(QUEUE, run.id)
    assert struck(suno, "missing") == 0
    with pytest.raises(TrackGone):
        await clients.storage.sign(track_path(run.id, run.first))


async def test_the_track_of_an_erased_run_is_not_even_fetched(
    worker: Worker, suno: Vendor, records: Records, run: NewRun
) -> None:
    records.do("delete from public.parcours_runs where id = %s", run.id)
    suno.fail("missing", status=503)
    assert set(await worker.work_once()) == {"erased"}
    assert not records.jobs(QUEUE, run.id)
    assert struck(suno, "missing") == 0


async def test_a_job_that_breaks_stops_no_other(
    shaky: tuple[Worker, Clients],
    clients: Clients,
    relay: Relay,
    make_run: MakeRun,
    music: Music,
    records: Records,
    run: NewRun,
) -> None:
    other = await make_run()
    await deliver(clients, other, music)
    relay.broken[f"/runs/{run.id}"] = JSONResponse({"message": "upstream"}, 503)
    assert dict(await shaky[0].work_once()) == {"handed_back": 1, "stored": 1}
    assert records.segment(other.first)["status"] == "complete"


@pytest.mark.parametrize("message", [{"others": 5}, {"others": [{"id": 5}]}])
async def test_a_job_that_only_the_worker_cannot_read_stops_no_other(
    worker: Worker,
    clients: Clients,
    make_run: MakeRun,
    music: Music,
    records: Records,
    run: NewRun,
    message: dict[str, Any],
) -> None:
    other = await make_run()
    await deliver(clients, other, music)
    records.do(
        "update pgmq.q_parcours_tracks set message = message || %s where message->>'run_id' = %s",
        Jsonb(message),
        str(run.id),
    )
    assert dict(await worker.work_once()) == {"stored": 1}
    assert records.segment(other.first)["status"] == "complete"
    for _ in range(BROKEN_TRIES_MAX + 1):
        records.make_due(run.id)
        await worker.work_once()
    assert records.jobs(QUEUE, run.id) == []
    aside = records.one("select queue, reason from parcours.dead_letters")
    assert aside == {"queue": QUEUE, "reason": "broke"}


async def test_a_job_that_always_breaks_has_an_end(
    make_settings: MakeSettings, relay: Relay, suno: Vendor, records: Records, run: NewRun
) -> None:
    """PostgREST says something that no function of ours ever says."""
    relay.broken["/rpc/record_track"] = JSONResponse({"code": "42883", "message": "what?"}, 404)
    settings = make_settings(postgrest_url=f"{relay.url}/rest/v1", storing_pauses_s=(1, 1))
    async with open_clients(settings) as clients:
        worker = wire_worker(clients, settings)
        for _ in range(2):
            assert dict(await worker.work_once()) == {"broken": 1}
            assert records.segment(run.first)["status"] == "generating"
            records.make_due(run.id)
        assert (await worker.work_once())["failed"] == 1
    assert records.segment(run.first)["metadata"]["failure"]["reason"] == "storing_broke"
    assert records.run(run.id)["status"] == "failed"
    assert not records.jobs(QUEUE, run.id)


async def test_no_more_tracks_are_taken_than_may_be_transferred(
    make_settings: MakeSettings, clients: Clients, make_run: MakeRun, music: Music
) -> None:
    for _ in range(3):
        await deliver(clients, await make_run(), music)
    worker = wire_worker(clients, make_settings(transfers_max=2))
    assert (await worker.work_once())["stored"] == 2
    assert (await worker.work_once())["stored"] == 1
