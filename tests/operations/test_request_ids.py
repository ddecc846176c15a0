"""One request id through function, job and event."""

import json

import httpx
import pytest

from parcours_xl.clients.clients import open_clients
from parcours_xl.wiring import wire_worker
from tests.fixtures.captured_logs import CaptureLogs
from tests.fixtures.records import Records
from tests.fixtures.service import MakeSettings, endpoint
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.vendors import Vendor

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]


def ids_of(records: Records, run_id: object) -> dict[str, str | None]:
    rows = records.all(
        "select what, detail->>'request_id' as id from parcours_events"
        " where run_id = %s order by id",
        run_id,
    )
    return {row["what"]: row["id"] for row in rows}


async def test_what_a_request_sets_going_carries_its_id_to_the_end(
    make_settings: MakeSettings,
    service: httpx.AsyncClient,
    make_run: MakeRun,
    records: Records,
    suno: Vendor,
    capture_logs: CaptureLogs,
) -> None:
    run = await make_run()
    answer = await service.post(endpoint("parcours-xl-runner"), json={"runId": str(run.id)})
    request_id = answer.headers["X-Request-Id"]
    (job,) = records.jobs("parcours_generation", run.id)
    assert job["message"]["request_id"] == request_id

    log = capture_logs("json", "debug")
    async with open_clients(make_settings()) as clients:
        await wire_worker(clients, make_settings()).work_once()
    told = [json.loads(line) for line in log.getvalue().splitlines()]
    done = [line for line in told if line["event"] == "job.done"]
    assert {line["request_id"] for line in done} == {request_id}

    assert ids_of(records, run.id) == {
        "run.created": None,
        "run.started": request_id,
        "segment.claimed": request_id,
        "segment.submitted": request_id,
    }

    segment = records.segment(run.first)
    track = {"stage": "complete", "downloadUrl": f"{suno.url}/files/x.mp3", "duration": 5}
    called = await service.post(
        endpoint("parcours-xl-callback"),
        params={"segment": str(run.first), "token": str(segment["callback_token"])},
        json=track,
    )
    callback_id = called.headers["X-Request-Id"]
    assert callback_id != request_id
    (job,) = records.jobs("parcours_tracks", run.id)
    assert job["message"]["request_id"] == callback_id
    assert ids_of(records, run.id)["segment.delivered"] == callback_id


async def test_nobody_else_names_a_request(
    service: httpx.AsyncClient, make_run: MakeRun, records: Records
) -> None:
    run = await make_run()
    forged = {"X-Request-Id": "f" * 32, "X-Parcours-Request": "f" * 32}
    answer = await service.post(
        endpoint("parcours-xl-runner"), json={"runId": str(run.id)}, headers=forged
    )
    assert answer.headers["X-Request-Id"] != "f" * 32
    assert ids_of(records, run.id)["run.started"] == answer.headers["X-Request-Id"]


async def test_a_job_that_no_request_began_has_an_id_of_its_own(
    make_settings: MakeSettings, make_run: MakeRun, records: Records, suno: Vendor
) -> None:
    run = await make_run()
    async with open_clients(make_settings()) as clients:
        await clients.database.start_run(run.id)
        await wire_worker(clients, make_settings()).work_once()
    found = ids_of(records, run.id)
    assert found["run.started"] is None
    assert found["segment.claimed"] and found["segment.claimed"] == found["segment.submitted"]
