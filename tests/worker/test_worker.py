"""The ticking clock: woken, kept alive, and stopped without losing anything."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.responses import JSONResponse

from parcours_xl.clients.clients import Clients, open_clients
from parcours_xl.settings import Settings
from parcours_xl.wiring import wire_worker
from parcours_xl.worker import worker
from parcours_xl.worker.worker import Worker
from tests.fixtures.records import NewRun, Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.vendors import Vendor
from tests.fixtures.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

GENERATION, TRACKS = "parcours_generation", "parcours_tracks"


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    """A worker that looks of its own accord once an hour."""
    return make_settings(worker_tick_s=3600)


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(worker.run())
    try:
        yield task
    finally:
        worker.stop()
        await task


def status(records: Records, run: NewRun) -> str:
    return str(records.segment(run.first)["status"])


# Woken


async def test_a_worker_looks_when_it_starts_and_when_it_is_woken(
    make_settings: MakeSettings, relay: Relay, suno: Vendor, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    settings = make_settings(postgrest_url=f"{relay.url}/rest/v1", worker_tick_s=3600)
    async with open_clients(settings) as clients:
        worker = wire_worker(clients, settings)
        async with running(worker):
            await until(lambda: relay.count("/rpc/take_track_jobs") == 1)
            await clients.database.start_run(run.id)
            await asyncio.sleep(0.2)
            assert status(records, run) == "queued"
            worker.wake()
            await until(lambda: status(records, run) == "generating")


async def test_a_worker_looks_at_every_tick(
    clients: Clients, make_settings: MakeSettings, suno: Vendor, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    async with running(wire_worker(clients, make_settings(worker_tick_s=0.1))):
        await asyncio.sleep(0.15)
        await clients.database.start_run(run.id)
        await until(lambda: status(records, run) == "generating")


async def test_the_end_of_one_job_is_the_sign_to_look_for_the_next(
    clients: Clients, settings: Settings, run: NewRun, records: Records
) -> None:
    """Storing the last track makes the run due, and nobody else rings."""
    async with running(wire_worker(clients, settings)):
        await until(lambda: records.run(run.id)["status"] == "ready")
        await until(lambda: not records.jobs(GENERATION, run.id))


async def test_many_workers_share_the_work(
    clients: Clients, settings: Settings, suno: Vendor, make_run: MakeRun
) -> None:
    runs = [await make_run() for _ in range(8)]
    for run in runs:
        await clients.database.start_run(run.id)
    tallies = await asyncio.gather(*(wire_worker(clients, settings).work_once() for _ in range(4)))
    assert sum(tally["submitted"] for tally in tallies) == 8
    assert [len(suno.tasks_of(run.first)) for run in runs] == [1] * 8


# The lease


async def test_the_lease_is_kept_as_long_as_a_transfer_runs(
    clients: Clients,
    settings: Settings,
    suno: Vendor,
    run: NewRun,
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "LEASE_S", 2)
    monkeypatch.setattr(worker, "LEASE_RENEWAL_S", 0.2)
    suno.fail("slow_download", delay_s=4.2, bytes_a_second=10_000_000)
    slow = asyncio.create_task(wire_worker(clients, settings).work_once())
    await until(lambda: records.jobs(TRACKS, run.id)[0]["read_ct"] == 1)
    others = wire_worker(clients, settings)
    while not slow.done():
        # Once the track is stored, whoever looks first may settle the run.
        assert set(await others.work_once()) <= {"settled"}
        await asyncio.sleep(0.1)
    assert dict(await slow) == {"stored": 1}
    assert not records.jobs(TRACKS, run.id)


async def test_without_a_worker_that_keeps_it_a_lease_ends(
    clients: Clients, settings: Settings, run: NewRun, records: Records
) -> None:
    """As after kill -9: whoever took the job never comes back."""
    await clients.database.take_track_jobs(1, 60)
    assert not await wire_worker(clients, settings).work_once()
    records.make_due(run.id)
    assert dict(await wire_worker(clients, settings).work_once()) == {"stored": 1}


async def test_a_lease_that_cannot_be_kept_does_not_end_the_transfer(
    make_settings: MakeSettings,
    relay: Relay,
    suno: Vendor,
    run: NewRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "LEASE_RENEWAL_S", 0.05)
    relay.broken["/rpc/postpone_job"] = JSONResponse({"message": "upstream"}, 503)
    suno.fail("slow_download", delay_s=0.3, bytes_a_second=10_000_000)
    settings = make_settings(postgrest_url=f"{relay.url}/rest/v1")
    async with open_clients(settings) as clients:
        assert dict(await wire_worker(clients, settings).work_once()) == {"stored": 1}
    assert relay.count("/rpc/postpone_job") > 1


# Stopped


async def test_what_is_under_way_at_a_stop_may_finish(
    clients: Clients, settings: Settings, suno: Vendor, run: NewRun, records: Records
) -> None:
    suno.fail("slow_download", delay_s=0.5, bytes_a_second=10_000_000)
    worker = wire_worker(clients, settings)
    async with running(worker):
        await until(lambda: records.jobs(TRACKS, run.id)[0]["read_ct"] == 1)
    assert status(records, run) == "complete"
    assert not records.jobs(TRACKS, run.id)


async def test_what_does_not_finish_in_time_is_handed_back_at_once(
    clients: Clients,
    settings: Settings,
    suno: Vendor,
    run: NewRun,
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "DRAIN_S_MAX", 0.1)
    suno.fail("slow_download", delay_s=60)
    async with running(wire_worker(clients, settings)):
        await until(lambda: records.jobs(TRACKS, run.id)[0]["read_ct"] == 1)
        began = time.monotonic()
    assert time.monotonic() - began < 20
    (job,) = records.jobs(TRACKS, run.id)
    assert job["waits_s"] <= 0
    assert status(records, run) == "generating"
    suno.recover()
    assert dict(await wire_worker(clients, settings).work_once()) == {"stored": 1}


async def test_a_stopped_worker_takes_nothing_more(
    clients: Clients, settings: Settings, run: NewRun, records: Records
) -> None:
    worker = wire_worker(clients, settings)
    worker.stop()
    await worker.run()
    assert status(records, run) == "generating"
    assert records.jobs(TRACKS, run.id)[0]["read_ct"] == 0


# Supabase away


async def test_a_supabase_that_is_unavailable_is_looked_for_again(
    make_settings: MakeSettings, relay: Relay, suno: Vendor, run: NewRun, records: Records
) -> None:
    relay.broken["/rpc/"] = JSONResponse({"message": "upstream"}, 503)
    settings = make_settings(postgrest_url=f"{relay.url}/rest/v1", worker_tick_s=0.1)
    async with (
        open_clients(settings) as clients,
        running(wire_worker(clients, settings)) as working,
    ):
        await until(lambda: relay.count("/rpc/take_track_jobs") > 2)
        assert not working.done()
        relay.broken.clear()
        await until(lambda: status(records, run) == "complete")


async def test_an_answer_that_nobody_expects_does_not_end_the_worker(
    make_settings: MakeSettings, relay: Relay, suno: Vendor, run: NewRun, records: Records
) -> None:
    relay.broken["/rpc/next_steps"] = JSONResponse({"code": "42883", "message": "what?"}, 404)
    relay.broken["/rpc/record_track"] = JSONResponse({"code": "42883", "message": "what?"}, 404)
    settings = make_settings(postgrest_url=f"{relay.url}/rest/v1", worker_tick_s=0.1)
    async with (
        open_clients(settings) as clients,
        running(wire_worker(clients, settings)) as working,
    ):
        await until(lambda: relay.count("/rpc/record_track"))
        await until(lambda: relay.count("/rpc/next_steps") > 2)
        assert not working.done()
        relay.broken.clear()
        # The broken job is another worker's when its lease ends.
        (job,) = records.jobs(TRACKS, run.id)
        assert 50 < job["waits_s"] <= 60
        records.make_due(run.id)
        await until(lambda: status(records, run) == "complete")
