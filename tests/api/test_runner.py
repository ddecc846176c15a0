"""parcours-xl-runner: a run is put in hand, at once."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from parcours_dev.supabase.project import LocalProject
from parcours_xl.clients.clients import Clients
from tests.fixtures.records import Records
from tests.fixtures.service import MakeSettings, endpoint, open_service
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.vendors import Vendor
from tests.fixtures.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

RUNNER = endpoint("parcours-xl-runner")
QUEUE = "parcours_generation"


async def start(service: httpx.AsyncClient, run_id: object) -> httpx.Response:
    return await service.post(RUNNER, json={"runId": str(run_id)})


async def test_a_run_is_put_in_hand_at_once(
    service: httpx.AsyncClient, suno: Vendor, make_run: MakeRun, records: Records
) -> None:
    run = await make_run(3)
    answer = await start(service, run.id)
    assert answer.status_code == 202
    assert answer.json() == {
        "ok": True,
        "runId": str(run.id),
        "segments": 3,
        "pending": 3,
        "totalDuration": 900,
    }
    (job,) = records.jobs(QUEUE, run.id)
    assert job["waits_s"] <= 0
    assert not suno.tasks_of(run.first), "the work is a worker's"


async def test_repeated_calls_start_nothing_twice(
    service: httpx.AsyncClient, make_run: MakeRun, records: Records
) -> None:
    run = await make_run(3)
    first = await start(service, run.id)
    answers = await asyncio.gather(*(start(service, run.id) for _ in range(10)))
    assert all(answer.status_code == 202 for answer in answers)
    assert all(answer.json() == first.json() for answer in answers)
    assert len(records.jobs(QUEUE, run.id)) == 1
    assert records.events(run.id) == ["run.created", "run.started"]


async def test_what_is_complete_is_not_pending(
    service: httpx.AsyncClient, make_run: MakeRun, records: Records
) -> None:
    run = await make_run(3)
    records.do(
        "update public.parcours_segments set status = 'complete', duration_seconds = 290"
        " where id = %s",
        run.first,
    )
    assert (await start(service, run.id)).json() == {
        "ok": True,
        "runId": str(run.id),
        "segments": 3,
        "pending": 2,
        "totalDuration": 890,
    }


async def test_a_ready_run_stays_ready(
    service: httpx.AsyncClient, make_run: MakeRun, records: Records
) -> None:
    run = await make_run(2)
    records.do("update public.parcours_segments set status = 'complete' where run_id = %s", run.id)
    records.do("update public.parcours_runs set status = 'ready' where id = %s", run.id)
    answer = await start(service, run.id)
    assert (answer.status_code, answer.json()["pending"]) == (202, 0)
    assert records.run(run.id)["status"] == "ready"
    assert not records.jobs(QUEUE, run.id)


async def test_after_a_failure_the_failed_segments_are_new_attempts(
    service: httpx.AsyncClient, clients: Clients, make_run: MakeRun, records: Records
) -> None:
    run = await make_run(2)
    await clients.database.claim_segment(run.first)
    token = records.segment(run.first)["callback_token"]
    await clients.database.fail_segment(run.first, token, "timeout")
    records.forget_work()
    answer = await start(service, run.id)
    assert (answer.status_code, answer.json()["pending"]) == (202, 2)
    row = records.segment(run.first)
    assert row["status"] == "queued" and row["callback_token"] != token
    assert records.run(run.id)["status"] == "creating"


async def test_when_no_attempt_is_left_it_is_said(
    make_settings: MakeSettings, clients: Clients, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    await clients.database.claim_segment(run.first)
    token = records.segment(run.first)["callback_token"]
    await clients.database.fail_segment(run.first, token, "timeout")
    async with open_service(make_settings(attempts_max=1, attempts_automatic=1)) as service:
        answer = await start(service, run.id)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) == 86_400
    assert records.run(run.id)["status"] == "failed"


async def test_an_unknown_run_is_not_found(service: httpx.AsyncClient) -> None:
    answer = await start(service, uuid4())
    assert (answer.status_code, answer.json()) == (404, {"error": "unknown run"})


async def test_the_services_own_worker_is_woken(
    make_settings: MakeSettings, suno: Vendor, make_run: MakeRun
) -> None:
    """With a tick of an hour, only a wake-up can start the work."""
    run = await make_run()
    async with open_service(make_settings(worker_in_process=True, worker_tick_s=3600)) as service:
        await asyncio.sleep(0.2)
        await start(service, run.id)
        await until(lambda: suno.tasks_of(run.first))


async def test_only_the_service_role_may_when_it_is_said_so(
    make_settings: MakeSettings, make_run: MakeRun, stack: LocalProject
) -> None:
    run = await make_run()
    body = {"runId": str(run.id)}
    async with open_service(make_settings(runner_access="service_role")) as service:
        for headers in ({}, {"apikey": stack.anon_key}, {"Authorization": "Bearer x"}):
            answer = await service.post(RUNNER, json=body, headers=headers)
            assert (answer.status_code, bool(answer.json()["error"])) == (401, True)
        key = stack.service_role_key
        for headers in ({"Authorization": f"Bearer {key}"}, {"apikey": key}):
            assert (await service.post(RUNNER, json=body, headers=headers)).status_code == 202
