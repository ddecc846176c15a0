"""/healthz and /readyz, as whoever restarts and routes asks them."""

import httpx
import pytest
from starlette.responses import JSONResponse

from tests.fixtures.records import Records
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings, open_service

pytestmark = pytest.mark.anyio


async def test_a_deployment_that_can_work_is_alive_and_ready(service: httpx.AsyncClient) -> None:
    assert (await service.get("/healthz")).json() == {"ok": True}
    ready = await service.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "ok": True,
        "supabase": "ok",
        "queues": ["parcours_generation", "parcours_tracks"],
    }


async def test_a_supabase_that_is_unavailable_is_alive_and_not_ready(
    make_settings: MakeSettings, dead_port: int
) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    async with open_service(make_settings(supabase_url=url, postgrest_url=url)) as client:
        assert (await client.get("/healthz")).status_code == 200
        ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json() == {"ok": False, "supabase": "unavailable"}


async def test_a_project_without_our_migrations_is_not_ready(
    make_settings: MakeSettings, relay: Relay
) -> None:
    missing = {"code": "PGRST202", "message": "Could not find the function", "details": None}
    relay.broken["/rpc/"] = JSONResponse(missing, 404)
    async with open_service(make_settings(postgrest_url=f"{relay.url}/rest/v1")) as client:
        ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["ok"]) == (503, False)


async def test_queues_that_are_gone_are_not_ready(
    service: httpx.AsyncClient, records: Records
) -> None:
    records.do("alter table pgmq.q_parcours_tracks rename to q_elsewhere")
    try:
        assert (await service.get("/readyz")).status_code == 503
    finally:
        records.do("alter table pgmq.q_elsewhere rename to q_parcours_tracks")
    assert (await service.get("/readyz")).status_code == 200
