"""Secrets, callback tokens and signed URLs never reach a log."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from parcours_dev.supabase.project import LocalProject
from parcours_xl.app import create_app
from parcours_xl.clients.clients import open_clients
from parcours_xl.settings import Settings
from parcours_xl.wiring import wire_worker
from tests.fixtures.captured_logs import CaptureLogs, Style
from tests.fixtures.records import Records
from tests.fixtures.relay import Relay
from tests.fixtures.servers import running
from tests.fixtures.service import MakeSettings, endpoint
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person
from tests.fixtures.vendors import Vendor
from tests.fixtures.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet")]

SECRET = f"hush-{uuid4().hex}"
"""Wherever a caller can write something, this is written."""


@pytest.fixture
def settings(
    make_settings: MakeSettings, stack: LocalProject, relay: Relay, suno: Vendor, openai: Vendor
) -> Settings:
    """A deployment with every secret there is; Suno calls back for real, through the relay."""
    return make_settings(
        supabase_url=relay.url,
        postgrest_url=f"{relay.url}/rest/v1",
        supabase_jwt_secret=stack.jwt_secret,
        suno_api_key=f"{SECRET}-suno",
        openai_api_key=f"{SECRET}-openai",
        callback_base=f"{relay.url}/to-the-service",
        worker_in_process=True,
        worker_tick_s=0.2,
        retry_pauses_s=(0, 0),
        storing_pauses_s=(0,),
    )


@asynccontextmanager
async def calling(url: str, person: Person) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, headers=person.headers) as client:
        yield client


async def live(client: httpx.AsyncClient, records: Records, make_run: MakeRun) -> tuple[str, str]:
    """A run from tap to signed track. The callback token and the signed URL it saw."""
    await client.post(
        endpoint("parcours-xl-create"),
        json={"presetKey": "universel-reset"},
        headers={"Idempotency-Key": f"{SECRET}-{uuid4()}"},
    )
    run = await make_run()
    token = str(records.segment(run.first)["callback_token"])
    await client.post(endpoint("parcours-xl-runner"), json={"runId": str(run.id)})
    await until(lambda: records.segment(run.first)["suno_task_id"])
    await client.post(
        endpoint("parcours-xl-callback"),
        params={"segment": str(run.first), "token": token},
        json={"stage": "first", "streamUrl": f"https://suno.ai/{SECRET}"},
    )
    await until(lambda: records.segment(run.first)["status"] == "complete")
    signed = await client.post(endpoint("sign-track"), json={"segmentId": str(run.first)})
    return token, signed.json()["url"]


async def misuse(client: httpx.AsyncClient, records: Records, run_id: object) -> None:
    """Everything that a caller can do wrong, with something secret in it."""
    segment = records.segments(run_id)[0]
    wrong = {"segment": str(segment["id"]), "token": str(uuid4()), "x": SECRET}
    bad_token = {"Authorization": f"Bearer {SECRET}", "apikey": SECRET}
    for name in ("parcours-xl-create", "sign-track"):
        await client.post(endpoint(name), headers=bad_token, json={"presetKey": SECRET})
        await client.post(endpoint(name), json={"presetKey": SECRET, "segmentId": SECRET})
    await client.post(endpoint("parcours-xl-callback"), params=wrong, json={"stage": SECRET[:40]})
    await client.post(endpoint("parcours-xl-callback"), params={"segment": SECRET, "token": SECRET})
    await client.post(endpoint("parcours-xl-generate"), json={"segmentId": SECRET})
    await client.post(f"/{endpoint('sign-track')}?token={SECRET}", content=SECRET)
    await client.get(f"{endpoint('parcours-xl-callback')}?token={SECRET}")


async def break_everything(
    client: httpx.AsyncClient,
    settings: Settings,
    records: Records,
    relay: Relay,
    suno: Vendor,
    make_run: MakeRun,
) -> None:
    """Suno, the database and Storage refuse, break, and say odd things."""
    for broken in (
        Response(f"<h1>{SECRET}</h1>", 502),
        JSONResponse({"code": "42883", "message": "odd"}, 404),
    ):
        run = await make_run()
        segment = records.segment(run.first)
        params = {"segment": str(run.first), "token": str(segment["callback_token"])}
        relay.broken["/rpc/record_callback"] = broken
        body = {"stage": "complete", "downloadUrl": f"https://suno.ai/{SECRET}"}
        await client.post(endpoint("parcours-xl-callback"), params=params, json=body)
        relay.broken.clear()
    for fault in ("bad_key", "refused", "maintenance", "no_answer", "not_json"):
        run = await make_run()
        suno.fail(fault)
        await client.post(endpoint("parcours-xl-generate"), json={"segmentId": str(run.first)})
    suno.fail("lost_callback", times=0, match={"callback": "*"})  # only this test calls back
    run = await make_run()
    await client.post(endpoint("parcours-xl-generate"), json={"segmentId": str(run.first)})
    params["segment"] = str(run.first)
    params["token"] = str(records.segment(run.first)["callback_token"])
    url = f"https://user:{SECRET}@127.0.0.1/{SECRET}"
    body = {"stage": "complete", "downloadUrl": url}
    await client.post(endpoint("parcours-xl-callback"), params=params, json=body)
    run = await make_run()
    await client.post(endpoint("parcours-xl-generate"), json={"segmentId": str(run.first)})
    params["segment"] = str(run.first)
    params["token"] = str(records.segment(run.first)["callback_token"])
    asked = suno.calls().count("record-info")
    body["downloadUrl"] = f"https://unknown.example.com/{SECRET}"
    relay.broken["/storage/v1"] = JSONResponse({"message": "upstream"}, 503)
    await client.post(endpoint("parcours-xl-callback"), params=params, json=body)
    await until(lambda: suno.calls().count("record-info") > asked)
    relay.broken.clear()


@pytest.mark.parametrize("style", ["console", "json"])
async def test_no_log_ever_holds_a_secret(
    settings: Settings,
    stack: LocalProject,
    relay: Relay,
    suno: Vendor,
    owner: Person,
    records: Records,
    make_run: MakeRun,
    capture_logs: CaptureLogs,
    style: Style,
) -> None:
    log = capture_logs(style, "debug")
    with running(create_app(settings)) as url:
        relay.elsewhere["/to-the-service"] = url + endpoint("parcours-xl-callback")
        async with calling(url, owner) as client:
            token, signed = await live(client, records, make_run)
            await misuse(client, records, (await make_run()).id)
            await break_everything(client, settings, records, relay, suno, make_run)
    written = log.getvalue()
    assert "request.answered" in written and "track.done" in written
    assert "request.failed" in written and "supabase.unavailable" in written
    secrets = {
        "what callers and vendors wrote": SECRET,
        "a user's token": owner.token,
        "the anon key": stack.anon_key,
        "the service-role key": stack.service_role_key,
        "the JWT secret": stack.jwt_secret,
        "the database's password": stack.database_password,
        "the callback token of the finished run": token,
        "the signature of a URL": parse_qs(urlsplit(signed).query)["token"][0],
    }
    rows = records.all(
        "select callback_token::text as token from public.parcours_segments"
        " where callback_token is not null"
    )
    assert rows
    secrets |= {f"a callback token ({row['token'][:4]}…)": row["token"] for row in rows}
    for name, secret in secrets.items():
        assert secret not in written, f"{name} is in the log"


async def test_json_logs_are_one_object_a_line(
    make_settings: MakeSettings, capture_logs: CaptureLogs
) -> None:
    log = capture_logs("json", "info")
    settings = make_settings(worker_in_process=True)
    async with open_clients(settings) as clients:
        worker = wire_worker(clients, settings)
        worker.stop()
        await worker.run()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["worker.started", "worker.stopped"]
    assert all({"level", "logger", "timestamp"} <= line.keys() for line in lines)


async def test_a_level_is_the_least_that_is_written(
    make_settings: MakeSettings, capture_logs: CaptureLogs, service: httpx.AsyncClient
) -> None:
    log = capture_logs("console", "warning")
    await service.post(endpoint("sign-track"))
    assert log.getvalue() == ""
    log = capture_logs("console", "info")
    await service.post(endpoint("sign-track"))
    assert "request.answered" in log.getvalue() and "status=401" in log.getvalue()
