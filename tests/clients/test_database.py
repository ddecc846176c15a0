"""Typed calls of our SQL functions: what they refuse, and what a lost Supabase looks like."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import psycopg
import pytest
from postgrest.exceptions import APIError
from starlette.responses import HTMLResponse, JSONResponse, Response

from parcours_dev.supabase.project import LocalProject
from parcours_xl.clients.clients import Clients
from parcours_xl.clients.database import Database, Demand, SunoQuotaFull, SupabaseUnavailable
from parcours_xl.errors import PermanentError, RetryableError
from parcours_xl.settings import Settings
from tests.fixtures.records import Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings
from tests.fixtures.service_fixtures import MakeRun
from tests.fixtures.users import Person

pytestmark = pytest.mark.anyio

QUEUE = "parcours_generation"


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings()


@pytest.fixture
def database(
    stack: LocalProject,
    settings: Settings,
    http: httpx.AsyncClient,
    relay: Relay,
) -> Database:
    """What the service calls, with something in between that may break."""
    return Database(f"{relay.url}/rest/v1", stack.service_role_key, http, settings.limits)


async def test_one_method_is_one_request(
    database: Database, relay: Relay, make_run: MakeRun
) -> None:
    run = await make_run(3)
    started = await database.start_run(run.id)
    assert (started.segments, started.pending, started.total_seconds) == (3, 3, 900)
    assert relay.asked == [
        ("POST", "/rest/v1/rpc/write_limits"),
        ("POST", "/rest/v1/rpc/start_run"),
    ]
    await database.start_run(run.id)
    assert relay.asked[2:] == [("POST", "/rest/v1/rpc/start_run")], "limits are written once"


async def test_what_the_state_machine_refuses_keeps_its_status(database: Database) -> None:
    with pytest.raises(PermanentError) as refused:
        await database.start_run(uuid4())
    assert (refused.value.status, refused.value.message) == (404, "unknown run")


async def test_what_may_work_later_says_how_much_later(
    database: Database, owner: Person, make_run: MakeRun, make_settings: MakeSettings
) -> None:
    await make_run()
    quotas = make_settings(daily_run_quota=1).quotas
    with pytest.raises(RetryableError) as full:
        await database.admit_run(Demand(owner.id, quotas, None, {}))
    assert full.value.status == 429
    assert full.value.wait_s and 86_000 < full.value.wait_s <= 86_400


@pytest.mark.usefixtures("quiet")
async def test_a_full_suno_quota_says_that_it_is_the_quota(
    stack: LocalProject, make_settings: MakeSettings, http: httpx.AsyncClient
) -> None:
    limits = make_settings(suno_requests_max=1).limits
    database = Database(stack.rest_url, stack.service_role_key, http, limits)
    await database.reserve_suno_request()
    with pytest.raises(SunoQuotaFull) as full:
        await database.reserve_suno_request()
    assert full.value.status == 429
    assert full.value.wait_s and 0 < full.value.wait_s <= 10


@pytest.mark.usefixtures("quiet")
async def test_limits_that_the_database_has_forgotten_are_written_again(
    stack: LocalProject, make_settings: MakeSettings, http: httpx.AsyncClient, records: Records
) -> None:
    limits = make_settings(ask_first_s=77).limits
    database = Database(stack.rest_url, stack.service_role_key, http, limits)
    await database.reserve_suno_request()
    records.do("delete from parcours.limits where first_s = 77")
    assert await database.reserve_suno_request() > 0


@pytest.mark.parametrize(
    "answer",
    [
        HTMLResponse("<h1>Bad Gateway</h1>", 502),
        HTMLResponse("<h1>Internal Server Error</h1>", 500),
        HTMLResponse("<h1>Too many requests</h1>", 429),
        HTMLResponse("<h1>Web server is down</h1>", 521),
        Response(status_code=504),
        JSONResponse({"error": "upstream", "message": "The upstream server is unavailable"}, 503),
        JSONResponse({"message": "name resolution failed"}, 503),
        JSONResponse({"code": "PGRST000", "message": "no connection", "details": None}, 503),
        JSONResponse({"code": "PGRST003", "message": "no free connection"}, 504),
        JSONResponse({"code": "57014", "message": "canceling statement: timeout"}, 500),
        JSONResponse({"code": "40P01", "message": "deadlock detected"}, 500),
        JSONResponse({"code": "55P03", "message": "lock not available"}, 500),
        JSONResponse({"code": "53300", "message": "too many connections"}, 503),
        JSONResponse({"code": "08006", "message": "connection failure"}, 503),
        JSONResponse({"code": "57P01", "message": "terminating connection"}, 503),
    ],
    ids=lambda answer: f"{answer.status_code} {answer.body[:24].decode()}",
)
async def test_a_supabase_that_does_not_answer_sanely_is_unavailable(
    database: Database, relay: Relay, make_run: MakeRun, answer: Response
) -> None:
    run = await make_run()
    relay.broken["/rpc/"] = answer
    with pytest.raises(SupabaseUnavailable):
        await database.start_run(run.id)
    relay.broken.clear()
    assert (await database.start_run(run.id)).pending == 1


async def test_a_supabase_out_of_reach_is_unavailable(
    stack: LocalProject, settings: Settings, http: httpx.AsyncClient, dead_port: int
) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    database = Database(url, stack.service_role_key, http, settings.limits)
    with pytest.raises(SupabaseUnavailable):
        await database.start_run(uuid4())


async def test_a_lock_that_is_not_given_up_in_time_means_later(
    clients: Clients, stack: LocalProject, make_run: MakeRun, records: Records
) -> None:
    """The statement time-out cuts the call; PostgreSQL says 57014."""
    run = await make_run()
    records.do("alter role service_role set statement_timeout = '300ms'")
    records.do("notify pgrst, 'reload config'")
    try:
        await asyncio.sleep(0.3)
        with psycopg.connect(stack.database_url()) as other:
            other.execute("select from public.parcours_runs where id = %s for update", [run.id])
            with pytest.raises(SupabaseUnavailable):
                await clients.database.start_run(run.id)
    finally:
        records.do("alter role service_role reset statement_timeout")
        records.do("notify pgrst, 'reload config'")


async def test_a_key_that_is_not_the_service_role_is_our_mistake_and_shows(
    stack: LocalProject, settings: Settings, http: httpx.AsyncClient
) -> None:
    database = Database(stack.rest_url, stack.anon_key, http, settings.limits)
    with pytest.raises(APIError) as error:
        await database.start_run(uuid4())
    assert error.value.code == "42501"


async def test_a_receipt_is_good_until_somebody_else_has_read_the_message(
    clients: Clients, make_run: MakeRun, records: Records, quiet: None
) -> None:
    run = await make_run()
    await clients.database.start_run(run.id)
    (first,) = await clients.database.next_steps(5, 60)
    records.make_due(run.id)
    (second,) = await clients.database.next_steps(5, 60)
    assert (first.action, first.segment_id, first.read_ct) == ("submit", run.first, 1)
    assert not await clients.database.postpone_job(QUEUE, first, 60)
    assert await clients.database.postpone_job(QUEUE, second, 60)
    assert records.jobs(QUEUE, run.id)
